"""What is written by hand for `make demo-cluster`: three kinds of files, and one frontend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.demo.cluster.network import ETCD, VIPS, VIPS6
from tests.demo.configuration import DRAIN, PORT, VIP

if TYPE_CHECKING:
    from pathlib import Path

    from tests.demo.cluster.network import Addresses

VIP6 = "2001:db8:3::10"
URL6 = f"http://[{VIP6}]/"

PREFIX = "/clusterf/"
"""Of all keys, as clusterf has it where nobody says otherwise."""

FRONTEND = ("web", "--ipv4", VIP, "--ipv6", VIP6, "--tcp", str(PORT), "--scheduler", "wrr")
"""What is said to ``clusterf etcd put``."""

WEIGHT = 10
"""Of a container whose labels say nothing of it."""

TTL = 10
"""Seconds; see below."""

_ENDPOINTS = f'endpoints = ["http://{ETCD}:2379"]'


def director(directory: Path) -> str:
    """The director's file. ``directory`` is where the daemon keeps its socket and its state."""
    return f"""\
[clusterf]
managed = ["{VIPS}", "{VIPS6}"]
{_own(directory)}

[sources.cluster]                       # services, backends, routes: what is in etcd
type = "etcd"
{_ENDPOINTS}

[[policies]]                            # by those routes: backends become their host
type = "routes"

{_KERNEL}"""


def second_tier(directory: Path, at: Addresses) -> str:
    """The file of the second tier of a Docker host."""
    return f"""\
[clusterf]
managed = ["{VIPS}", "{VIPS6}"]
{_own(directory)}

[sources.local-docker]                  # containers with the label clusterf.service=web
type = "docker"
host = "tcp://{at.api}"

[sources.cluster]                       # where the services are
type = "etcd"
{_ENDPOINTS}

[[policies]]                            # only the containers of this host, by NAT
type = "local"
sources = ["local-docker"]

{_KERNEL}"""


def agent(directory: Path, at: Addresses, engine: str) -> str:
    """The file of the agent of a Docker host. ``engine`` is the URL of its engine."""
    return f"""\
[clusterf]
managed = []                            # no part of a kernel's table
{_own(directory)}

[sources.local-docker]
type = "docker"
host = "{engine}"
routes = {{ gateway4 = "{at.host}", gateway6 = "{at.host6}", method = "droute" }}

[outputs.cluster]                       # tells of its containers and their networks
type = "etcd"
{_ENDPOINTS}
agent = "{at.name}"
sources = ["local-docker"]
routes = true
ttl = "{TTL}s"                             # how long it is believed after its last word
"""


def _own(directory: Path) -> str:
    return f"""\
control = "{directory}/control.sock"
state_dir = "{directory}/state\""""


_KERNEL = f"""\
[outputs.kernel]                        # IPVS
type = "ipvs"
drain = "{DRAIN}s"

[outputs.vips]                          # all have the VIPs; routers send to the director
type = "addresses"
arp = "silent"
sysctls = "set"
"""
