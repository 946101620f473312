"""The programs that are compared, each with a configuration for the same services.

Every service has another port of one VIP, and ten servers; the last one has port 80, where the
servers answer. None of the programs checks the health of its servers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.frozen.executables import FOLDER, ONE_FILE

VIP = "192.0.2.1"
SERVERS = tuple(f"198.51.100.{number}" for number in range(1, 11))


def ports(services: int) -> list[int]:
    return [*range(1001, 1000 + services), 80]


@dataclass(frozen=True)
class Program:
    """``package`` is Debian's name of it; ours have none yet."""

    name: str
    version: tuple[str, ...]
    run: Callable[[Path], list[str]]
    configuration: Callable[[int], str]
    package: str | None = None


def _clusterf(services: int) -> str:
    head = f"""\
[clusterf]
managed = ["{VIP}/32"]
control = "control.sock"
state_dir = "state"
[outputs.kernel]
type = "ipvs"
"""
    return head + "".join(
        f'[services.s{port}]\nfrontend = {{ ipv4 = "{VIP}", tcp = {port} }}\n'
        f'scheduler = "wrr"\nbackends = {[f"{server}:{port}" for server in SERVERS]}\n'
        for port in ports(services)
    )


def _keepalived(services: int) -> str:
    return "".join(
        f"virtual_server {VIP} {port} {{\n  lvs_sched wrr\n  lvs_method NAT\n  protocol TCP\n"
        + "".join(f"  real_server {server} {port} {{ weight 10 }}\n" for server in SERVERS)
        + "}\n"
        for port in ports(services)
    )


def _haproxy(services: int) -> str:
    head = (
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 50s\n  timeout server 50s\n"
    )
    return head + "".join(
        f"listen s{port}\n  bind {VIP}:{port}\n  balance roundrobin\n"
        + "".join(f"  server r{n} {server}:{port}\n" for n, server in enumerate(SERVERS))
        for port in ports(services)
    )


def _caddy(services: int) -> str:
    head = "{\n  admin off\n  auto_https off\n}\n"
    return head + "".join(
        f"http://:{port} {{\n  bind {VIP}\n  reverse_proxy "
        + " ".join(f"{server}:{port}" for server in SERVERS)
        + "\n}\n"
        for port in ports(services)
    )


def _ours(path: Path) -> Callable[[Path], list[str]]:
    return lambda file: [str(path), "run", "-c", str(file)]


PROGRAMS = (
    Program(
        "clusterf, one file", (str(ONE_FILE.path), "--version"), _ours(ONE_FILE.path), _clusterf
    ),
    Program("clusterf, folder", (str(FOLDER.path), "--version"), _ours(FOLDER.path), _clusterf),
    Program(
        "keepalived",
        ("keepalived", "--version"),
        # The checker alone, which is the part that programs IPVS.
        lambda file: [
            *("keepalived", "--dont-fork", "--check", "--use-file", str(file)),
            *("--pid", f"{file}.pid", "--checkers_pid", f"{file}.checkers.pid"),
        ],
        _keepalived,
        "keepalived",
    ),
    Program(
        "HAProxy",
        ("haproxy", "-v"),
        lambda file: ["haproxy", "-db", "-f", str(file)],
        _haproxy,
        "haproxy",
    ),
    Program(
        "Caddy",
        ("caddy", "version"),
        lambda file: ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)],
        _caddy,
        "caddy",
    ),
)
