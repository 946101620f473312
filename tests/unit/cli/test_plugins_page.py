from __future__ import annotations

import platform
from pathlib import Path

import pytest
import trio

from clusterf import __version__
from clusterf.cli.plugins_page import (
    disabled_lines,
    failure_lines,
    list_lines,
    plugin_lines,
    type_lines,
)
from clusterf.plugin.loader import load_plugins
from clusterf.plugin.registry import Disabled, LoadFailure, Registry
from tests.unit.plugin.texts import command, drop_in, good, load

TEXT = """
from pydantic import Field
from clusterf.plugin import Duration, PolicyType, Settings, hookimpl

CLUSTERF_API = "1.0"
__version__ = "2.1"

class Options(Settings):
    label: str = Field("size", description="a label of the container, by its whole name, which is"
        " looked for on every one of them")
    pause: Duration = 5
    needed: int

class Same:
    def __init__(self, settings, context):
        pass

    def apply(self, service, facts):
        return service

@hookimpl
def clusterf_register_policies():
    return [PolicyType(name="sized", settings=Options, create=Same, summary="weights by a label")]

@hookimpl
def clusterf_check(document):
    return []
"""


@pytest.fixture
def registry(folder: Path) -> Registry:
    drop_in(folder, "sizes.py", TEXT)
    drop_in(folder, "greeting.py", command("greet"))
    return load(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "plugins"


def text(lines: object) -> str:
    return "".join(f"{line}\n" for line, _ in lines)  # type: ignore[attr-defined] # of any iterable


def test_the_list(registry: Registry, folder: Path) -> None:
    assert text(list_lines(registry, 200)).split("\nDrop-ins may import\n")[0] == (
        f"clusterf {__version__}, plugin API 1.0, Python {platform.python_version()}\n\n"
        "PLUGIN    VERSION  API  FROM\n"
        f"greeting  -        1.0  {folder}/greeting.py\n"
        "  command  greet  greets\n"
        f"sizes     2.1      1.0  {folder}/sizes.py\n"
        "  policy   sized  weights by a label\n"
        "  hook     clusterf_check\n"
    )


def test_the_list_says_what_may_be_imported(registry: Registry) -> None:
    promised = text(list_lines(registry, 400)).split("\nDrop-ins may import\n")[1]
    assert promised.startswith("  the standard library, clusterf.plugin, clusterf.model, ")
    assert f"trio {trio.__version__}" in promised


def test_troubles_are_in_the_list_and_nowhere_else(folder: Path) -> None:
    drop_in(folder, "a.py", good() + "@hookimpl\ndef clusterf_chek():\n    return []\n")
    drop_in(folder, "b.py", "CLUSTERF_API = '1.0'\n1 / 0\n")
    drop_in(folder, "c.py", good())
    shown = text(list_lines(load(folder, disabled=["c", "zz"]), 200))
    assert (
        f"\na       -        1.0  {folder}/a.py\n"
        "  policy   same  changes nothing\n"
        f"c       -        -    {folder}/c.py\n"
        "  disabled by disable_plugins\n\n"
        "NOT LOADED\n"
        f"  {folder}/b.py:2\n"
        "    ZeroDivisionError: division by zero\n\n"
        "WARNINGS\n"
        f"  {folder}/a.py\n"
        "    hook clusterf_chek is never called: there is no such hook\n"
        '    hint: did you mean "clusterf_check"?\n'
        "  disable_plugins\n"
        '    no plugin is called "zz"\n'
        "    hint: one of a, b, c\n\n"
        "Drop-ins may import\n"
    ) in shown


def test_a_plugin_that_brings_nothing_is_told_as_such(folder: Path) -> None:
    drop_in(folder, "a.py", "CLUSTERF_API = '1.0'\n")
    assert f"{folder}/a.py\n  brings nothing\n" in text(list_lines(load(folder), 200))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """But for paths, which are not broken."""
    registry = load_plugins()
    registry.failures.append(LoadFailure("/x.py", "many words " * 30, "more of them " * 30))
    lines = [*list_lines(registry, width)]
    for plugin in registry.plugins:
        lines += plugin_lines(plugin, registry, width)
    assert max(len(line) for line, _ in lines) <= width


def test_a_long_path_has_a_line_of_its_own(registry: Registry, folder: Path) -> None:
    lines = [line for line, _ in list_lines(registry, 40)]
    assert f"  {folder}/sizes.py" in lines


def test_a_type_with_its_options(registry: Registry, folder: Path) -> None:
    [plugin] = [one for one in registry.plugins if one.name == "sizes"]
    assert text(type_lines((plugin, "policy", "sized"), registry, 60)) == (
        f"policy sized, of the plugin sizes ({folder}/sizes.py)\n"
        "  weights by a label\n\n"
        '  label   string, default "size"\n'
        "          a label of the container, by its whole name, which\n"
        "          is looked for on every one of them\n"
        '  pause   duration, default "5s"\n'
        "  needed  integer, mandatory\n\n"
        "  and as every policy: enabled\n"
    )


def test_a_plugin_with_what_it_brings(registry: Registry, folder: Path) -> None:
    greeting, sizes = registry.plugins
    assert text(plugin_lines(sizes, registry, 80)).startswith(
        "plugin sizes 2.1\n"
        f"  from {folder}/sizes.py, for plugin API 1.0\n"
        "  hooks: clusterf_check, clusterf_register_policies\n\n"
        "policy sized\n"
        "  weights by a label\n"
    )
    assert text(plugin_lines(greeting, registry, 80)).endswith(
        "command greet\n  greets\n\n  clusterf greet --help\n"
    )


def test_a_type_without_options(folder: Path) -> None:
    drop_in(folder, "a.py", good())
    registry = load(folder)
    shown = text(plugin_lines(registry.plugins[0], registry, 80))
    assert "  no options of its own\n" in shown


def test_a_hook_that_is_never_called_is_on_the_page_of_its_plugin(folder: Path) -> None:
    drop_in(folder, "a.py", good() + "@hookimpl\ndef clusterf_chek():\n    return []\n")
    registry = load(folder)
    assert text(plugin_lines(registry.plugins[0], registry, 80)).endswith(
        "\nWARNING\n    hook clusterf_chek is never called: there is no such hook\n"
        '    hint: did you mean "clusterf_check"?\n'
    )


def test_what_is_not_there() -> None:
    assert text(disabled_lines(Disabled("x", "bundled", "disable_plugins"))) == (
        "plugin x\n  bundled with clusterf, disabled by disable_plugins\n"
    )
    failure = LoadFailure("/x", "bad", "mend it", "/x/y.py", 3)
    assert text(failure_lines(failure, 80)) == "  /x/y.py:3\n    bad\n    hint: mend it\n"
