from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from clusterf.cli.main import parser
from clusterf.cli.order import give, socket_of
from clusterf.config.configuration import Core
from clusterf.control.client import Refused
from clusterf.control.protocol import JSON, encode
from tests.unit.control.test_client import answering


def arguments(path: Path, *more: str) -> argparse.Namespace:
    return parser().parse_args(["reload", "-c", str(path), *more])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clusterf.toml"


def test_an_answer_of_another_version_is_shown_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(tmp_path / "c.sock", encode({"finished": True})):
        assert give(arguments(tmp_path, "--socket", str(tmp_path / "c.sock")), {}) == 0
    assert capsys.readouterr().out == '{"finished": true}\n'


# --- where the daemon is asked -------------------------------------------------------------------


def test_the_command_line_comes_first_and_no_file_is_needed(path: Path) -> None:
    assert socket_of(arguments(path, "--socket", "x.sock")) == Path("x.sock")
    path.write_text('[clusterf]\ncontrol = "y.sock"\n')
    assert socket_of(arguments(path, "--socket", "x.sock")) == Path("x.sock")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[clusterf]\ncontrol = "run/c.sock"\n', "run/c.sock"),
        ('[clusterf]\ncontrol = "/srv/c.sock"\n', "/srv/c.sock"),
        ('clusterf = { control = "c.sock" }\n', "c.sock"),
        # What is at fault elsewhere keeps nobody from asking the daemon.
        ('[clusterf]\nmanaged = 7\nnonsense = 1\ncontrol = "c.sock"\n', "c.sock"),
        ('[sources.x]\ncontrol = "no.sock"\n[clusterf]\ncontrol = "c.sock"\n', "c.sock"),
        # No TOML at all: the line that looks so.
        ('[clusterf]\ncontrol = "c.sock"\n[sources\n', "c.sock"),
        ("[clusterf]\n  control='c.sock'\nmanaged = [\n", "c.sock"),
        ('[clusterf]\n# control = "old.sock"\ncontrol = "c.sock" # here\n???', "c.sock"),
    ],
)
def test_then_the_configuration_as_far_as_it_reads(path: Path, text: str, found: str) -> None:
    path.write_text(text)
    assert socket_of(arguments(path)) == path.parent / found


def test_a_configuration_that_is_not_utf8(path: Path) -> None:
    path.write_bytes(b'# \xff\n[clusterf]\ncontrol = "c.sock"\n')
    assert socket_of(arguments(path)) == path.parent / "c.sock"


@pytest.mark.parametrize(
    "text", [None, "", "[clusterf]\n", "clusterf = 1\n", "clusterf = []\n", "[clusterf\n", "\0"]
)
def test_else_where_it_is_by_default(path: Path, text: str | None) -> None:
    if text is not None:
        path.write_text(text)
    assert socket_of(arguments(path)) == Core().control


# --- what is said --------------------------------------------------------------------------------


def test_what_was_done_is_printed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = path.with_name("c.sock")
    with answering(where, encode({"done": "all of it"})) as heard:
        assert give(arguments(path, "--socket", str(where)), {"command": "x", "service": "é"}) == 0
    assert capsys.readouterr().out == "all of it\n"
    assert json.loads(heard[0]) == {"command": "x", "service": "é"}


def test_as_json_too(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = path.with_name("c.sock")
    with answering(where, encode({"done": "all of it"})):
        assert give(arguments(path, "--socket", str(where), "--format", "json"), {}) == 0
    assert json.loads(capsys.readouterr().out) == {"done": "all of it"}


def test_a_refusal_is_raised_and_nothing_printed(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = path.with_name("c.sock")
    refusal: JSON = {"error": "at fault", "hint": "look", "exit_code": 78}
    with answering(where, encode(refusal)), pytest.raises(Refused) as told:
        give(arguments(path, "--socket", str(where)), {})
    assert told.value.exit_code == 78
    assert capsys.readouterr().out == ""
