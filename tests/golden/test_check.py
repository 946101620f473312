"""Broken configurations, each with the exact text that ``clusterf check --offline`` prints of it.

Every ``check/NAME.toml`` has its ``check/NAME.out`` beside it, which ends with the exit code.
To write them anew, and then read the difference::

    REGENERATE=1 .venv/bin/python -m pytest tests/golden -q -p no:randomly
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from clusterf.cli import check_cmd
from tests.golden.plugins import registry

FOLDER = Path(__file__).parent / "check"
CASES = sorted(path.name for path in FOLDER.glob("*.toml"))


@pytest.mark.parametrize("name", CASES)
def test_check_prints(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER)
    code = check_cmd.run(
        Path(name), offline=True, output_format="text", strict=False, registry=registry()
    )
    printed = f"{capsys.readouterr().out}exit {code}\n"
    expected = Path(name).with_suffix(".out")
    if os.environ.get("REGENERATE"):
        expected.write_text(printed)
    assert printed == expected.read_text()


@pytest.mark.parametrize("name", CASES)
def test_json_says_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER)
    check_cmd.run(Path(name), offline=True, output_format="json", strict=False, registry=registry())
    rows = json.loads(capsys.readouterr().out)
    text = Path(name).with_suffix(".out").read_text()
    for row in rows:
        place = f"{row['file']}:{row['line']}:{row['column']}" if row["line"] else row["file"]
        assert f"{place}: {row['severity']}[{row['code']}]: " in text
    assert sum(row["severity"] == "error" for row in rows) == text.count(": error[")


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 40
    assert len(CASES) == len(list(FOLDER.glob("*.out")))
