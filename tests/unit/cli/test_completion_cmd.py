from __future__ import annotations

import pytest

from clusterf.cli.main import main
from tests.unit.control.scene import Scene

Shown = pytest.CaptureFixture[str]

BROKEN = """
from clusterf.plugin import Command, hookimpl

CLUSTERF_API = "1.0"

def add(parser):
    parser.add_argument("--before")
    1 / 0

async def run(invocation):
    return 0

@hookimpl
def clusterf_register_commands():
    return [Command(name="wave", summary="wave", add_arguments=add, run=run)]
"""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_knows_core_plugins_and_drop_ins(scene: Scene, capsys: Shown, shell: str) -> None:
    scene.drop_in("waving.py", BROKEN.replace("1 / 0", "pass"))
    assert scene.cli("completion", shell) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert all(word in shown.out for word in ("undrain", "import-v2", "keepalived", "wave"))


def test_a_plugin_that_cannot_make_its_command_is_told_and_the_rest_goes_on(
    scene: Scene, capsys: Shown
) -> None:
    scene.drop_in("waving.py", BROKEN)
    assert scene.cli("completion", "fish") == 0
    shown = capsys.readouterr()
    assert "command wave: ZeroDivisionError" in shown.err
    assert "import-v2" in shown.out


def test_bundled_only_leaves_drop_ins_out(scene: Scene, capsys: Shown) -> None:
    scene.drop_in("waving.py", BROKEN.replace("1 / 0", "pass"))
    assert scene.cli("completion", "bash", "--bundled-only") == 0
    assert "wave" not in capsys.readouterr().out


def test_words_are_printed_one_a_line(scene: Scene, capsys: Shown) -> None:
    assert main(["completion", "words", "PLUGIN", "plugins", "-c", str(scene.file)]) == 0
    assert "clusterf_docker\n" in capsys.readouterr().out


def test_words_that_nobody_can_tell_are_none(scene: Scene, capsys: Shown) -> None:
    assert main(["completion", "words", "SERVICE", "drain", "-c", str(scene.file)]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_its_help_says_how_to_install_each(capsys: Shown) -> None:
    with pytest.raises(SystemExit):
        main(["completion", "--help"])
    shown = capsys.readouterr().out
    for shell in ("bash", "zsh", "fish"):
        assert f"clusterf completion {shell} > " in shown
    assert "words" not in shown.replace("the words of", "")
