"""What the kernel can do that these tests run on, and its namespaces from inside."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager

from clusterf_addresses.netlink import RefusedError
from clusterf_addresses.tunnels import nft
from clusterf_addresses.tunnels.ruleset import ANSWERING, Rule, Ruleset
from tests.lab import namespaces
from tests.lab.network import Namespace


@contextmanager
def within(place: Namespace) -> Iterator[None]:
    """The calling thread is in this namespace meanwhile."""
    home = os.open(namespaces.current(), os.O_RDONLY | os.O_CLOEXEC)
    there = os.open(place.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        namespaces.enter(there)
        yield
    finally:
        namespaces.enter(home)
        os.close(home)
        os.close(there)


@functools.cache
def takes_tables() -> bool:
    """Whether it takes a table of nftables for IPv4 and IPv6; nothing is made.

    User-mode Linux has no such families (CONFIG_NF_TABLES_INET).
    """
    try:
        nft.fits(Ruleset((Rule(ANSWERING, segment=1400),)))
    except RefusedError:
        return False
    return True
