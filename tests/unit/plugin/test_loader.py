from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clusterf.plugin import loader
from clusterf.plugin.commands import CORE_COMMANDS
from clusterf.plugin.loader import BUNDLED, Registry, load_plugins

GOOD = """
from clusterf.plugin import PolicyType, Settings, hookimpl

CLUSTERF_API = "1.0"

class Nothing(Settings):
    pass

class Same:
    def __init__(self, settings, context):
        pass

    def apply(self, service, facts):
        return service

@hookimpl
def clusterf_register_policies():
    return [PolicyType(name="NAME", settings=Nothing, create=Same, summary="changes nothing")]
"""

COMMAND = """
from clusterf.plugin import Command, hookimpl

CLUSTERF_API = "1.0"

async def run(invocation):
    return 0

@hookimpl
def clusterf_register_commands():
    return [
        Command(name=name, summary="greets", add_arguments=lambda parser: None, run=run)
        for name in NAMES
    ]
"""


@pytest.fixture(autouse=True)
def _imports_of_drop_ins() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("clusterf_dropin_", "bundled_for_test")):
            del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    return folder


def drop_in(folder: Path, name: str, text: str, *, mode: int = 0o644) -> Path:
    path = folder / name
    path.parent.mkdir(mode=0o755, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def good(name: str = "same") -> str:
    return GOOD.replace("NAME", name)


def command(*names: str) -> str:
    """The text of a plugin that brings commands."""
    return COMMAND.replace("NAMES", repr(names))


def load(*folders: Path, **facts: Any) -> Registry:
    facts.setdefault("bundled", ())
    return load_plugins(folders, **facts)


def only_failure(registry: Registry) -> tuple[str, str]:
    [failure] = registry.failures
    assert registry.plugins == []
    assert registry.manager.get_plugins() == set()
    return failure.message, failure.hint


# --- bundled ------------------------------------------------------------------------------------


def test_every_bundled_plugin_loads_and_brings_its_types() -> None:
    registry = load_plugins()
    assert registry.failures == []
    assert [plugin.name for plugin in registry.plugins] == list(BUNDLED)
    assert {plugin.origin for plugin in registry.plugins} == {"bundled"}
    assert {"static", "docker"} <= set(registry.sources)
    assert set(registry.policies) == {"routes", "local"}
    assert set(registry.outputs) == {"etcd", "ipvs", "addresses"}
    assert registry.provided_by["source static"] == "bundled"


def test_plugins_may_be_left_out(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    drop_in(folder, "extra.py", good())
    monkeypatch.setenv("CLUSTERF_DISABLE_PLUGINS", "clusterf_docker,extra")
    registry = load_plugins([folder], disabled=["clusterf_static"])
    names = {plugin.name for plugin in registry.plugins}
    assert names == set(BUNDLED) - {"clusterf_docker", "clusterf_static"}
    assert registry.failures == []


def test_a_bundled_plugin_that_fails_is_named_and_the_others_load() -> None:
    registry = load(bundled=["clusterf_nowhere", "clusterf_routes"])
    [failure] = registry.failures
    assert failure.origin == "bundled clusterf_nowhere"
    assert failure.message.startswith("ModuleNotFoundError")
    assert "Python" in failure.hint
    assert [plugin.name for plugin in registry.plugins] == ["clusterf_routes"]


# --- drop-ins -----------------------------------------------------------------------------------


def test_a_file_and_a_package_are_drop_ins(folder: Path) -> None:
    one = drop_in(folder, "one.py", good("one"))
    drop_in(folder, "two/__init__.py", "from .inner import *\n" + "CLUSTERF_API = '1.0'\n")
    drop_in(folder, "two/inner.py", good("two"))
    registry = load(folder)
    assert registry.failures == []
    assert set(registry.policies) == {"one", "two"}
    assert registry.provided_by["policy one"] == str(one)
    assert [(plugin.name, plugin.api) for plugin in registry.plugins] == [
        ("one", "1.0"),
        ("two", "1.0"),
    ]


def test_other_files_are_not_looked_at(folder: Path) -> None:
    for name in ("_x.py", ".x.py", "x.txt", "x.py.bak", "notes/readme.md"):
        drop_in(folder, name, "raise SystemExit")
    registry = load(folder)
    assert (registry.failures, registry.plugins) == ([], [])


def test_a_folder_that_is_not_there_is_told(folder: Path) -> None:
    registry = load(folder / "nowhere", folder)
    assert only_failure(registry) == (
        "plugin directory: No such file or directory",
        "see plugin_dirs",
    )


def test_a_drop_in_may_use_the_standard_library(folder: Path) -> None:
    drop_in(folder, "one.py", "import sqlite3, xmlrpc.client\n" + good())
    assert load(folder).failures == []


# --- failures are their own ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("CLUSTERF_API = '1.0'\nimport nowhere_at_all\n", "ModuleNotFoundError"),
        ("CLUSTERF_API = '1.0'\n1 / 0\n", "ZeroDivisionError"),
        ("CLUSTERF_API = '1.0'\nraise SystemExit(1)\n", "SystemExit"),
        ("def f(:\n", "is not valid Python"),
        ("\0", "is not valid Python"),
        (good().replace("return [", "return [7, "), "returned 7, not a PolicyType"),
        (good().replace("return [", "raise OSError('x')\n    return ["), "OSError: x"),
        (good().replace("return [", "return None and ["), "TypeError"),
    ],
)
def test_a_drop_in_that_fails_is_named_and_the_others_load(
    folder: Path, text: str, told: str
) -> None:
    bad = drop_in(folder, "bad.py", text)
    drop_in(folder, "good.py", good())
    registry = load(folder)
    [failure] = registry.failures
    assert failure.origin == str(bad)
    assert told in failure.message
    assert [plugin.name for plugin in registry.plugins] == ["good"]
    assert "clusterf_dropin_bad" not in sys.modules or "return" in text


def test_a_hook_of_a_wrong_shape_leaves_nothing_of_its_plugin(folder: Path) -> None:
    drop_in(
        folder,
        "bad.py",
        good()
        + "@hookimpl\ndef clusterf_check(configuration, document):\n    return []\n"
        + "@hookimpl\ndef clusterf_register_sources(surprise):\n    return []\n",
    )
    registry = load(folder)
    message, _ = only_failure(registry)
    assert "clusterf_register_sources" in message
    assert registry.manager.hook.clusterf_check.get_hookimpls() == []
    assert registry.policies == {}


def test_what_breaks_late_leaves_nothing_of_its_plugin(folder: Path) -> None:
    drop_in(
        folder, "bad.py", good() + "@hookimpl\ndef clusterf_register_outputs():\n    return [1]\n"
    )
    registry = load(folder)
    only_failure(registry)
    assert (registry.policies, registry.provided_by) == ({}, {})


# --- twice --------------------------------------------------------------------------------------


def test_the_first_to_provide_a_type_keeps_it(folder: Path) -> None:
    first = drop_in(folder, "a.py", good("same"))
    second = drop_in(folder, "b.py", good("same"))
    registry = load(folder)
    [failure] = registry.failures
    assert failure.message == f'type "same" is already provided by {first}, not by {second}'
    assert registry.provided_by == {"policy same": str(first)}


def test_it_names_who_provides_a_type_of_the_same_kind(folder: Path) -> None:
    """A source and a policy may have one name."""
    source = good("same").replace("PolicyType", "SourceType").replace("policies", "sources")
    drop_in(folder, "a.py", source)
    policy = drop_in(folder, "b.py", good("same"))
    drop_in(folder, "c.py", good("same"))
    registry = load(folder)
    [failure] = registry.failures
    assert f"already provided by {policy}" in failure.message
    assert (set(registry.sources), set(registry.policies)) == ({"same"}, {"same"})


def test_of_two_drop_ins_of_one_name_the_first_is_kept(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir(mode=0o755)
    first = drop_in(folder, "x.py", good("one"))
    drop_in(other, "x.py", good("two"))
    registry = load(folder, other)
    [failure] = registry.failures
    assert failure.message == f"a plugin named x is already loaded: {first}"
    assert set(registry.policies) == {"one"}
    assert len(registry.manager.get_plugins()) == 1


def test_one_plugin_names_each_type_once(folder: Path) -> None:
    text = good("same").replace("return [", "return 2 * [")
    drop_in(folder, "a.py", text)
    message, _ = only_failure(load(folder))
    assert message == 'clusterf_register_policies returned two of the name "same"'


# --- commands -------------------------------------------------------------------------------------


def test_a_plugin_brings_commands(folder: Path) -> None:
    path = drop_in(folder, "a.py", command("greet", "wave"))
    registry = load(folder)
    assert registry.failures == []
    assert [one.summary for one in registry.commands.values()] == ["greets", "greets"]
    assert registry.provided_by == {"command greet": str(path), "command wave": str(path)}


def test_the_first_to_bring_a_command_keeps_it(folder: Path) -> None:
    first = drop_in(folder, "a.py", command("greet"))
    second = drop_in(folder, "b.py", command("wave", "greet"))
    registry = load(folder)
    [failure] = registry.failures
    assert failure.message == f'command "greet" is already provided by {first}, not by {second}'
    assert set(registry.commands) == {"greet"}


@pytest.mark.parametrize("name", CORE_COMMANDS)
def test_the_core_keeps_its_commands(folder: Path, name: str) -> None:
    path = drop_in(folder, "a.py", command(name))
    registry = load(folder)
    message, _ = only_failure(registry)
    assert message == f'command "{name}" is already provided by clusterf itself, not by {path}'
    assert registry.commands == {}


def test_a_type_may_be_called_like_a_command(folder: Path) -> None:
    drop_in(folder, "a.py", good("run") + command("same").partition('CLUSTERF_API = "1.0"')[2])
    drop_in(folder, "b.py", good("same"))
    text = (folder / "a.py").read_text()
    (folder / "a.py").write_text("from clusterf.plugin import Command\n" + text)
    registry = load(folder)
    assert registry.failures == []
    assert (set(registry.policies), set(registry.commands)) == ({"run", "same"}, {"same"})


# --- versions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stated", ['"1.0"', "'1.0'"])
@pytest.mark.parametrize("form", ["CLUSTERF_API = {}", "CLUSTERF_API: str = {}"])
def test_a_stated_version_that_fits_loads(folder: Path, form: str, stated: str) -> None:
    drop_in(folder, "x.py", good().replace('CLUSTERF_API = "1.0"', form.format(stated)))
    assert load(folder).failures == []


@pytest.mark.parametrize("wanted", ["2.0", "0.9", "1.1", "1.99"])
def test_a_version_that_does_not_fit_is_refused_without_running_the_file(
    folder: Path, wanted: str
) -> None:
    path = drop_in(folder, "x.py", f'CLUSTERF_API = "{wanted}"\nraise SystemExit("it ran")\n')
    message, hint = only_failure(load(folder))
    assert message == f"{path} was written for plugin API {wanted}, this is 1.0"
    assert "update" in hint


def test_an_older_minor_version_fits(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(loader, "API_VERSION", "1.3")
    drop_in(folder, "x.py", good())
    assert load(folder).failures == []


@pytest.mark.parametrize("wanted", ["1", "one", "1.0.0", ""])
def test_what_is_no_version_is_refused(folder: Path, wanted: str) -> None:
    drop_in(folder, "x.py", f'CLUSTERF_API = "{wanted}"\nraise SystemExit\n')
    message, hint = only_failure(load(folder))
    assert f'CLUSTERF_API = "{wanted}" is no version' in message
    assert "1.0" in hint


@pytest.mark.parametrize(
    "text", ["", "CLUSTERF_API = 1.0", "API = '1.0'", "if True:\n    CLUSTERF_API = '1.0'"]
)
def test_a_drop_in_that_states_no_version_is_refused(folder: Path, text: str) -> None:
    drop_in(folder, "x.py", text + "\nraise SystemExit\n")
    message, hint = only_failure(load(folder))
    assert "does not state its API version" in message
    assert hint == 'add CLUSTERF_API = "1.0"'


# --- trust --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_can_write_is_refused(folder: Path, mode: int) -> None:
    path = drop_in(folder, "x.py", "raise SystemExit", mode=mode)
    message, hint = only_failure(load(folder))
    assert message == f"{path} can be written by others"
    assert hint == f"chmod go-w {path}"


def test_a_package_that_others_can_write_is_refused(folder: Path) -> None:
    drop_in(folder, "x/__init__.py", good())
    (folder / "x").chmod(0o777)
    message, _ = only_failure(load(folder))
    assert "can be written by others" in message


def test_every_module_of_a_package_counts(folder: Path) -> None:
    drop_in(folder, "x/__init__.py", good())
    inner = drop_in(folder, "x/inner.py", "", mode=0o666)
    message, _ = only_failure(load(folder))
    assert message == f"{inner} can be written by others"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(folder: Path) -> None:
    path = drop_in(folder, "x.py", "raise SystemExit")
    os.chown(path, 12345, -1)
    message, hint = only_failure(load(folder))
    assert message == f"{path} is owned by user 12345"
    assert hint == "its owner must be root"
