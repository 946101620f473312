"""The man pages: without fault, and with all that there is to tell."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from clusterf.cli.main import CONFIGURATION, EXIT_CODES
from clusterf.config.configuration import Core
from clusterf.config.settings import CoreTable, DefaultsTable, OutputKeys, PolicyKeys, SourceKeys
from clusterf.plugin.loader import load_plugins
from clusterf.plugin.options import options_of
from clusterf.plugin.settings import Settings
from clusterf_static.shape import BackendTable, FrontendTable, RouteTable, ServiceTable
from manual.__main__ import PAGES, PLACES, ROOT, date
from tests.shells.command_line import Command, commands

NAMES = sorted(path.stem for path in PAGES.glob("*.md"))
COMMANDS = [one for one in commands() if one.words]
REGISTRY = load_plugins()
TYPES = [
    (role, name, kind)
    for role in ("source", "policy", "output")
    for name, kind in REGISTRY.of(role).items()
]

Shown = Mapping[str, Mapping[str, str]]


def said(*argv: str, stdout: int = subprocess.PIPE) -> str:
    """All that a program prints, or what it has to complain of."""
    done = subprocess.run(
        argv,
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    return (done.stdout or "") + done.stderr


# --- their form ----------------------------------------------------------------------------------


def test_there_are_three() -> None:
    assert NAMES == ["clusterf-plugins.7", "clusterf.8", "clusterf.toml.5"]


@pytest.mark.parametrize("name", NAMES)
def test_mandoc_finds_no_fault(pages: Mapping[str, Path], name: str) -> None:
    faults = said("mandoc", "-T", "lint", "-W", "warning", str(pages[name])).splitlines()
    # A version that is not released has no date, and a page never that of its build.
    allowed = [] if date() else [fault for fault in faults if "missing date" in fault]
    assert faults == allowed


@pytest.mark.parametrize("name", NAMES)
def test_groff_has_no_warning(pages: Mapping[str, Path], name: str) -> None:
    argv = ("man", "--warnings", "--local-file", str(pages[name]))
    assert said(*argv, stdout=subprocess.DEVNULL) == ""


@pytest.mark.parametrize("name", NAMES)
def test_whatis_understands_it(pages: Mapping[str, Path], name: str) -> None:
    assert re.fullmatch(rf'.*: "{name[:-2]} - \w.*[^.]"\n', said("lexgrog", str(pages[name])))


def test_a_fault_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.8"
    page.write_text('.TH PAGE 8 "" "" ""\n.SH NAME\nnothing\n.NO SUCH\n', "utf-8")
    assert "unknown macro" in said("mandoc", "-T", "lint", "-W", "warning", str(page))
    assert "macro 'NO' not defined" in said("man", "--warnings", "--local-file", str(page))


def test_they_lie_where_man_and_shells_look_for_them(made: Path) -> None:
    there = {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}
    assert there == {*(f"man/man{name[-1]}/{name}" for name in NAMES), *PLACES.values()}


# --- what they tell ------------------------------------------------------------------------------


def heading(command: Command) -> str:
    return f"clusterf {' '.join(command.words)} [OPTION...]"


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_command_and_option_is_there(shown: Shown, command: Command) -> None:
    page = shown["clusterf.8"]
    [section] = [
        body
        for head, body in page.items()
        if re.fullmatch(re.escape(heading(command)) + r"( [A-Z\[].*)?", head)
    ]
    text = page["OPTIONS"] + section
    for action in command.options:
        for option in action.option_strings:
            assert re.search(rf"(^|[ ,]){re.escape(option)}([ ,:]|$)", text, re.MULTILINE), option
    for name in command.subcommands:
        assert any(head.startswith(f"clusterf {' '.join(command.words)} {name} ") for head in page)


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_option_and_argument_has_a_word_of_help(command: Command) -> None:
    lacking = [one.dest for one in command.parser._actions if not one.help and not one.choices]
    assert lacking == []


def exit_codes() -> Iterator[tuple[int, str]]:
    """Every number that the sources give as one."""
    for path in [*ROOT.glob("clusterf/**/*.py"), *ROOT.glob("plugins/clusterf_*/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Assign(targets=[ast.Name(name)], value=ast.Constant(int() as code)):
                    if re.fullmatch("exit_code|EX_[A-Z]+|INTERRUPTED|CHANGES", name):
                        yield code, f"{path}: {name}"


def test_every_exit_status_is_there(shown: Shown) -> None:
    found = dict(exit_codes())
    assert {0, 1, 2, 65, 69, 75, 77, 78, 130} <= found.keys()
    assert {code: place for code, place in found.items() if code not in EXIT_CODES} == {}
    for code, meaning in EXIT_CODES.items():
        assert re.search(
            rf"^ +{code} +{re.escape(meaning)}$", shown["clusterf.8"]["EXIT STATUS"], re.MULTILINE
        )


def test_the_files_and_variables_are_there(shown: Shown) -> None:
    page = shown["clusterf.8"]
    for path in (CONFIGURATION, Core().control, Core().state_dir):
        assert re.search(rf"^ +{re.escape(str(path))}\b", page["FILES"], re.MULTILINE)
    sources = "".join(path.read_text("utf-8") for path in ROOT.glob("clusterf/**/*.py"))
    variables = set(re.findall(r"\bCLUSTERF_[A-Z_]+\b", sources)) - {"CLUSTERF_API"}
    assert variables
    for name in variables:
        assert re.search(rf"^ +{name}\b", page["ENVIRONMENT"], re.MULTILINE), name


def tells(text: str, model: type[Settings]) -> list[str]:
    """The options that a text has not."""
    there = set(re.findall(r"^ +(\S+ \([^,)]*)", text, re.MULTILINE))
    return [
        option.name
        for option in options_of(model)
        if f"{option.name} ({re.split('[,)]', option.kind)[0]}" not in there
    ]


@pytest.mark.parametrize(
    ("section", "model"),
    [
        ("THE TABLE [clusterf]", CoreTable),
        ("THE TABLE [defaults]", DefaultsTable),
        ("TABLES [sources.NAME]", SourceKeys),
        ("TABLES [[policies]]", PolicyKeys),
        ("TABLES [outputs.NAME]", OutputKeys),
        ("TABLES [routes.NAME]", RouteTable),
    ],
)
def test_every_option_of_the_core_is_there(
    shown: Shown, section: str, model: type[Settings]
) -> None:
    assert tells(shown["clusterf.toml.5"][section], model) == []


@pytest.mark.parametrize(
    ("role", "name", "kind"), TYPES, ids=[f"{one[0]} {one[1]}" for one in TYPES]
)
def test_every_option_of_every_plugin_is_there(
    shown: Shown, role: str, name: str, kind: object
) -> None:
    section = shown["clusterf.toml.5"][f'{role.capitalize()}: type = "{name}"']
    assert tells(section, kind.settings) == []  # type: ignore[attr-defined]


def test_every_key_of_services_is_there(shown: Shown) -> None:
    section = shown["clusterf.toml.5"]["TABLES [services.NAME]"]
    general = set(DefaultsTable.model_fields)
    assert set(tells(section, ServiceTable)) <= general
    assert set(tells(section, BackendTable)) <= general
    assert all(f"frontend.{name} (" in section for name in FrontendTable.model_fields)


@pytest.mark.parametrize("name", NAMES)
def test_the_pages_that_it_refers_to_exist(shown: Shown, name: str) -> None:
    text = " ".join(shown[name].values())
    ours = {
        f"{page}.{section}" for page, section in re.findall(r"\b(clusterf[\w.-]*)\((\d)\)", text)
    }
    assert ours == set(NAMES) - {name}


def test_its_examples_are_command_lines(shown: Shown) -> None:
    lines = re.findall(
        r"^ +(?:.* \| )?(clusterf .*)$", shown["clusterf.8"]["EXAMPLES"], re.MULTILINE
    )
    assert len(lines) > 8
    whole = commands()[0].parser
    for line in lines:
        words = shlex.split(line.partition(" > ")[0])[1:]
        assert whole.parse_args(words), line


# --- how they are made ---------------------------------------------------------------------------


def test_the_same_sources_give_the_same_bytes(made: Path, tmp_path: Path) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(str(ROOT / one) for one in ("packaging", "", "plugins")),
        "PYTHONHASHSEED": "7",
        "COLUMNS": "40",
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
        "HOME": str(tmp_path),
        "CLUSTERF_CONFIG": "/elsewhere.toml",
        "CLUSTERF_DISABLE_PLUGINS": "clusterf_docker",
    }
    argv = [sys.executable, "-P", "-m", "manual", "--into", str(tmp_path / "share")]
    subprocess.run(argv, env=env, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    for path in made.rglob("*"):
        if path.is_file():
            name = path.relative_to(made)
            assert (tmp_path / "share" / name).read_bytes() == path.read_bytes(), name
