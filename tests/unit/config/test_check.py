from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from clusterf.config.check import check_offline
from clusterf.config.rendering import as_text
from clusterf.model.problem import Code, Problem
from clusterf.plugin import Document, Fault, hookimpl
from clusterf.plugin.registry import LoadFailure, Unmatched
from clusterf.plugin.uncalled import UncalledHook
from tests.golden.plugins import registry

GOOD = """[clusterf]
managed = ["192.0.2.0/24"]
[sources.b]
type = "docker"
[outputs.kernel]
type = "ipvs"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "clusterf.toml"
    path.write_text(GOOD)
    return path


def plugin(name: str, check: Any) -> ModuleType:
    module = ModuleType(name)
    module.clusterf_check = hookimpl(check)  # type: ignore[attr-defined]
    return module


def raises(configuration: object) -> Iterable[Problem]:
    raise ZeroDivisionError(str(configuration)[:1])


def raises_late() -> Iterable[Problem]:
    yield Problem(file="a", message="one")
    raise ZeroDivisionError


def finds(document: Document) -> Iterable[Problem]:
    return [document.problem(Fault(("sources", "b"), "found"))]


def answers_nonsense() -> Any:
    return ["nonsense"]


def answers_nothing() -> Any:
    return None


def test_a_good_file(path: Path) -> None:
    reading, problems = check_offline(path, registry())
    assert problems == []
    assert reading is not None


def test_one_plugin_that_raises_stops_no_other(path: Path) -> None:
    found = registry()
    for number, check in enumerate([raises, finds, raises_late, answers_nonsense, answers_nothing]):
        found.manager.register(plugin(f"p{number}", check), name=f"p{number}")
    _, problems = check_offline(path, found)
    failed = sorted(problem.path for problem in problems if problem.code == Code.PLUGIN_FAILED)
    assert failed == ["p0", "p2", "p3"]
    assert [problem.line for problem in problems if problem.message == "found"] == [3]
    assert all(problem.file == str(path) for problem in problems)


def test_a_plugin_that_was_not_loaded_is_told(path: Path) -> None:
    found = registry()
    found.failures.append(LoadFailure("/etc/clusterf/plugins.d/x.py", "ImportError: y", "hint"))
    _, problems = check_offline(path, found)
    assert [str(problem) for problem in problems] == [
        "/etc/clusterf/plugins.d/x.py: error[C301]: plugin not loaded: ImportError: y"
    ]


def test_a_directory_of_plugins_is_told_where_it_is_named(path: Path) -> None:
    path.write_text(GOOD.replace('24"]\n', '24"]\nplugin_dirs = ["a", "/b"]\n', 1))
    found = registry()
    found.failures = [
        LoadFailure(str(path.parent / "a"), "plugin directory: no such file", "see plugin_dirs"),
        LoadFailure("/b", "plugin directory: others than root can write it", "chmod o-w /b"),
        LoadFailure("/b/x.py", "ImportError: y"),
    ]
    _, problems = check_offline(path, found)
    assert [(one.line, one.path, one.code, one.hint) for one in problems] == [
        (3, "clusterf.plugin_dirs[0]", "C301", ""),
        (3, "clusterf.plugin_dirs[1]", "C301", "chmod o-w /b"),
        (0, "", "C301", ""),
    ]
    assert problems[1].message == "/b: others than root can write it"


def test_the_place_in_a_plugin_is_told_with_its_line(path: Path) -> None:
    found = registry()
    found.failures.append(
        LoadFailure("/p/x", "KeyError: 'y'", file="/p/x/y.py", line=3, column=5, source="    y[1]")
    )
    _, problems = check_offline(path, found)
    assert str(problems[0]) == "/p/x/y.py:3:5: error[C301]: plugin not loaded: KeyError: 'y'"
    assert as_text(problems).splitlines()[1:3] == ["    3 |     y[1]", "      |     ^"]


def test_a_name_in_the_environment_that_no_plugin_has_is_a_warning(path: Path) -> None:
    found = registry()
    found.unmatched = [
        Unmatched("x", "CLUSTERF_DISABLE_PLUGINS", 'did you mean "y"?'),
        Unmatched("z", "disable_plugins", "has a place in the file"),
    ]
    _, [problem] = check_offline(path, found)
    assert str(problem) == '$CLUSTERF_DISABLE_PLUGINS: warning[C104]: no plugin is called "x"'
    assert (problem.hint, problem.code) == ('did you mean "y"?', "C104")


def test_a_hook_that_nobody_calls_is_a_warning_of_its_file(path: Path) -> None:
    found = registry()
    origin = "/etc/clusterf/plugins.d/x.py"
    found.uncalled_hooks.append(UncalledHook(origin, "clusterf_chek", "is not called", "hint"))
    _, [problem] = check_offline(path, found)
    assert str(problem) == f"{origin}: warning[C303]: is not called"
    assert (problem.hint, problem.code) == ("hint", "C303")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    reading, problems = check_offline(tmp_path, registry())
    assert reading is None
    assert [problem.message for problem in problems] == ["cannot be read: is a directory"]
