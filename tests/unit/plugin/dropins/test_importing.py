from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clusterf.config.configuration import Configuration
from clusterf.config.load import load_configuration
from clusterf.engine.instances import unchanged
from clusterf.plugin.dropins.importing import import_drop_in
from clusterf.plugin.loader import load_plugins
from tests.unit.plugin.texts import drop_in, good, load, only_failure

PACKAGE = "from .inner import *\nCLUSTERF_API = '1.0'\n"


def test_a_file_and_a_package_are_loaded(folder: Path) -> None:
    one = drop_in(folder, "one.py", good("one"))
    drop_in(folder, "two/__init__.py", PACKAGE)
    drop_in(folder, "two/inner.py", good("two"))
    registry = load(folder)
    assert registry.failures == []
    assert set(registry.policies) == {"one", "two"}
    assert registry.provided_by["policy one"] == str(one)
    assert [(plugin.name, plugin.api) for plugin in registry.plugins] == [
        ("one", "1.0"),
        ("two", "1.0"),
    ]


def test_a_drop_in_may_use_the_standard_library_and_what_is_promised(folder: Path) -> None:
    drop_in(folder, "one.py", "import sqlite3, xmlrpc.client, trio, httpx2\n" + good())
    assert load(folder).failures == []


def test_parts_of_a_package_import_one_another(folder: Path) -> None:
    drop_in(
        folder,
        "x/__init__.py",
        "from . import words\nfrom .deep.er import more\nfrom x_alike import y\n"
        "CLUSTERF_API = '1.0'\n".replace("from x_alike import y\n", "")
        + good(),
    )
    drop_in(folder, "x/words.py", "from .deep import WORD")
    drop_in(folder, "x/deep/__init__.py", "WORD = 'hello'")
    drop_in(folder, "x/deep/er.py", "from ..words import WORD as more\nimport json")
    assert load(folder).failures == []
    assert sys.modules["clusterf_dropin_x.words"].WORD == "hello"


def test_what_is_vendored_is_imported_relatively(folder: Path) -> None:
    drop_in(folder, "x/__init__.py", "from ._vendor import lib\nassert lib.y == 3\n" + good())
    drop_in(folder, "x/_vendor/lib.py", "from .other import y")
    drop_in(folder, "x/_vendor/other.py", "y = 3")
    assert load(folder).failures == []


def test_a_part_may_be_imported_late(folder: Path) -> None:
    drop_in(
        folder, "x/__init__.py", "def late():\n    from .inner import y\n    return y\n" + good()
    )
    drop_in(folder, "x/inner.py", "y = 3")
    [plugin] = load(folder).plugins
    assert plugin.module.late() == 3


def test_no_bytecode_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    drop_in(folder, "one.py", good("one"))
    drop_in(folder, "two/__init__.py", PACKAGE)
    drop_in(folder, "two/inner.py", good("two"))
    assert load(folder).failures == []
    assert sorted(path.name for path in folder.rglob("*")) == [
        "__init__.py",
        "inner.py",
        "one.py",
        "two",
    ]


def test_no_bytecode_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stale, or was put there, would be run instead of the file that is read and judged."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    drop_in(folder, "x/__init__.py", "from .gone import y\n" + good())
    drop_in(folder, "x/gone.pyc", "")
    failure = only_failure(load(folder))
    assert failure.message == 'no module named "x.gone"'


def test_what_fails_leaves_no_module(folder: Path) -> None:
    drop_in(folder, "x/__init__.py", "CLUSTERF_API = '1.0'\nfrom . import inner\n1 / 0\n")
    drop_in(folder, "x/inner.py", "")
    only_failure(load(folder))
    assert [name for name in sys.modules if name.startswith("clusterf_dropin_x")] == []


# --- again ----------------------------------------------------------------------------------------


def test_what_is_as_it_was_stays_the_same_module(folder: Path) -> None:
    """Its types are equal then, and a reload leaves what runs alone."""
    path = drop_in(folder, "x.py", good())
    first, second = load(folder), load(folder)
    assert first.plugins[0].module is second.plugins[0].module
    assert first.policies == second.policies
    assert import_drop_in(path).module is first.plugins[0].module


def test_what_has_changed_is_run_anew(folder: Path) -> None:
    drop_in(folder, "x.py", good())
    first = load(folder)
    drop_in(folder, "x.py", good() + "\n# changed\n")
    assert load(folder).policies != first.policies


def test_a_part_that_has_changed_counts(folder: Path) -> None:
    drop_in(folder, "x/__init__.py", PACKAGE)
    drop_in(folder, "x/inner.py", good("one"))
    assert set(load(folder).policies) == {"one"}
    drop_in(folder, "x/inner.py", good("two"))
    assert set(load(folder).policies) == {"two"}
    drop_in(folder, "x/inner.py", "1 / 0")
    assert "ZeroDivisionError" in only_failure(load(folder)).message
    drop_in(folder, "x/inner.py", good("one"))
    assert set(load(folder).policies) == {"one"}


def test_one_name_in_two_folders_is_two_plugins(folder: Path, tmp_path: Path) -> None:
    drop_in(folder, "x.py", good())
    drop_in(tmp_path / "other", "x.py", good())
    first, second = load(folder), load(tmp_path / "other")
    assert first.plugins[0].module is not second.plugins[0].module


def test_a_reload_leaves_the_instances_of_an_unchanged_drop_in_alone(
    folder: Path, tmp_path: Path
) -> None:
    source = good("mine").replace("PolicyType", "SourceType").replace("policies", "sources")
    drop_in(folder, "x.py", source)
    path = tmp_path / "clusterf.toml"
    path.write_text(
        '[clusterf]\nmanaged = ["192.0.2.0/24"]\n[sources.a]\ntype = "mine"\n'
        '[outputs.k]\ntype = "ipvs"\n'
    )

    def read() -> Configuration:
        configuration, problems = load_configuration(path, load_plugins([folder]))
        assert configuration is not None, problems
        return configuration

    before = read()
    assert unchanged(before, read()) == {"sources.a", "outputs.k"}
    drop_in(folder, "x.py", source + "\n# changed\n")
    assert unchanged(before, read()) == {"outputs.k"}
