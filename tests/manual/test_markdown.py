from __future__ import annotations

import pytest

from manual.markdown import lines


@pytest.mark.parametrize(
    ("markdown", "made"),
    [
        ("# Title", []),
        ("## See `me` now", ['.SH "SEE \\fBme\\fP NOW"']),
        ("### Sub", ['.SS "Sub"']),
        ("a *b*\n**c**", [".PP", "a \\fIb\\fP \\fBc\\fP"]),
        (
            "[there](https://example.org), [here](x.md)",
            [".PP", "there \\%(https://example.org), here"],
        ),
        ("* a\n* b", [".IP \\(bu 3", "a", ".IP \\(bu 3", "b"]),
        ("1. a\n2. b", [".IP 1. 3", "a", ".IP 2. 3", "b"]),
        ("| | |\n| - | - |\n| `a` | b |", [".TP", "\\fBa\\fP", "b"]),
        (
            "| x | y | z |\n| - | - | - |\n| a | b | c |",
            [".TP", "a", "\\fIy\\fP: b", ".IP", "\\fIz\\fP: c"],
        ),
        (
            f"| | |\n| - | - |\n| {'a' * 70} | b |\n| c | d |",
            [".IP \\(bu 3", f"{'a' * 70}: b", ".IP \\(bu 3", "c: d"],
        ),
        (
            "```toml x.toml\n.a\n```",
            [".PP", "\\%\\fIx.toml\\fP:", ".PP", ".RS 2", ".EX", "\\&.a", ".EE", ".RE"],
        ),
        ("<!-- made -->", ["from elsewhere"]),
    ],
)
def test_it_becomes(markdown: str, made: list[str]) -> None:
    assert list(lines(markdown, {"made": ["from elsewhere"]})) == made


@pytest.mark.parametrize("markdown", ["> quoted", "![picture](x.png)", "a  \nb", "* a\n  * b"])
def test_what_no_page_had_before_is_told_and_not_lost(markdown: str) -> None:
    with pytest.raises(NotImplementedError):
        list(lines(markdown))


def test_a_part_that_nobody_made_is_told() -> None:
    with pytest.raises(KeyError):
        list(lines("<!-- nothing -->", {}))
