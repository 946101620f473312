"""What needs no privileges; the rest is in tests/lab/test_nftables.py."""

from __future__ import annotations

import errno

from clusterf_addresses.netlink import RefusedError
from clusterf_addresses.tunnels import nft
from clusterf_addresses.tunnels.ruleset import ARRIVING, Rule, Ruleset

NO = {errno.EPERM, errno.EPROTONOSUPPORT, errno.EOPNOTSUPP}
"""Not root, no netfilter, no nftables."""


def code(call: object, *arguments: object) -> int:
    assert callable(call)
    try:
        call(*arguments)
    except RefusedError as refused:
        return refused.code
    return 0


def test_a_question_is_answered_or_refused() -> None:
    assert code(nft.table) in {0, *NO}


def test_a_trial_is_answered_or_refused_and_leaves_nothing() -> None:
    before = code(nft.table)
    assert code(nft.fits, Ruleset((Rule(ARRIVING, drop=True),))) in {0, *NO}
    assert code(nft.table) == before
    if before == 0:
        assert nft.table() is None
