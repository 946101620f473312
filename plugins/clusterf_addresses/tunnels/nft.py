"""Our table of nftables in the kernel: seen, tried, exchanged, removed. Blocking."""

from __future__ import annotations

import errno

from clusterf_addresses.netlink import NETFILTER, RefusedError, talk
from clusterf_addresses.tunnels import nft_codec
from clusterf_addresses.tunnels.ruleset import Ruleset


def table() -> tuple[tuple[str, str], ...] | None:
    """Chain and comment of each rule of our table; None where there is none.

    The kernel loads its module for that.

    Raises:
        RefusedError: the kernel has no nftables (EPROTONOSUPPORT, EOPNOTSUPP), or does not tell
            (EPERM).
        OutputUnavailable: the socket failed.
    """
    with talk(NETFILTER) as kernel:
        try:
            kernel.ask(nft_codec.GET_TABLE, nft_codec.table_body())
        except RefusedError as refused:
            if refused.code == errno.ENOENT:
                return None
            raise
        told = kernel.dump(nft_codec.GET_RULES, nft_codec.rules_body())
    return tuple(nft_codec.seen(message.body) for message in told)


def fits(rules: Ruleset) -> None:
    """Ask the kernel whether it would take this table; changes nothing.

    Raises:
        RefusedError: it would not.
        OutputUnavailable: the socket failed.
    """
    with talk(NETFILTER) as kernel:
        kernel.batch(nft_codec.trial(rules))


def exchange(rules: Ruleset) -> None:
    """Put this table in the place of ours, whole and at once.

    Raises:
        RefusedError: from the kernel; nothing has changed then.
        OutputUnavailable: the socket failed.
    """
    with talk(NETFILTER) as kernel:
        kernel.batch(list(nft_codec.exchange(rules)))


def remove() -> None:
    """Remove our table.

    Raises:
        RefusedError, OutputUnavailable: as `exchange`.
    """
    with talk(NETFILTER) as kernel:
        kernel.batch(list(nft_codec.removal()))
