from __future__ import annotations

import json
import logging
import os
import re
from datetime import UTC, datetime

import pytest

from clusterf.cli import logs

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"
ours = logging.getLogger("clusterf.outputs.kernel")


def fail() -> None:
    try:
        1 / 0  # noqa: B018 # it shall fail
    except ZeroDivisionError:
        ours.exception("failed bug=true")


def test_a_line_of_text_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("info", "text")
    ours.info("done op=%r because=%r", "-A -t 192.0.2.1:80", "services web")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.fullmatch(
        STAMP + r" info outputs\.kernel: done op='-A -t 192\.0\.2\.1:80' because='services web'\n",
        shown.err,
    )


def test_an_object_of_json_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("info", "json")
    ours.warning('refused reason=%s "%s"', "no_vip", "é\n")
    [line] = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    moment = datetime.fromisoformat(entry.pop("time"))
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 60
    assert entry == {
        "level": "warning",
        "instance": "outputs.kernel",
        "message": 'refused reason=no_vip "é\n"',
    }


def test_a_bug_has_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("info", "text")
    fail()
    first, second, *_, last = capsys.readouterr().err.splitlines()
    assert first.endswith("error outputs.kernel: failed bug=true")
    assert second == "Traceback (most recent call last):"
    assert last == "ZeroDivisionError: division by zero"


def test_a_bug_in_json_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("info", "json")
    fail()
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line)["traceback"].endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_the_level_is_for_ours(
    level: str, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.start(level, "text")
    for one in ("debug", "info", "warning", "error"):
        ours.log(logging.getLevelName(one.upper()), "x")
    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == shown


def test_of_libraries_only_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("debug", "text")
    logging.getLogger("docker").info("chatter")
    logging.getLogger("docker").warning("odd")
    assert [line.split()[1:] for line in capsys.readouterr().err.splitlines()] == [
        ["warning", "docker:", "odd"]
    ]


def test_a_second_start_does_not_say_all_twice(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("info", "json")
    logs.start("info", "text")
    ours.info("once")
    assert capsys.readouterr().err.count("once") == 1


# --- in the journal ------------------------------------------------------------------------------


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard error is what the service manager says that the journal is."""
    status = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")


@pytest.mark.usefixtures("journal")
def test_the_journal_gets_levels_and_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("debug", "text")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        ours.log(level, "x")
    assert capsys.readouterr().err.splitlines() == [
        "<7>debug outputs.kernel: x",
        "<6>info outputs.kernel: x",
        "<4>warning outputs.kernel: x",
        "<3>error outputs.kernel: x",
        "<3>critical outputs.kernel: x",
    ]


@pytest.mark.usefixtures("journal")
def test_each_line_of_a_traceback_has_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("info", "text")
    fail()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 2
    assert all(line.startswith("<3>") for line in lines)


@pytest.mark.usefixtures("journal")
def test_json_has_levels_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("info", "json")
    ours.warning("x")
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line.removeprefix("<4>"))["message"] == "x"


@pytest.mark.parametrize("stream", ["", "1:1", "journal"])
def test_what_is_said_of_another_stream_is_not_of_ours(
    stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", stream)
    assert not logs.in_journal()
    assert logs.complaint("one\ntwo") == "one\ntwo"


@pytest.mark.usefixtures("journal")
def test_the_last_words_of_a_command_are_an_error() -> None:
    assert logs.complaint("one\ntwo") == "<3>one\n<3>two"
