"""The table of nftables that goes with tunnels: its chains and rules, as values. Pure.

``arriving`` lets nothing out of our tunnel devices but packets to managed VIPs: a host that takes
packets from anybody out of their envelopes, and forwards, would send them on in anybody's name
(CERT VU#199397). ``answering`` lowers the segment size that VIPs advertise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from clusterf.model.address import Family, Network

TABLE: Final = "clusterf"
"""Of the family inet. Ours by its name, like the kernel's entries inside the managed prefixes."""


class Chain(NamedTuple):
    """A base chain of type filter that accepts. ``hook``: NF_INET_*; ``order``: priority."""

    name: str
    hook: int
    order: int


ARRIVING: Final = Chain("arriving", 0, -300)
"""Before connection tracking, and before IPVS, which sees what is for this host."""

ANSWERING: Final = Chain("answering", 4, -150)
"""After IPVS, which has put the VIP into the source of replies (ip_vs_reply4 in FORWARD)."""


class Rule(NamedTuple):
    """A rule: the conditions and the verdict of ``arriving``, or the size of ``answering``.

    ``devices``: for packets from devices whose name begins so, or (``other``) does not.
    """

    chain: Chain
    prefix: Network | None = None
    devices: str = ""
    other: bool = False
    drop: bool = False
    segment: int | None = None

    def __str__(self) -> str:
        if self.segment is not None:
            which = "ip" if self.prefix is None or self.prefix.family is Family.INET else "ip6"
            return (
                f"{which} saddr {self.prefix} tcp flags & syn == syn"
                f" tcp option maxseg size set {self.segment}"
            )
        if self.prefix is not None:
            which = "ip" if self.prefix.family is Family.INET else "ip6"
            return f"{which} daddr {self.prefix} accept"
        condition = f'iifname {"!= " if self.other else ""}"{self.devices}*" ' * bool(self.devices)
        return condition + ("counter drop" if self.drop else "accept")


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All of the table."""

    rules: tuple[Rule, ...] = ()

    @property
    def chains(self) -> tuple[Chain, ...]:
        """Those that have rules."""
        return tuple(dict.fromkeys(rule.chain for rule in self.rules))


def ruleset(devices: str, prefixes: Iterable[Network], segments: Mapping[Family, int]) -> Ruleset:
    """The table for devices whose names begin so (empty: none), VIPs and segment sizes."""
    prefixes = list(prefixes)
    rules: list[Rule] = []
    if devices:
        rules.append(Rule(ARRIVING, devices=devices, other=True))
        rules += (Rule(ARRIVING, prefix) for prefix in prefixes)
        rules.append(Rule(ARRIVING, drop=True))
    rules += (
        Rule(ANSWERING, prefix, segment=segments[prefix.family])
        for prefix in prefixes
        if prefix.family in segments
    )
    return Ruleset(tuple(rules))
