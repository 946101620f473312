"""Numbers in words and back; what has no word differs from all that can be asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf.model.table import SCHEDULERS, SERVICE_FLAGS, Method, Protocol, TunnelType
from clusterf_ipvs import words


def test_every_word_of_the_model_has_a_number_of_its_own() -> None:
    assert words.PROTOCOLS.keys() == set(Protocol)
    assert words.METHODS.keys() == set(Method)
    assert words.TUNNEL_TYPES.keys() == set(TunnelType)
    assert SERVICE_FLAGS.union(*SCHEDULERS.values()) <= words.FLAG_BITS.keys()
    for there, back in (
        (words.PROTOCOLS, words.PROTOCOL_WORDS),
        (words.METHODS, words.METHOD_WORDS),
        (words.TUNNEL_TYPES, words.TUNNEL_TYPE_WORDS),
    ):
        assert {back[number]: number for number in back} == there


@pytest.mark.parametrize(
    ("scheduler", "bits", "expected"),
    [
        ("mh", 0x18, {"mh-fallback", "mh-port"}),
        ("sh", 0x18, {"sh-fallback", "sh-port"}),
        ("rr", 0x38, {"flag-1", "flag-2", "flag-3"}),
        ("mh", 0x24, {"ops", "flag-3"}),
        ("rr", 0xC3, {"0xc0"}),
        ("rr", 0x3, set()),
    ],
)
def test_flags_in_words(scheduler: str, bits: int, expected: set[str]) -> None:
    assert words.flag_words(scheduler, bits) == expected


@given(st.sampled_from(sorted(SCHEDULERS)), st.integers(0, 2**32 - 1))
def test_flags_come_back_from_words(scheduler: str, bits: int) -> None:
    """All but the two that are no flags: persistence, and the kernel's own."""
    flags = words.flag_words(scheduler, bits)
    assert sum(words.flag_bits(flag) for flag in flags) == bits & ~0x3


@pytest.mark.parametrize(
    ("kind", "bits", "expected"),
    [
        (0, 0, "nocsum"),
        (1, 1, "csum"),
        (2, 2, "remcsum"),
        (0, 3, "csum,remcsum"),
        (0, 0x9, "csum,0x8"),
        (9, 0, "type-9"),
        (9, 1, "type-9,csum"),
    ],
)
def test_a_tunnel_in_words(kind: int, bits: int, expected: str) -> None:
    assert words.tunnel_words(kind, bits) == expected


@pytest.mark.parametrize(
    ("flags", "bits"), [("nocsum", 0), ("csum", 1), ("remcsum", 2), ("csum,remcsum", 3)]
)
def test_tunnel_flags_have_bits(flags: str, bits: int) -> None:
    assert words.tunnel_flag_bits(flags) == bits


def test_words_that_stand_for_no_bits_are_none() -> None:
    assert words.tunnel_flag_bits("type-9,csum,0x8") == 1
    assert words.tunnel_flag_bits("method-1") == 0
