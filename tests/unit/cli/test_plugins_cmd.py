from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from clusterf import __version__
from clusterf.plugin.api import API_VERSION
from tests.unit.control.scene import Scene

Shown = pytest.CaptureFixture[str]

ODD = """
from clusterf.plugin import hookimpl
CLUSTERF_API = "1.0"

@hookimpl
def clusterf_register_source():
    return []
"""


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")


def as_json(scene: Scene, capsys: Shown, *words: str) -> Any:
    scene.cli("plugins", "--format", "json", *words)
    return json.loads(capsys.readouterr().out)


def test_what_there_is_and_where_it_comes_from(scene: Scene, capsys: Shown) -> None:
    assert scene.cli("plugins") == 0
    shown = capsys.readouterr().out
    version = sys.version.split()[0]
    assert shown.startswith(f"clusterf {__version__}, plugin API {API_VERSION}, Python {version}\n")
    own = shown.partition(f"{scene.folder / 'plugins' / 'parts.py'}\n")[2].splitlines()
    assert [line.split(maxsplit=2) for line in own[:3]] == [
        ["source", "told", "obeys"],
        ["policy", "broken", "raises"],
        ["output", "model", "a model"],
    ]
    assert "\nclusterf_ipvs " in shown


def test_what_failed_is_told_with_its_hint_and_the_rest_is_there(
    scene: Scene, capsys: Shown
) -> None:
    bad = scene.drop_in("bad.py", "x = 1\n")
    assert scene.cli("plugins") == 78
    shown = capsys.readouterr().out
    assert (
        f"\nNOT LOADED\n  {bad}\n    does not state its API version\n"
        '    hint: add CLUSTERF_API = "1.0"\n'
    ) in shown
    assert "  source   told " in shown


def test_a_hook_that_nobody_calls_is_no_failure(scene: Scene, capsys: Shown) -> None:
    odd = scene.drop_in("odd.py", ODD)
    assert scene.cli("plugins") == 0
    assert f"\nWARNINGS\n  {odd}\n    hook clusterf_register_source is never" in (
        capsys.readouterr().out
    )


def test_a_narrow_terminal_gets_narrow_lines(
    scene: Scene, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert scene.cli("plugins", "--bundled-only") == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


# --- left out -----------------------------------------------------------------------------------


def test_what_is_disabled_is_listed_as_such(
    scene: Scene, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTERF_DISABLE_PLUGINS", "clusterf_ipvs")
    scene.drop_in("bad.py", "raise SystemExit('it ran')")
    scene.write(core='disable_plugins = ["bad"]\n')
    assert scene.cli("plugins") == 0
    shown = capsys.readouterr().out
    assert "  disabled by CLUSTERF_DISABLE_PLUGINS\n" in shown
    assert "  disabled by disable_plugins\n" in shown
    assert "output   ipvs" not in shown
    assert [one["name"] for one in as_json(scene, capsys)["disabled"]] == ["clusterf_ipvs", "bad"]


def test_a_name_that_nobody_has_is_a_warning_of_the_list_and_of_check(
    scene: Scene, capsys: Shown
) -> None:
    scene.write(core='disable_plugins = ["clusterf_etdc"]\n')
    assert scene.cli("plugins") == 0
    assert 'no plugin is called "clusterf_etdc"' in capsys.readouterr().out
    scene.cli("check", "--offline")
    shown = capsys.readouterr().out
    assert (
        'warning[C104]: clusterf.disable_plugins[0]: no plugin is called "clusterf_etdc"' in shown
    )
    assert 'did you mean "clusterf_etcd"?' in shown


def test_a_rescue_lists_what_is_bundled_alone(scene: Scene, capsys: Shown) -> None:
    scene.drop_in("bad.py", "x = 1\n")
    scene.write(core='disable_plugins = ["parts"]\n')
    assert scene.cli("plugins", "--bundled-only") == 0
    shown = capsys.readouterr().out
    assert "told" not in shown
    assert "parts" not in shown
    assert "static" in shown


def test_a_configuration_at_fault_keeps_nobody_from_the_list(scene: Scene, capsys: Shown) -> None:
    scene.file.write_text("[clusterf")
    assert scene.cli("plugins") == 0
    assert "  source   static " in capsys.readouterr().out


# --- one of them ----------------------------------------------------------------------------------


def test_one_plugin(scene: Scene, capsys: Shown) -> None:
    assert scene.cli("plugins", "clusterf_etcd") == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"plugin clusterf_etcd {__version__}\n  bundled with clusterf, for ")
    assert "\nsource etcd\n" in shown
    assert "\noutput etcd\n" in shown
    assert "\ncommand etcd\n" in shown


def test_one_type_in_all_its_roles(scene: Scene, capsys: Shown) -> None:
    assert scene.cli("plugins", "etcd") == 0
    heads = [line for line in capsys.readouterr().out.splitlines() if line[:1] not in {" ", ""}]
    assert heads == [
        f"{role} etcd, of the plugin clusterf_etcd (bundled)"
        for role in ("source", "output", "command")
    ]


def test_one_that_failed_is_told_alone(scene: Scene, capsys: Shown) -> None:
    bad = scene.drop_in("bad.py", "x = 1\n")
    assert scene.cli("plugins", "bad") == 78
    assert capsys.readouterr().out.startswith(f"NOT LOADED\n  {bad}\n")
    assert scene.cli("plugins", "static") == 0


def test_one_that_is_disabled(scene: Scene, capsys: Shown) -> None:
    scene.write(core='disable_plugins = ["clusterf_etcd"]\n')
    assert scene.cli("plugins", "clusterf_etcd") == 0
    assert capsys.readouterr().out == (
        "plugin clusterf_etcd\n  bundled with clusterf, disabled by disable_plugins\n"
    )


def test_one_that_is_not_there(scene: Scene, capsys: Shown) -> None:
    assert scene.cli("plugins", "stattic") == 1
    assert capsys.readouterr().err == (
        'clusterf: no plugin or type "stattic" (hint: did you mean "static"?)\n'
    )


# --- for programs ---------------------------------------------------------------------------------


def test_json_has_all_that_the_text_has(scene: Scene, capsys: Shown) -> None:
    odd, bad = scene.drop_in("odd.py", ODD), scene.drop_in("bad.py", "\nx = 1 / 0\n")
    bad.write_text("CLUSTERF_API = '1.0'\n1 / 0\n")
    found = as_json(scene, capsys)
    assert (found["clusterf"], found["api"]) == (__version__, API_VERSION)
    assert {"name": "clusterf.plugin", "version": __version__} in found["provides"]
    plugins = {one["name"]: one for one in found["plugins"]}
    assert plugins["odd"] == {
        "name": "odd",
        "version": "",
        "api": "1.0",
        "origin": str(odd),
        "hooks": [],
    }
    assert "clusterf_foretell" in plugins["clusterf_static"]["hooks"]
    types = {(one["role"], one["type"]): one for one in found["types"]}
    assert types["source", "told"]["plugin"] == "parts"
    assert types["output", "ipvs"]["options"][0] == {
        "name": "drain",
        "type": "duration",
        "required": False,
        "default": 300.0,
        "description": (
            "longest time that a destination keeps its connections after it left; 0: delete at once"
        ),
    }
    assert [one["command"] for one in found["commands"]] == ["etcd", "import"]
    assert found["failures"] == [
        {
            "origin": str(bad),
            "file": str(bad),
            "line": 2,
            "column": 1,
            "message": "ZeroDivisionError: division by zero",
            "hint": "",
        }
    ]
    assert [(one["origin"], one["hook"]) for one in found["warnings"]] == [
        (str(odd), "clusterf_register_source")
    ]


def test_json_of_one(scene: Scene, capsys: Shown) -> None:
    found = as_json(scene, capsys, "clusterf_local")
    assert [one["name"] for one in found["plugins"]] == ["clusterf_local"]
    assert [one["type"] for one in found["types"]] == ["local"]
    assert found["failures"] == []
