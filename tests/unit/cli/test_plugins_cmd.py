from __future__ import annotations

import json
import sys

import pytest

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


def test_what_there_is_and_where_it_comes_from(scene: Scene, capsys: Shown) -> None:
    assert scene.cli("plugins") == 0
    first, *rows = capsys.readouterr().out.splitlines()
    assert first == f"plugin API {API_VERSION}, Python {sys.version.split()[0]}"
    told = {tuple(row.split()[:2]): row.split(maxsplit=3)[2:] for row in rows}
    drop_in = str(scene.folder / "plugins" / "parts.py")
    assert told["source", "told"] == [drop_in, "obeys"]
    assert told["output", "model"] == [drop_in, "a model"]
    assert told["policy", "broken"] == [drop_in, "raises"]
    assert told["source", "static"][0] == "bundled"
    assert told["output", "ipvs"][0] == "bundled"
    assert [row.split()[0] for row in rows] == sorted(
        [row.split()[0] for row in rows], key=["source", "policy", "output", "command"].index
    )


def test_what_failed_is_told_with_its_hint_and_the_rest_is_there(
    scene: Scene, capsys: Shown
) -> None:
    bad = scene.drop_in("bad.py", "x = 1\n")
    assert scene.cli("plugins") == 78
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == (
        f'failed  {bad}: {bad} does not state its API version (hint: add CLUSTERF_API = "1.0")'
    )
    assert any(line.startswith("source  told ") for line in lines)


def test_a_hook_that_nobody_calls_is_told_with_its_plugin(scene: Scene, capsys: Shown) -> None:
    odd = scene.drop_in("odd.py", ODD)
    assert scene.cli("plugins") == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"warning {odd}: hook clusterf_register_source is never called: there is no such hook"
        ' (hint: did you mean "clusterf_register_sources"?)'
    )


def test_json_has_all_that_the_text_has(scene: Scene, capsys: Shown) -> None:
    odd, bad = scene.drop_in("odd.py", ODD), scene.drop_in("bad.py", "x = 1\n")
    assert scene.cli("plugins") == 78
    lines = capsys.readouterr().out.splitlines()
    assert scene.cli("plugins", "--format", "json") == 78
    found = json.loads(capsys.readouterr().out)
    rebuilt = [f"plugin API {found['api']}, Python {found['python']}"]
    rebuilt += [
        f"{one['role']:<7} {one['type']:<12} {one['origin']:<10} {one['summary']}"
        for one in found["types"]
    ]
    rebuilt += [
        f"command {one['command']:<12} {one['origin']:<10} {one['summary']}"
        for one in found["commands"]
    ]
    for word, key in (("warning", "warnings"), ("failed ", "failures")):
        rebuilt += [
            f"{word} {one['origin']}: {one['message']} (hint: {one['hint']})" for one in found[key]
        ]
    assert rebuilt == lines
    assert [one["hook"] for one in found["warnings"]] == ["clusterf_register_source"]
    assert [one["origin"] for one in found["warnings"] + found["failures"]] == [str(odd), str(bad)]


def test_a_rescue_lists_what_is_bundled_alone(scene: Scene, capsys: Shown) -> None:
    scene.drop_in("bad.py", "x = 1\n")
    assert scene.cli("plugins", "--bundled-only") == 0
    shown = capsys.readouterr().out
    assert "told" not in shown
    assert "static" in shown


def test_a_configuration_at_fault_keeps_nobody_from_the_list(scene: Scene, capsys: Shown) -> None:
    scene.file.write_text("[clusterf")
    assert scene.cli("plugins") == 0
    assert "source  static " in capsys.readouterr().out
