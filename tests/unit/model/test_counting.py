from __future__ import annotations

import pytest

from clusterf.model.counting import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 services"), (1, "1 service"), (2, "2 services")]
)
def test_only_one_is_singular(number: int, words: str) -> None:
    assert counted(number, "service") == words


def test_a_plural_of_its_own() -> None:
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(2, "entry", "entries") == "2 entries"


def test_words_before_the_noun() -> None:
    assert counted(2, "virtual service") == "2 virtual services"
