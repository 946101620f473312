from __future__ import annotations

import json

import pytest

from clusterf.cli.main import main
from clusterf.model.address import Network
from tests.unit.control.scene import KERNEL, WEB, Scene

GREET = """
import argparse, sys
from pathlib import Path
from clusterf.plugin import ClusterfError, Command, Problem, hookimpl

CLUSTERF_API = "1.0"

class Rude(ClusterfError):
    exit_code = 77

def add(parser):
    ways = parser.add_subparsers(required=True)
    for way in ("say", "whole", "tell", "fail", "break"):
        one = ways.add_parser(way)
        one.set_defaults(way=way)
        one.add_argument("word", nargs="?")

async def run(invocation):
    given = invocation.arguments
    if given.way == "fail":
        raise Rude("go away", hint="please")
    if given.way == "break":
        raise ZeroDivisionError
    if given.way == "say":
        invocation.draw([(f"say {given.word}", "bold")])
        context = invocation.context("outputs.kernel")
        invocation.write(f"{context.name} {context.path(Path('x'))} {list(context.managed)}\\n")
        return 3
    if given.way == "tell":
        invocation.write("a result\\n")
        here = Problem(file="f", line=1, column=1, length=1, message="is wrong", source="x")
        invocation.tell([here], ["and so on"])
        return 0
    found = invocation.configuration()
    context = invocation.context("outputs.kernel")
    same = found is invocation.configuration()
    invocation.write(f"{[*found.sources, *found.outputs]} {list(context.managed)} {same}\\n")
    return 0

@hookimpl
def clusterf_register_commands():
    return [Command(name="greet", summary="greet the kernel", add_arguments=add, run=run)]
"""

BROKEN = GREET.replace("greet", "wave").replace("    ways =", "    1 / 0\n    ways =")

Shown = pytest.CaptureFixture[str]


@pytest.fixture
def greeted(scene: Scene) -> Scene:
    scene.drop_in("greeting.py", GREET)
    return scene


# --- finding it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [1, 2, 3])
def test_the_configuration_may_be_named_anywhere_behind_the_command(
    greeted: Scene, capsys: Shown, place: int
) -> None:
    words = ["greet", "say", "hello"]
    assert main([*words[:place], "-c", str(greeted.file), *words[place:]]) == 3
    assert capsys.readouterr().out.startswith("say hello\n")


@pytest.mark.parametrize("form", ["-c{}", "--config={}", "--conf={}"])
def test_the_configuration_may_be_named_in_any_form(
    greeted: Scene, capsys: Shown, form: str
) -> None:
    assert main(["greet", "say", "x", form.format(greeted.file)]) == 3
    assert capsys.readouterr().out.startswith("say x\n")


def test_the_usual_configuration_counts(
    greeted: Scene, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTERF_CONFIG", str(greeted.file))
    assert main(["greet", "whole"]) == 0
    assert capsys.readouterr().out.startswith("['services', 'outputs.kernel']")


def test_help_lists_it_behind_those_of_the_core(
    greeted: Scene, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    greeted.drop_in("waving.py", BROKEN)
    monkeypatch.setenv("CLUSTERF_CONFIG", str(greeted.file))
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.index(" plugins ") < shown.index(" greet ")
    assert "greet the kernel" in shown
    assert "    wave " in shown


def test_its_own_help(greeted: Scene, capsys: Shown) -> None:
    with pytest.raises(SystemExit) as ended:
        greeted.cli("greet", "--help")
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: clusterf greet [-h] [-c FILE] [--bundled-only]\n")
    assert "{say,whole,tell,fail,break}" in shown
    assert "Greet the kernel." in shown


def test_a_rescue_knows_no_commands_of_drop_ins(greeted: Scene, capsys: Shown) -> None:
    with pytest.raises(SystemExit) as ended:
        greeted.cli("greet", "say", "x", "--bundled-only")
    assert ended.value.code == 2
    assert "invalid choice: 'greet'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["greet"], ["greet", "sing"], ["greet", "say", "a", "b"]])
def test_what_is_no_command_line_ends_with_2(
    greeted: Scene, capsys: Shown, words: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        greeted.cli(*words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: clusterf ")


@pytest.mark.parametrize("words", [["greet", "-c"], ["halt", "--config"], ["--nonsense"]])
def test_a_command_line_that_stops_short_ends_with_2(capsys: Shown, words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: clusterf ")


def test_a_plugin_that_is_not_there_is_told_where_its_command_is_asked_for(
    scene: Scene, capsys: Shown
) -> None:
    path = scene.drop_in("greeting.py", "import nowhere_at_all\n" + GREET)
    with pytest.raises(SystemExit) as ended:
        scene.cli("greet", "say", "x")
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith(f"clusterf: {path}:1: plugin not loaded: no module named ")
    assert "invalid choice: 'greet'" in told


def test_a_command_that_cannot_make_its_arguments_is_told_alone(
    greeted: Scene, capsys: Shown
) -> None:
    path = greeted.drop_in("waving.py", BROKEN)
    assert greeted.cli("wave", "say", "x") == 78
    assert capsys.readouterr().err == (
        "clusterf: command wave: ZeroDivisionError: division by zero"
        f" (hint: a bug in the plugin that brings it ({path}))\n"
    )
    assert greeted.cli("greet", "say", "x") == 3


# --- running it ----------------------------------------------------------------------------------


def test_what_it_is_given_without_the_configuration(greeted: Scene, capsys: Shown) -> None:
    greeted.write("not right at all")
    greeted.write(core="[nonsense]\n")
    assert greeted.cli("greet", "say", "hello") == 3
    assert capsys.readouterr().out == f"say hello\noutputs.kernel {greeted.folder / 'x'} []\n"


def test_the_configuration_is_checked_and_read_once(greeted: Scene, capsys: Shown) -> None:
    assert greeted.cli("greet", "whole") == 0
    managed = [Network.parse("192.0.2.0/24")]
    assert capsys.readouterr().out == f"['services', 'outputs.kernel'] {managed} True\n"


def test_a_configuration_at_fault_is_told_as_check_tells_it(greeted: Scene, capsys: Shown) -> None:
    greeted.write(WEB, KERNEL, "lok = 1\n")
    assert greeted.cli("greet", "whole") == 78
    told = capsys.readouterr().err
    assert greeted.cli("check", "--offline") == 78
    assert f"clusterf: \n{capsys.readouterr().out}".startswith(told)
    assert 'did you mean "look"?' in told


def test_it_ends_like_a_command_of_the_core(greeted: Scene, capsys: Shown) -> None:
    assert greeted.cli("greet", "fail") == 77
    assert capsys.readouterr().err == "clusterf: go away (hint: please)\n"
    assert greeted.cli("greet", "break") == 70
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_plugins_lists_it(greeted: Scene, capsys: Shown) -> None:
    path = str(greeted.folder / "plugins" / "greeting.py")
    assert greeted.cli("plugins") == 0
    assert "  command  greet      greet the kernel\n" in capsys.readouterr().out
    assert greeted.cli("plugins", "--format", "json") == 0
    commands = json.loads(capsys.readouterr().out)["commands"]
    assert {
        "command": "greet",
        "plugin": "greeting",
        "origin": path,
        "summary": "greet the kernel",
    } in commands


def test_it_tells_problems_beside_its_result(greeted: Scene, capsys: Shown) -> None:
    assert greeted.cli("greet", "tell") == 0
    assert capsys.readouterr() == (
        "a result\n",
        "f:1:1: error: is wrong\n    1 | x\n      | ^\n1 error, 0 warnings\nand so on\n",
    )
