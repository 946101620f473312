from __future__ import annotations

import json
import tomllib

import pytest
from jsonschema import Draft202012Validator

from tests.unit.control.scene import Scene


def test_the_types_of_drop_ins_are_in_it(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert scene.cli("schema") == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"outputs.model", "outputs.ipvs", "sources.told"} <= schema["$defs"].keys()
    assert Draft202012Validator(schema).is_valid(tomllib.loads(scene.file.read_text()))
    assert scene.cli("schema", "--bundled-only") == 0
    schema = json.loads(capsys.readouterr().out)
    assert "outputs.model" not in schema["$defs"]


def test_no_configuration_is_needed(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.file.unlink()
    assert scene.cli("schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "clusterf.toml"
