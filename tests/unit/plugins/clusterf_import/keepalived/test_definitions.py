from __future__ import annotations

import pytest

from clusterf_import.keepalived.definitions import (
    Definition,
    TooMuch,
    continued,
    defined,
    replace,
)
from clusterf_import.keepalived.lines import Line


def line(text: str) -> Line:
    return Line(text, "k.conf", 1, text, 0)


def definitions(**given: str) -> dict[str, Definition]:
    return {name: Definition((line(text),)) for name, text in given.items()}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$A=b c", ("A", "b c")),
        ("$_a1=", ("_a1", "")),
        ("$A=  b", ("A", "b")),
        ("$A = b", None),
        ("$1=b", None),
        ("A=b", None),
    ],
)
def test_what_is_a_definition(text: str, found: tuple[str, str] | None) -> None:
    given = defined(line(text))
    assert (None if given is None else (given[0], given[1].text)) == found


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("$A", "1"),
        ("a$A", "a1"),
        ("$A b", "1 b"),
        ("$A.b", "$A.b"),
        ("${A}.b", "1.b"),
        ("($A)", "(1)"),
        ("$A,$B", "1,x1y"),
        ("$NONE ${NONE}", "$NONE ${NONE}"),
        ("${B}", "x1y"),
        ("$", "$"),
    ],
)
def test_what_is_put_in(text: str, becomes: str) -> None:
    assert replace(line(text), definitions(A="1", B="x${A}y")).line.text == becomes


def test_a_line_without_any_keeps_its_columns() -> None:
    assert replace(line("a b"), definitions(A="1")).line.offset == 0
    assert replace(line("a $A"), definitions(A="1")).line.offset == -1


def test_several_lines_are_put_in_at_the_end_of_a_line_only() -> None:
    many = {"M": Definition((line("a {"), line("b"), line("}")), many=True)}
    found = replace(line("x $M"), many)
    assert [found.line.text, *(one.text for one in found.further)] == ["x a {", "b", "}"]
    assert replace(line("$M x"), many).line.text == "$M x"
    assert replace(line("$M"), {"M": Definition((), many=True)}).line.text == ""


@pytest.mark.parametrize("text", ["$A", "$A$A"])
def test_what_contains_itself_ends(text: str) -> None:
    with pytest.raises(TooMuch):
        replace(line("$A"), definitions(A=text))


def test_a_backslash_at_the_end_goes_on() -> None:
    assert continued("a \\") == "a"
    assert continued("\\") == ""
    assert continued("a") is None
