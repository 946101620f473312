"""What shells offer when the key is pressed: all that the parser knows, and what only runs."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
import trio

from tests.shells.command_line import Command, commands
from tests.shells.conftest import script_of
from tests.shells.shells import Shell, started
from tests.unit.control.scene import API, KERNEL, WEB, Scene

COMMANDS = commands()

GREET = """
from clusterf.plugin import Command, hookimpl

CLUSTERF_API = "1.0"

def add(parser):
    ways = parser.add_subparsers()
    ways.add_parser("loud", help="so that all hear it").add_argument("--to", metavar="SERVICE")
    ways.add_parser("low", help="so that few do")

async def run(invocation):
    return 0

@hookimpl
def clusterf_register_commands():
    return [Command(name="greet", summary="say 'hello' to $USER", add_arguments=add, run=run)]
"""

COLON = """
[services.dns]
frontend = { ipv4 = "192.0.2.3", udp = 53 }
backends = ["198.51.100.3:53", "198.51.100.3:54", "198.51.100.4:53"]
"""


def offered(shell: Shell, line: str) -> set[str]:
    """Words; zsh puts the = behind a single option by itself, and takes it back at a space."""
    return {word.removesuffix("=") for word in shell.complete(line)}


def test_its_script_has_no_fault_of_syntax(name: str) -> None:
    script = script_of(name, "--bundled-only")
    done = subprocess.run(
        [name, "-n"], input=script, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- the command line ----------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_option_of_every_command_is_offered(shell: Shell, command: Command) -> None:
    options = {one for action in command.options for one in action.option_strings}
    assert options >= {"-h", "--help"}
    assert offered(shell, f"{command} -") == options


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.subcommands], ids=str)
def test_every_command_is_offered_and_no_secret_one(shell: Shell, command: Command) -> None:
    assert offered(shell, f"{command} ") == set(command.subcommands)


@pytest.mark.parametrize("command", [one for one in COMMANDS if not one.subcommands], ids=str)
def test_every_choice_is_offered(shell: Shell, command: Command) -> None:
    for action in command.options:
        if action.choices:
            option = action.option_strings[-1]
            assert offered(shell, f"{command} {option} ") == set(action.choices)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("clusterf dr", ["drain"]),
        ("clusterf dx", []),
        ("clusterf check --strict --of", ["--offline"]),
        ("clusterf check --format j", ["json"]),
        ("clusterf check --format=j", ["--format=json"]),
        ("clusterf check --explain C00", ["C001", "C002", "C003", "C004"]),
        ("clusterf check --explain=not-", ["--explain=not-utf8"]),
        ("clusterf etcd import-v2 --from-p", ["--from-prefix"]),
        ("clusterf etcd put web --method ", ["masq", "droute", "tunnel"]),
        ("clusterf etcd put web --scheduler m", ["mh"]),
        ("clusterf etcd put web --flag mh-p", ["mh-port"]),
        ("clusterf completion w", []),
    ],
)
def test_half_a_word(shell: Shell, line: str, words: list[str]) -> None:
    found = {word if "=" in line else word.removesuffix("=") for word in shell.complete(line)}
    assert found == set(words)


@pytest.mark.parametrize(
    ("before", "stands"),
    [
        ("clusterf check -c ", ""),
        ("clusterf run --config ", ""),
        ("clusterf check --config=", "--config="),
        ("clusterf import keepalived ", ""),
        ("clusterf etcd get --ca ", ""),
    ],
)
def test_files(shell: Shell, folder: Path, before: str, stands: str) -> None:
    (folder / "some").mkdir(exist_ok=True)
    (folder / "some" / "one.toml").touch()
    assert shell.complete(f"{before}some/o") == [f"{stands}some/one.toml"]


# --- what only something that runs knows ---------------------------------------------------------


async def test_services_and_backends_of_the_daemon(shell: Shell, scene: Scene) -> None:
    scene.write(WEB, API, COLON, KERNEL)

    async def offers(line: str) -> list[str]:
        words = line.format(f"-c {scene.file}")
        return sorted(await trio.to_thread.run_sync(shell.complete, words))

    async with scene.running():
        assert await offers("clusterf drain {} ") == ["api", "dns", "web"]
        assert await offers("clusterf status {} --format json w") == ["web"]
        assert await offers("clusterf drain {} web ") == ["web-1", "web-2"]
        assert await offers("clusterf drain dns {} 198.51.100.3:") == [
            "198.51.100.3:53",
            "198.51.100.3:54",
        ]
        assert await offers("clusterf undrain {} ") == []
        await scene.ask(command="drain", service="web", backend="web-2")
        assert await offers("clusterf undrain {} ") == ["web"]
        assert await offers("clusterf undrain {} web ") == ["web-2"]


def test_nothing_and_no_message_where_nobody_runs(shell: Shell, scene: Scene) -> None:
    assert shell.complete(f"clusterf drain -c {scene.file} ") == []


def test_plugins_drop_ins_too(shell: Shell, scene: Scene) -> None:
    scene.drop_in("greeting.py", GREET)
    line = f"clusterf plugins -c {scene.file} "
    assert offered(shell, line) >= {"clusterf_docker", "docker", "etcd", "greeting", "greet"}


def test_the_commands_of_drop_ins_too(name: str, scene: Scene, tmp_path: Path) -> None:
    scene.drop_in("greeting.py", GREET)
    script = script_of(name, "-c", str(scene.file))
    with ExitStack() as stack:
        own = started(name, script, tmp_path, stack)
        assert "greet" in offered(own, "clusterf ")
        assert offered(own, "clusterf greet ") == {"loud", "low"}
        assert "--to" in offered(own, "clusterf greet loud --")
