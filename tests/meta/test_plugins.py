"""Every bundled plugin's folder looks the same, and every hook is documented and used."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pluggy
import pytest

from clusterf.config.check import check_offline
from clusterf.model.problem import Severity
from clusterf.plugin import Command, hookspecs
from clusterf.plugin.api import API_VERSION, AnyType
from clusterf.plugin.loader import BUNDLED, Registry, load_plugins

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "plugins"
FOLDERS = sorted(path.name for path in PLUGINS.iterdir() if path.name.startswith("clusterf_"))

HEADINGS = ("What it does", "Options", "Example", "What it does when its world fails")

HOOKS = sorted(name for name in dir(hookspecs) if name.startswith("clusterf_"))


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins()


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.+?)\s*$", text, flags=re.MULTILINE)


def options(settings: Any) -> Iterator[str]:
    """Keys of a table of the configuration."""
    for name, field in settings.model_fields.items():
        yield field.alias or name


def registered(registry: Registry, plugin: str) -> list[AnyType | Command]:
    [module] = [one.module for one in registry.plugins if one.name == plugin]
    hooks = [name for name in HOOKS if "_register_" in name and hasattr(module, name)]
    return [one for hook in hooks for one in getattr(module, hook)()]


def types_of(registry: Registry, plugin: str) -> list[AnyType]:
    return [one for one in registered(registry, plugin) if not isinstance(one, Command)]


def completed(fragment: str) -> str:
    """Add what a fragment leaves to the rest of a configuration."""
    tables = tomllib.loads(fragment)
    if "clusterf" not in tables:
        fragment += '\n[clusterf]\nmanaged = ["192.0.2.0/24", "2001:db8::/32"]\n'
    if not tables.keys() & {"sources", "services"}:
        fragment += '\n[services.web]\nfrontend = { ipv4 = "192.0.2.1", tcp = 80 }\n'
    if "outputs" not in tables:
        fragment += '\n[outputs.kernel]\ntype = "ipvs"\n'
    return fragment


def errors(fragment: str, registry: Registry, folder: Path) -> list[str]:
    path = folder / "clusterf.toml"
    path.write_text(completed(fragment), "utf-8")
    _, problems = check_offline(path, registry)
    return [str(problem) for problem in problems if problem.severity is Severity.ERROR]


def test_every_folder_is_bundled_and_the_other_way_round() -> None:
    assert sorted(BUNDLED) == FOLDERS


@pytest.mark.parametrize("plugin", FOLDERS)
def test_the_readme_has_the_headings_in_their_order(plugin: str) -> None:
    text = (PLUGINS / plugin / "README.md").read_text("utf-8")
    assert text.startswith(f"# {plugin.removeprefix('clusterf_')}\n")
    assert [one for one in headings(text) if one in HEADINGS] == list(HEADINGS)


@pytest.mark.parametrize("plugin", FOLDERS)
def test_the_readme_and_the_sample_name_every_option(plugin: str, registry: Registry) -> None:
    readme = (PLUGINS / plugin / "README.md").read_text("utf-8")
    sample = (PLUGINS / plugin / "sample.toml").read_text("utf-8")
    for one in types_of(registry, plugin):
        for option in options(one.settings):
            assert re.search(rf"`{option}\b", readme), f"README.md: {option}"
            assert re.search(rf"^(# )?(\[.*)?{option}\b", sample, re.MULTILINE), (
                f"sample.toml: {option}"
            )


@pytest.mark.parametrize("plugin", FOLDERS)
def test_the_readme_tells_of_every_command(plugin: str, registry: Registry) -> None:
    readme = (PLUGINS / plugin / "README.md").read_text("utf-8")
    commands = [one for one in registered(registry, plugin) if isinstance(one, Command)]
    assert bool(commands) == ("Commands" in headings(readme))
    for command in commands:
        assert f"clusterf {command.name} " in readme


@pytest.mark.parametrize("plugin", FOLDERS)
def test_the_sample_passes(plugin: str, registry: Registry, tmp_path: Path) -> None:
    assert errors((PLUGINS / plugin / "sample.toml").read_text("utf-8"), registry, tmp_path) == []


def test_a_sample_that_does_not_pass_is_caught(registry: Registry, tmp_path: Path) -> None:
    assert errors('[outputs.kernel]\ntype = "ipvs"\ndrian = 5\n', registry, tmp_path)


@pytest.mark.parametrize("plugin", FOLDERS)
def test_the_examples_of_the_readme_pass(plugin: str, registry: Registry, tmp_path: Path) -> None:
    text = (PLUGINS / plugin / "README.md").read_text("utf-8")
    section = text.split("\n## Example\n", 1)[1].split("\n## ", 1)[0]
    examples = re.findall(r"^```toml\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
    assert examples
    assert errors(examples[0], registry, tmp_path) == []


@pytest.mark.parametrize("plugin", FOLDERS)
def test_it_states_the_api_and_registers_something(plugin: str, registry: Registry) -> None:
    [loaded] = [one for one in registry.plugins if one.name == plugin]
    assert loaded.api == API_VERSION
    kinds = registered(registry, plugin)
    assert kinds
    for kind in kinds:
        assert kind.name == plugin.removeprefix("clusterf_")
        assert kind.summary
        assert not kind.summary.endswith(".")


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_says_when_it_is_called_what_to_return_and_since_when(hook: str) -> None:
    text = getattr(hookspecs, hook).__doc__
    assert text
    assert text.startswith("Return ")
    assert "Called " in text
    assert ".. versionadded:: " in text


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_used_by_a_bundled_plugin(hook: str, registry: Registry) -> None:
    assert getattr(registry.manager.hook, hook).get_hookimpls()


@pytest.mark.parametrize("plugin", FOLDERS)
def test_no_plugin_has_a_hook_that_does_not_exist(plugin: str, registry: Registry) -> None:
    [module] = [one.module for one in registry.plugins if one.name == plugin]
    assert {
        name
        for name in vars(module)
        if name.startswith("clusterf_") and callable(getattr(module, name))
    } <= set(HOOKS)


def test_every_hook_is_marked_as_one() -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    assert {name for name in dir(manager.hook) if name.startswith("clusterf_")} == set(HOOKS)
