"""The clusterf.toml of the demo's director."""

from __future__ import annotations

from pathlib import Path

from tests.lab.topology import DOCKER, DOCKER_PORT, VIPS

VIP, PORT = "198.51.100.10", 80
URL = f"http://{VIP}/"
ENTRY = f"TCP {VIP}:{PORT}"
"""The virtual service, as watch.py calls it."""

DRAIN = 3
"""Seconds; see below."""


def text(directory: Path) -> str:
    """The whole file. ``directory`` is where the daemon keeps its socket and its state."""
    return f"""\
[clusterf]
managed = ["{VIPS}"]           # its VIPs; all else in the kernel is left alone
control = "{directory}/control.sock"
state_dir = "{directory}/state"

[services.web]                          # what clients see
frontend = {{ ipv4 = "{VIP}", tcp = {PORT} }}
scheduler = "rr"

[sources.docker]                        # containers with the label clusterf.service=web
type = "docker"
host = "tcp://{DOCKER}:{DOCKER_PORT}"

[[policies]]                            # how they are reached
type = "routes"
routes = [{{ name = "containers", method = "masq" }}]

[outputs.kernel]                        # IPVS
type = "ipvs"
drain = "{DRAIN}s"                            # the kernel remembers closed connections for 120 s

[outputs.vips]                          # the VIP on this host
type = "addresses"
interface = "lo"
"""
