"""How an address tells that this program has added it, also after a restart or a kill -9.

The kernel keeps the mark. From Linux 5.18 it is the address's protocol (IFA_PROTO); older kernels
ignore that attribute, so there an IPv4 address is known by its label and an IPv6 address by its
metric (IFA_RT_PRIORITY, from Linux 4.18). All are set always: an address is not added anew when the
kernel is another one.
"""

from __future__ import annotations

from typing import NamedTuple

from clusterf.model.address import Family

PROTOCOL = 207
"""IFA_PROTO. 0 to 3 are the kernel's (if_addr.h); iproute2's rt_addrprotos names no other."""

METRIC = 20_701
"""IFA_RT_PRIORITY; a number that nobody uses by chance."""

PROTOCOL_SINCE = (5, 18)
"""Linux that stores IFA_PROTO (commit 47f0bd503210)."""

_LABEL_MAX = 15
"""IFNAMSIZ - 1."""


class Marks(NamedTuple):
    """What the kernel tells of an address besides the address."""

    protocol: int | None = None
    label: str | None = None
    metric: int | None = None


def label(interface: str) -> str | None:
    """Label of our IPv4 addresses; None where the interface's name leaves no room for one."""
    for suffix in (":clusterf", ":cf"):
        if len(interface) + len(suffix) <= _LABEL_MAX:
            return interface + suffix
    return None


def is_ours(family: Family, marks: Marks, interface: str, kernel: tuple[int, int]) -> bool:
    """Whether this program has added an address. ``kernel``: Linux version, such as (6, 1).

    Where the kernel keeps the protocol nothing else counts, so that nobody's address becomes
    ours by a label or a metric.
    """
    if kernel >= PROTOCOL_SINCE:
        return marks.protocol == PROTOCOL
    if family is Family.INET:
        return marks.label is not None and marks.label == label(interface)
    return marks.metric == METRIC
