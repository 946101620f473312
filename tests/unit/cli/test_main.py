from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from clusterf import __version__
from clusterf.cli.main import CONFIGURATION, main, parser
from clusterf.model.errors import OutputUnavailable
from clusterf.plugin.commands import CORE_COMMANDS
from tests.unit.control.scene import AWAY, KERNEL, WEB, Scene
from tests.unit.control.test_client import somebody

COMMANDS = CORE_COMMANDS
NAMING = {"drain": ["web"], "undrain": ["web"], "completion": ["bash"]}


# --- the command line ----------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_a_file_with_a_main(command: str) -> None:
    arguments = parser().parse_args([command, *NAMING.get(command, [])])
    assert arguments.module == f"{command}_cmd"
    assert callable(import_module(f"clusterf.cli.{arguments.module}").main)


def test_every_file_with_a_main_is_a_command() -> None:
    folder = Path(__file__).parents[3] / "clusterf" / "cli"
    assert {path.name for path in folder.glob("*_cmd.py")} == {f"{one}_cmd.py" for one in COMMANDS}


def test_no_plugin_can_take_the_name_of_a_command() -> None:
    [commands] = (one for one in parser()._actions if isinstance(one.choices, dict))
    assert tuple(commands.choices or ()) == CORE_COMMANDS


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"\n    {command} " in shown for command in COMMANDS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"clusterf {__version__}\n"


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["halt"],
        ["status", "--nonsense"],
        ["drain"],
        ["drain", "web", "b1", "b2"],
        ["check", "--format", "xml"],
        ["run", "--socket", "x"],
    ],
)
def test_what_is_no_command_line_ends_with_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err[:6]) == ("", "usage:")


def test_where_the_configuration_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLUSTERF_CONFIG", raising=False)
    assert parser().parse_args(["plan"]).config == Path(CONFIGURATION)
    monkeypatch.setenv("CLUSTERF_CONFIG", "/srv/a.toml")
    assert parser().parse_args(["plan"]).config == Path("/srv/a.toml")
    assert parser().parse_args(["plan", "-c", "b.toml"]).config == Path("b.toml")


def test_the_version_is_told_without_loading_the_rest() -> None:
    program = (
        "import sys\n"
        "from clusterf.cli.main import main, parser\n"
        "parser().format_help()\n"
        "parser().parse_args(['status', '--format', 'json'])\n"
        "try:\n"
        "    main(['--version'])\n"
        "except SystemExit:\n"
        "    print(*{'trio', 'pydantic', 'pluggy', 'logging'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == f"clusterf {__version__}\n\n"


# --- how commands end ----------------------------------------------------------------------------


def ends(scene: Scene, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit code, and what is on standard error; nothing is on standard output."""
    code = scene.cli(*words)
    shown = capsys.readouterr()
    assert shown.out == ""
    return code, shown.err


def test_a_good_end_is_0(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert scene.cli("check", "--offline") == 0
    assert capsys.readouterr().err == ""


def test_nobody_there_is_69(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(scene, capsys, "status") == (
        69,
        f"clusterf: no clusterf is running at {scene.socket} (hint: start it with clusterf run)\n",
    )


def test_a_world_that_is_away_is_69_also_within_groups(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.world.away = OutputUnavailable("no ip_vs", hint="modprobe ip_vs")
    assert ends(scene, capsys, "plan") == (69, "clusterf: no ip_vs (hint: modprobe ip_vs)\n")


def test_a_bug_is_70_and_shows_where(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.world.away = ZeroDivisionError("a bug of the test's")
    code, told = ends(scene, capsys, "plan")
    assert code == 70
    assert "Traceback (most recent call last)" in told
    assert "ZeroDivisionError: a bug of the test's" in told


def test_not_permitted_is_77(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    with somebody(scene.folder):
        code, told = ends(scene, capsys, "status", "--socket", str(scene.socket))
    assert (code, told) == (
        77,
        f"clusterf: {scene.socket}: Permission denied (hint: run this as root)\n",
    )


def test_a_configuration_at_fault_is_78(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.write(WEB, KERNEL, "lok = 1\n")
    code, told = ends(scene, capsys, "plan")
    assert code == 78
    assert told.startswith(f"clusterf: \n{scene.file}:")
    assert 'did you mean "look"?' in told


def test_an_interrupt_is_130_and_no_traceback(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trio may raise it in any task, and wraps it in groups then."""
    scene.write(WEB, AWAY.replace("away", "interrupt"), KERNEL)
    assert ends(scene, capsys, "plan") == (130, "")


def test_a_reader_that_has_gone_is_no_fault(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``clusterf plugins | head -1``."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert scene.cli("plugins") == 0
    monkeypatch.undo()
    assert capsys.readouterr().err == ""
