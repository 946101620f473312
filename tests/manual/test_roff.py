from __future__ import annotations

import pytest

from manual import roff


@pytest.mark.parametrize(
    ("given", "marked"),
    [
        ("a-b", "a\\-b"),
        ("\\n", "\\en"),
        ("'it'", "\\(aqit\\(aq"),
        ("`~^", "\\(ga\\(ti\\(ha"),
    ],
)
def test_what_people_copy_stays_what_it_is(given: str, marked: str) -> None:
    assert roff.literal(given) == marked


def test_a_line_is_no_macro() -> None:
    assert list(roff.text(". TH")) == ["\\&. TH"]
    assert list(roff.text("'br")) == ["\\&'br"]
    assert list(roff.example([".so /etc/passwd"]))[3] == "\\&.so /etc/passwd"


def test_a_macro_takes_quotes() -> None:
    assert list(roff.subheading('type = "ipvs"')) == ['.SS "type = \\(dqipvs\\(dq"']


def test_a_long_text_is_several_lines() -> None:
    lines = list(roff.text("word " * 40))
    assert len(lines) == 3
    assert all(len(line) < 80 for line in lines)


def test_names_and_options_are_not_divided() -> None:
    [line] = roff.text(f"see /etc/clusterf and {roff.bold('--dry-run')}, not well-known")
    assert line == "see \\%/etc/clusterf and \\%\\fB\\-\\-dry\\-run\\fP, not well-known"


def test_ticks_are_bold() -> None:
    assert roff.ticked("as `a-b` is") == "as \\fBa\\-b\\fP is"


def test_a_paragraph_that_a_heading_begins_is_not_begun_again() -> None:
    page = roff.whole([*roff.heading("X"), *roff.paragraph("one"), *roff.paragraph("two")])
    assert page == '.SH "X"\none\n.PP\ntwo\n'
