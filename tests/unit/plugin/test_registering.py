from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.plugin.commands import CORE_COMMANDS
from tests.unit.plugin.texts import command, drop_in, good, load, only_failure

HOOK = "clusterf_register_policies"

# --- hooks of a wrong shape -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            good().replace("return [", "return [7, "),
            "clusterf_register_policies returned 7, not a PolicyType",
            "",
        ),
        (
            good().replace("return [", "return None and ["),
            "clusterf_register_policies returned nothing",
            "return [PolicyType(...)]",
        ),
        (
            good().replace("return [", "return (").replace(")]\n", "))\n"),
            "clusterf_register_policies returned a PolicyType, not a list of them",
            "return [...]",
        ),
        (
            good().replace("def clusterf_register", "async def clusterf_register"),
            "clusterf_register_policies is async, and hooks are called without await",
            "write def; what it registers has the async methods",
        ),
        (
            good().replace("policies()", "policies(context)"),
            'clusterf_register_policies is not given an argument "context"',
            "it is given none",
        ),
        (
            good() + "@hookimpl\ndef clusterf_check(config):\n    return []\n",
            'clusterf_check is not given an argument "config"',
            "it is given: configuration, document",
        ),
        (
            good().replace("settings=Nothing", "settings=dict"),
            f'{HOOK} returned "same" with settings that are no class derived from Settings',
            "class MySettings(Settings), and settings=MySettings",
        ),
        (
            good().replace("create=Same", "create=None"),
            'clusterf_register_policies returned "same" with a create that cannot be called',
            "a class will do: create=MyClass",
        ),
        (
            good("Two Words"),
            "clusterf_register_policies returned one of the name 'Two Words'",
            "small letters, digits, _ and -, with a letter in front",
        ),
        (
            good().replace("return [", "return 2 * ["),
            'clusterf_register_policies returned two of the name "same"',
            "",
        ),
    ],
)
def test_what_a_hook_must_not_do_is_told_in_one_sentence(
    folder: Path, text: str, message: str, hint: str
) -> None:
    drop_in(folder, "bad.py", text)
    failure = only_failure(load(folder))
    assert (failure.message, failure.hint) == (message, hint)
    assert failure.source == "@hookimpl"
    assert failure.line == 1 + text[: text.rindex("@hookimpl")].count("\n")


def test_a_hook_of_a_shape_that_only_pluggy_knows_is_told_in_one_line(folder: Path) -> None:
    drop_in(folder, "x.py", good().replace("@hookimpl", "@hookimpl(hookwrapper=True)"))
    message = only_failure(load(folder)).message
    assert message
    assert "\n" not in message


def test_a_hook_of_a_wrong_shape_leaves_nothing_of_its_plugin(folder: Path) -> None:
    drop_in(
        folder,
        "bad.py",
        good()
        + "@hookimpl\ndef clusterf_check(configuration, document):\n    return []\n"
        + "@hookimpl\ndef clusterf_register_sources(surprise):\n    return []\n",
    )
    registry = load(folder)
    assert "clusterf_register_sources" in only_failure(registry).message
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
    message = only_failure(registry).message
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
