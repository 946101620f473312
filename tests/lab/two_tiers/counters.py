"""What the kernels of the stage have counted: IPVS by VIP, and packets that were too large."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.lab.network import Namespace
from tests.lab.promises.stage import Director
from tests.lab.two_tiers.kernel import within


class Served(NamedTuple):
    """Counters of a virtual service: connections, packets from clients and back."""

    connections: int
    inwards: int
    outwards: int

    def since(self, before: Served) -> Served:
        return Served(*(now - then for now, then in zip(self, before, strict=True)))


_NONE = Served(0, 0, 0)


def served(director: Director) -> dict[str, Served]:
    """Of all virtual services at TCP port 80, by VIP."""
    listing = director.ipvsadm("-L", "-n", "--stats", "--exact")
    lines = re.findall(r"^TCP +\[?([^\s\]]+?)\]?:80 +(\d+) +(\d+) +(\d+)", listing, re.MULTILINE)
    return {vip: Served(*map(int, numbers)) for vip, *numbers in lines}


def of(counted: dict[str, Served], vip: str) -> Served:
    return counted.get(vip, _NONE)


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
