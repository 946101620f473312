"""Real partitions of one site: what etcd and some others send one another does not arrive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from tests.lab.cluster.site import Site

How = Literal["silence", "reset", "link"]


@contextmanager
def cut_off(site: Site, how: How, *peers: str) -> Iterator[None]:
    """Keep etcd apart from these addresses until the block ends.

    ``silence``: packets are dropped. ``reset``: whoever sends to etcd gets an RST, as from a
    firewall or a host that has forgotten. ``link``: etcd's cable is out, for everybody.
    """
    place = site.etcd_place
    if how == "link":
        place.ip("link set eth0 down")
    else:
        _rules(site, "-A", how, peers)
    try:
        yield
    finally:
        if how == "link":
            place.ip("link set eth0 up")
        else:
            _rules(site, "-D", how, peers)


def _rules(site: Site, command: str, how: How, peers: tuple[str, ...]) -> None:
    reset = ["-j", "REJECT", "--reject-with", "tcp-reset"]
    for peer in peers:
        for rule in (
            ["INPUT", "-s", peer, "-p", "tcp", *(["-j", "DROP"] if how == "silence" else reset)],
            # What etcd itself sends, but not the RST of the rule above.
            [*("OUTPUT", "-d", peer, "-p", "tcp", "!", "--tcp-flags", "RST", "RST"), "-j", "DROP"],
        ):
            site.etcd_place.run(["iptables-legacy", command, *rule])
