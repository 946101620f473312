from __future__ import annotations

import pytest

from clusterf_import.keepalived.lines import Line, Source, Unclosed, lines, words


def line(text: str) -> Line:
    [found] = lines(Source("k.conf", "", text))
    return found


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("  a b  ", "a b"),
        ("a # b", "a"),
        ("a!b", "a"),
        ("# a", ""),
        ('a "# !" b # c', 'a "# !" b'),
        ("a\r", "a"),
        ("\t\x0b", ""),
    ],
)
def test_comments_and_blanks_are_taken_off(text: str, left: str) -> None:
    assert line(text).text == left


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a b", ["a", "b"]),
        ('a "b c" d', ["a", "b c", "d"]),
        ('a""b', ["a", "", "b"]),
        ("a 'b c'", ["a", "b c"]),
        ("it's", ["it's"]),
        ("'a b", ["'a", "b"]),
        ("a{b}c", ["a", "{", "b", "}", "c"]),
        ('"{"', ["{"]),
        ("a\xa0b", ["a\xa0b"]),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert [word.text for word in words(line(text))] == found


def test_braces_in_quotes_open_nothing() -> None:
    assert [word.opens for word in words(line("{ \"{\" '{'"))] == [True, False, False]
    assert [word.closes for word in words(line('} "}"'))] == [True, False]


def test_words_have_their_columns() -> None:
    found = words(line("  a  {\tbc } # d"))
    assert [word.place.column for word in found] == [3, 6, 8, 11]
    assert [word.place.length for word in found] == [1, 1, 2, 1]


def test_a_line_in_which_something_was_put_has_one_place() -> None:
    [first, second] = words(line("  a $B").replaced("a long thing").after(1))
    assert first.place == second.place
    assert (first.place.column, first.place.length) == (3, 4)


def test_a_string_that_is_not_closed_is_told_with_its_quote() -> None:
    with pytest.raises(Unclosed) as told:
        words(line('  a "b c'))
    assert told.value.place.column == 5


def test_what_is_behind_a_beginning_keeps_its_columns() -> None:
    [word] = words(line("  @id   a").after(3))
    assert (word.text, word.place.column) == ("a", 9)
