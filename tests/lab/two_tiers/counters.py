"""What the kernels of the stage have counted: IPVS, tunnels, and packets that were too large."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.lab.network import Namespace
from tests.lab.two_tiers.kernel import within


class Served(NamedTuple):
    """Counters of IPVS: connections, packets from clients and back."""

    connections: int
    inwards: int
    outwards: int

    def since(self, before: Served) -> Served:
        return Served(*(now - then for now, then in zip(self, before, strict=True)))


def served(place: Namespace) -> Served:
    """Of all virtual services together, as they are at this moment.

    The counters of a single one lag: a timer sums them up every other second (ip_vs_est.c).
    """
    lines = re.findall(_CPU, _read(place, "ip_vs_stats_percpu"), re.MULTILINE)
    numbers = [[int(number, 16) for number in line] for line in lines]
    return Served(*map(sum, zip(*numbers, strict=True)))


_CPU = r"^ *[0-9A-F]+" + r" +([0-9A-F]+)" * 3 + r" +[0-9A-F]+" * 2 + "$"
"""A line of one CPU: connections, packets in and out, bytes in and out."""


_TOO_LARGE = frozenset(
    [
        *("FragOKs", "FragFails", "FragCreates", "ReasmReqds", "OutDestUnreachs"),
        *("Ip6FragOKs", "Ip6FragFails", "Ip6FragCreates", "Ip6ReasmReqds", "Icmp6OutPktTooBigs"),
    ]
)
"""Packets that did not fit through somewhere: cut, dropped, or told about."""


def too_large(place: Namespace) -> dict[str, int]:
    """What this place has counted of packets that were too large."""
    found: dict[str, int] = {}
    titles: list[str] = []
    for line in (_read(place, "snmp") + _read(place, "snmp6")).splitlines():
        head, *values = line.split()
        if not head.endswith(":"):
            found[head] = int(values[0])
        elif titles and titles[0] == head:
            pairs = zip(titles[1:], map(int, values), strict=True)
            found |= {name: value for name, value in pairs if name in _TOO_LARGE}
            titles = []
        else:
            titles = [head, *values]
    return {name: value for name, value in found.items() if name in _TOO_LARGE}


def received(place: Namespace, devices: str) -> int:
    """Packets that came by devices whose names begin so."""
    counted = re.findall(rf"^ *{devices}\S*: *\d+ +(\d+) ", _read(place, "dev"), re.MULTILINE)
    return sum(map(int, counted))


def _read(place: Namespace, name: str) -> str:
    with within(place):
        return Path("/proc/thread-self/net", name).read_text("ascii")
