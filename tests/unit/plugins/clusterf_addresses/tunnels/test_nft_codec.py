"""The messages; what a kernel makes of them is in tests/lab/test_nftables.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clusterf.model.address import Family, Network
from clusterf_addresses.attributes import DecodeError, contents, row, text, words
from clusterf_addresses.netlink import ACK
from clusterf_addresses.tunnels import nft_codec
from clusterf_addresses.tunnels.ruleset import ANSWERING, ARRIVING, Rule, Ruleset, ruleset

V4, V6 = Network.parse("192.0.2.0/24"), Network.parse("2001:db8::/64")
ALL = ruleset("clusterf-", [V4, V6], {Family.INET: 1420, Family.INET6: 1400})
BEGIN, END, TABLE, DELETE, CHAIN, RULE = 16, 17, 0xA00, 0xA02, 0xA03, 0xA06


def expressions(rule: Rule) -> list[str]:
    """Names of what a rule is made of, in their order."""
    batch = list(nft_codec.exchange(Ruleset((rule,))))
    found = contents(batch[-2].body[4:])
    return [words(contents(one)[1]) for _, one in row(found[4])]


def test_a_table_is_exchanged_in_one_batch() -> None:
    batch = list(nft_codec.exchange(ALL))
    kinds = [message.kind for message in batch]
    assert kinds == [BEGIN, TABLE, DELETE, TABLE, CHAIN, CHAIN, *[RULE] * len(ALL.rules), END]
    assert {bool(message.flags & ACK) for message in batch[1:-1]} == {True}
    assert {batch[0].body, batch[-1].body} == {b"\0\0\0\x0a"}


def test_a_trial_has_no_end() -> None:
    assert nft_codec.trial(ALL) == list(nft_codec.exchange(ALL))[:-1]


def test_a_removal_makes_it_first_so_that_there_is_one() -> None:
    assert [one.kind for one in nft_codec.removal()] == [BEGIN, TABLE, DELETE, END]


def test_chains_have_their_hooks() -> None:
    chains = [one.body for one in nft_codec.exchange(ALL) if one.kind == CHAIN]
    found = {}
    for body in chains:
        told = contents(body[4:])
        hook = contents(told[4])
        found[words(told[3])] = (int.from_bytes(hook[1]), int.from_bytes(hook[2], signed=True))
    assert found == {"arriving": (0, -300), "answering": (4, -150)}
    assert ARRIVING.order < ANSWERING.order


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(ARRIVING, devices="clusterf-", other=True), ["meta", "cmp", "immediate"]),
        (
            Rule(ARRIVING, V4),
            ["meta", "cmp", "payload", "bitwise", "cmp", "immediate"],
        ),
        (
            Rule(ARRIVING, Network.parse("192.0.2.1")),
            ["meta", "cmp", "payload", "cmp", "immediate"],
        ),
        (Rule(ARRIVING, drop=True), ["counter", "immediate"]),
        (
            Rule(ANSWERING, V6, segment=1400),
            [
                *("meta", "cmp", "payload", "bitwise", "cmp"),
                *("meta", "cmp", "payload", "bitwise", "cmp", "immediate", "exthdr"),
            ],
        ),
    ],
)
def test_a_rule_is_a_row_of_expressions(rule: Rule, expected: list[str]) -> None:
    assert expressions(rule) == expected


@pytest.mark.parametrize(("other", "operator"), [(False, 0), (True, 1)])
def test_a_name_is_equal_or_is_not(other: bool, operator: int) -> None:  # noqa: FBT001
    rule = Rule(ARRIVING, devices="clusterf-", other=other)
    batch = list(nft_codec.exchange(Ruleset((rule,))))
    elements = [one for _, one in row(contents(batch[-2].body[4:])[4])]
    compared = contents(contents(elements[1])[2])
    assert int.from_bytes(compared[2]) == operator
    assert contents(compared[3]) == {1: b"clusterf-"}


def test_a_rule_is_seen_by_its_chain_and_what_it_does() -> None:
    rules = [one.body for one in nft_codec.exchange(ALL) if one.kind == RULE]
    assert tuple(map(nft_codec.seen, rules)) == nft_codec.marks(ALL)
    assert len(set(nft_codec.marks(ALL))) == len(ALL.rules)


def test_whatever_a_rule_does_otherwise_it_has_another_comment() -> None:
    [rule] = ruleset("", [V4], {Family.INET: 1420}).rules
    others = [
        rule._replace(segment=1421),
        rule._replace(prefix=Network.parse("192.0.2.0/25")),
        rule._replace(prefix=V6),
    ]
    assert len({nft_codec.comment(one) for one in (rule, *others)}) == 4


def test_a_rule_of_somebody_else_has_another_comment_or_none() -> None:
    head = nft_codec.head()
    assert nft_codec.seen(head + text(2, "arriving")) == ("arriving", "")
    # Of user data other than comments nothing is known.
    assert nft_codec.seen(head + text(2, "x") + b"\x08\x00\x07\x00\x05\x02ab") == ("x", "")


def test_nonsense_is_told() -> None:
    with pytest.raises(DecodeError):
        nft_codec.seen(nft_codec.head() + b"\xff\xff\x02\x00")


def test_a_ruleset_can_be_compared() -> None:
    assert replace(ALL, rules=ALL.rules) == ALL
