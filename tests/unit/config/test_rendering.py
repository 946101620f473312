from __future__ import annotations

import json

from clusterf.config.rendering import as_json, as_text, summary
from clusterf.model.problem import Problem, Severity

PROBLEM = Problem(
    file="/etc/clusterf/clusterf.toml",
    line=31,
    column=13,
    length=6,
    path="outputs.kernel.scheduler",
    message='unknown scheduler "wlcc"',
    hint='did you mean "wlc"?',
    code="C104",
    source='scheduler = "wlcc"',
)


def test_text() -> None:
    assert as_text([PROBLEM]) == (
        "/etc/clusterf/clusterf.toml:31:13: error[C104]: outputs.kernel.scheduler: "
        'unknown scheduler "wlcc"\n'
        '   31 | scheduler = "wlcc"\n'
        '      |             ^^^^^^ did you mean "wlc"?\n'
        "1 error, 0 warnings\n"
    )


def test_json() -> None:
    assert json.loads(as_json([PROBLEM])) == [
        {
            "file": "/etc/clusterf/clusterf.toml",
            "line": 31,
            "column": 13,
            "length": 6,
            "severity": "error",
            "path": "outputs.kernel.scheduler",
            "message": 'unknown scheduler "wlcc"',
            "hint": 'did you mean "wlc"?',
            "code": "C104",
            "tier": "schema",
            "name": "unknown-choice",
        }
    ]
    assert json.loads(as_json([])) == []


def test_a_problem_of_a_whole_file() -> None:
    problem = Problem(file="a", message="cannot be read", hint="chmod", severity=Severity.WARNING)
    assert as_text([problem]) == (
        "a: warning: cannot be read\n      | chmod\n0 errors, 1 warning\n"
    )


def test_summary() -> None:
    assert summary([]) == "0 errors, 0 warnings"
    assert summary([PROBLEM, PROBLEM]) == "2 errors, 0 warnings"


def test_nothing_that_drives_a_terminal_is_printed() -> None:
    problem = Problem(
        file="\x1b[2J", line=1, column=3, length=1, message="\x07", source="a\x1b\u202e\udc80b"
    )
    text = as_text([problem])
    assert text.isascii() is False
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\udc80"}


def test_the_caret_stands_below_what_it_means() -> None:
    lines = as_text(
        [Problem(file="a", line=1, column=4, length=2, message="x", source="\t日e\u0301本x")]
    ).split("\n")
    # A tab, a character of two columns, one of one; the accent takes no column.
    assert lines[2] == "      | \t   ^^"


def test_a_long_line_is_shown_around_the_caret() -> None:
    source = "x" * 5000 + "HERE" + "y" * 5000
    text = as_text([Problem(file="a", line=1, column=5001, length=4, message="m", source=source)])
    shown, caret = text.split("\n")[1:3]
    assert len(shown) < 140
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "HERE"
