from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clusterf_static.order import GAP, number

NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True)


def test_fresh() -> None:
    assert number(["a", "b"], {}) == {"a": GAP, "b": 2 * GAP}


def test_an_insertion_changes_no_other() -> None:
    before = number(["a", "b"], {})
    after = number(["x", "a", "y", "z", "b", "w"], before)
    assert {name: after[name] for name in before} == before


def test_without_room_all_are_numbered_anew() -> None:
    after = number(["a", "x", "b"], {"a": 5, "b": 6})
    assert after == {"a": GAP, "x": 2 * GAP, "b": 3 * GAP}


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_numbers_always_increase(history: list[list[str]]) -> None:
    numbers: dict[str, int] = {}
    for names in history:
        numbers = number(names, numbers)
        assert list(numbers) == names or sorted(numbers, key=lambda name: numbers[name]) == names
        assert all(numbers[left] < numbers[right] for left, right in pairwise(names))
