"""What ``make build`` tries in the end: drop-ins of each role, every module that is promised."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from freeze import trial
from freeze.trial import Trial
from tests.frozen.executables import Executable


@pytest.mark.parametrize("one", trial.TRIALS, ids=lambda one: one.__name__)
def test_trial(executable: Executable, tmp_path: Path, one: Callable[[Trial], None]) -> None:
    one(trial.prepared(executable.path, tmp_path))


# --- the trials catch what they are for ----------------------------------------------------------


def pretender(tmp_path: Path, script: str) -> Trial:
    """A program that is not quite clusterf."""
    program = tmp_path / "pretender"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return trial.prepared(program, tmp_path / "folder")


@pytest.mark.parametrize("one", trial.TRIALS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("script", ["exit 1", "echo '{}'", "exit 78"])
def test_what_does_nothing_has_faults(
    tmp_path: Path, script: str, one: Callable[[Trial], None]
) -> None:
    if one is trial.sample and script == "echo '{}'":
        return  # all that it asks is to end well
    with pytest.raises((trial.Fault, ValueError, OSError, KeyError)):
        one(pretender(tmp_path, script))


def test_the_forty_modules_are_more_than_forty() -> None:
    text = (trial.DROP_INS / "trial_modules.py").read_text("utf-8")
    assert len([line for line in text.splitlines() if line.startswith("import ")]) > 40
