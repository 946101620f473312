"""300 broken configurations of somebody who had the documentation only; see their README.md."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from clusterf.cli.main import main

FOLDER = Path(__file__).parent / "strangers"
EXPECTED: Mapping[str, Mapping[str, Any]] = {
    one["case"]: one for one in map(json.loads, (FOLDER / "index.jsonl").read_text().splitlines())
}
ACCEPTED: Sequence[Mapping[str, Any]] = tomllib.loads((FOLDER / "accepted.toml").read_text())[
    "accepted"
]
RANKS = ("none", "note", "warning", "error")
EX_CONFIG = 78


@pytest.mark.parametrize("case", EXPECTED)
def test_is_told_as_its_author_expects(
    case: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER / "cases")
    monkeypatch.delenv("CLUSTERF_DISABLE_PLUGINS", raising=False)
    checking = ["check", "--offline", "-c", f"{case}.toml"]
    code = main([*checking, "--format", "json"])
    rows = json.loads(capfd.readouterr().out)
    assert main(checking) == code
    text, errors = capfd.readouterr()
    assert "Traceback" not in text + errors
    assert all(f": {row['severity']}[{row['code']}]: " in text for row in rows)
    assert code == (EX_CONFIG if _severity(rows) == "error" else 0)
    accepted = {kind for one in ACCEPTED if case in one["cases"] for kind in one["differs"]}
    assert set(_differences(EXPECTED[case], rows)) == accepted, text


def test_each_accepted_difference_has_a_reason() -> None:
    cases = [case for one in ACCEPTED for case in one["cases"]]
    assert len(cases) == len(set(cases))
    assert EXPECTED.keys() >= set(cases)
    assert all(one["reason"] for one in ACCEPTED)


def test_the_cases_are_those_of_the_index() -> None:
    assert [path.stem for path in sorted((FOLDER / "cases").glob("*.toml"))] == list(EXPECTED)
    assert len(EXPECTED) == 300


def _differences(expected: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Kinds of difference: place, words, severity, and further (findings at other places)."""
    mistakes = expected.get("mistakes", [expected])
    lines = [line for mistake in mistakes for line in mistake["lines"]]
    missed = False
    for mistake in mistakes:
        here = [row for row in rows if _is_at(row, mistake["lines"])]
        if not here:
            missed = True
            yield "place"
        if not any(word in said for said in map(_said, here or rows) for word in mistake["about"]):
            yield "words"
    if _severity(rows) != expected["severity"]:
        yield "severity"
    if not missed and any(row["severity"] != "note" and not _is_at(row, lines) for row in rows):
        yield "further"


def _is_at(row: Mapping[str, Any], lines: Iterable[int]) -> bool:
    """A finding about the whole file is at its first line, or at none."""
    return row["line"] in lines or (0 in lines and row["line"] <= 1)


def _said(row: Mapping[str, Any]) -> str:
    return f"{row['path']}: {row['message']} {row['hint']}".lower()


def _severity(rows: Iterable[Mapping[str, Any]]) -> str:
    return max((row["severity"] for row in rows), key=RANKS.index, default="none")
