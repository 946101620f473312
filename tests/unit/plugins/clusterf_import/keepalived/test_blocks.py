from __future__ import annotations

from typing import Any

import pytest

from clusterf_import.keepalived.blocks import DEPTH_MAX, Statement, Tree, flattened, tree
from clusterf_import.keepalived.lines import Source, lines
from clusterf_import.places import Findings


def parsed(text: str) -> tuple[Tree, list[str]]:
    findings = Findings()
    found = tree(lines(Source("k.conf", "", text)), findings)
    return found, [str(problem).removeprefix("k.conf:") for problem in findings]


def shape(statements: list[Statement]) -> list[Any]:
    return [str(one) if one.block is None else (str(one), shape(one.block)) for one in statements]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a b\nc", ["a b", "c"]),
        ("a {\nb\n}", [("a", ["b"])]),
        ("a\n{\nb\n}", [("a", ["b"])]),
        ("a\n\n  {\n}", [("a", [])]),
        ("a { b { c } d } e", [("a", [("b", ["c"]), "d"]), "e"]),
        ("a{b}", [("a", ["b"])]),
        ('a "b c" "" "{"', ['a "b c" "" "{"']),
        ("a \\", ["a"]),
        ("\\", []),
        ("", []),
    ],
)
def test_trees(text: str, found: list[Any]) -> None:
    given, messages = parsed(text)
    assert (shape(given.statements), messages, given.broken) == (found, [], False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a {", "1:3: error: block of a is not closed"),
        ("}", "1:1: error: } closes nothing"),
        ("a {\n}\n}", "3:1: error: } closes nothing"),
        ("{\n}", "1:1: error: { stands behind no keyword"),
        ("a { } { }", "1:7: error: { stands behind no keyword"),
        ('a "b', "1:3: error: string is not closed"),
        ("virtual_server a {\nb\nvirtual_server c {\n}",
         "1:18: error: block of virtual_server is not closed"),
        ("a {\n" * (DEPTH_MAX + 1) + "}\n" * (DEPTH_MAX + 1),
         f"{DEPTH_MAX + 1}:3: error: blocks are nested more than {DEPTH_MAX} deep"),
    ],
)  # fmt: skip
def test_what_does_not_match_is_told_where_it_began(text: str, message: str) -> None:
    given, messages = parsed(text)
    assert (messages, given.broken) == ([message], True)


def test_a_statement_in_one_line() -> None:
    given, _ = parsed('H {\n url {\n path /\n x "y z"\n }\n retry 3\n}\nP {\n}')
    assert [flattened(one) for one in given.statements] == [
        'H { url { path /; x "y z" }; retry 3 }',
        "P { }",
    ]


def test_places_of_words() -> None:
    [one] = parsed("  real_server  192.0.2.1 80")[0].statements
    assert (one.place.column, one.argument(0).column, one.argument(1).column) == (3, 16, 26)
    assert one.argument(9).column == 26
    assert (one.all_words.column, one.all_words.length) == (3, 25)
