"""The kernel's numbers for the words of ipvsadm and of the model, and back.

A number that has no word gets one that nobody can ask for: what a stranger has put into the
kernel differs from all that is desired, can be shown, and is written back as it was.
"""

from __future__ import annotations

from socket import IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP
from typing import Final

from clusterf.model.table import Method, Protocol, TunnelType

# --- virtual services ------------------------------------------------------------------------

PROTOCOLS: Final = {
    Protocol.TCP: int(IPPROTO_TCP),
    Protocol.UDP: int(IPPROTO_UDP),
    Protocol.SCTP: int(IPPROTO_SCTP),
}
PROTOCOL_WORDS: Final = {number: protocol for protocol, number in PROTOCOLS.items()}

# IP_VS_SVC_F_*
PERSISTENT: Final = 0x1
HASHED: Final = 0x2
"""Set by the kernel in every service that it reports; of no meaning to anybody else."""
ONE_PACKET: Final = 0x4
ALL_FLAGS: Final = 0xFFFFFFFF
"""The mask of an edit that leaves no flag as it was."""

_OF_SCHEDULER = (0x8, 0x10, 0x20)
"""IP_VS_SVC_F_SCHED1 to 3: each scheduler gives them meanings of its own."""

FLAG_BITS: Final = {
    "ops": ONE_PACKET,
    "mh-fallback": _OF_SCHEDULER[0],
    "mh-port": _OF_SCHEDULER[1],
    "sh-fallback": _OF_SCHEDULER[0],
    "sh-port": _OF_SCHEDULER[1],
    "flag-1": _OF_SCHEDULER[0],
    "flag-2": _OF_SCHEDULER[1],
    "flag-3": _OF_SCHEDULER[2],
}
"""Flags by ipvsadm's words; ``flag-1`` to ``flag-3`` are those of schedulers without own words."""

_WITH_WORDS = PERSISTENT | HASHED | ONE_PACKET | sum(_OF_SCHEDULER)


def flag_bits(flag: str) -> int:
    """Bits of a service's flag; ``0x40`` stands for bits that have no word."""
    bits = FLAG_BITS.get(flag)
    return int(flag, 16) if bits is None else bits


def flag_words(scheduler: str, bits: int) -> frozenset[str]:
    """Flags of a service in the words for this scheduler; bits without a word as ``0x40``."""
    words = set()
    if bits & ONE_PACKET:
        words.add("ops")
    for number, bit in enumerate(_OF_SCHEDULER, start=1):
        if bits & bit:
            own = [w for w in FLAG_BITS if w.startswith(f"{scheduler}-") and FLAG_BITS[w] == bit]
            words.add(own[0] if own else f"flag-{number}")
    if rest := bits & ~_WITH_WORDS:
        words.add(f"{rest:#x}")
    return frozenset(words)


# --- destinations ----------------------------------------------------------------------------

METHODS: Final = {Method.MASQ: 0, Method.TUNNEL: 2, Method.DROUTE: 3}
METHOD_WORDS: Final = {number: method for method, number in METHODS.items()}
METHOD_BITS: Final = 7
"""Those of IP_VS_CONN_F_* that are the method (IP_VS_CONN_F_FWD_MASK)."""

TUNNEL_TYPES: Final = {TunnelType.IPIP: 0, TunnelType.GUE: 1, TunnelType.GRE: 2}
TUNNEL_TYPE_WORDS: Final = {number: kind for kind, number in TUNNEL_TYPES.items()}
TUNNEL_FLAGS: Final = {"nocsum": 0, "csum": 1, "remcsum": 2}


def tunnel_flag_bits(flags: str) -> int:
    """Bits of a tunnel's flags, its words joined by commas; words that stand for none are 0."""
    return sum(TUNNEL_FLAGS.get(word, 0) for word in flags.split(","))


def tunnel_words(kind: int, bits: int) -> str:
    """Flags of a tunnel, joined by commas; a type or bits without a word are among them."""
    words = [] if kind in TUNNEL_TYPE_WORDS else [f"type-{kind}"]
    words += [word for word, bit in TUNNEL_FLAGS.items() if bit and bits & bit]
    if rest := bits & ~sum(TUNNEL_FLAGS.values()):
        words.append(f"{rest:#x}")
    return ",".join(words) or "nocsum"
