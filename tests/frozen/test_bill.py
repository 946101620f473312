"""The bill of materials names what is inside, all of it and nothing else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from clusterf.plugin.dropins.provided import LIBRARIES
from tests.frozen.executables import DIST, FOLDER, ONE_FILE

INSIDE = FOLDER.path.parent / "_internal"


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DIST / "clusterf.cdx.json").read_text("utf-8"))
    return found


def names(bill: dict[str, Any], kind: str) -> set[str]:
    return {
        one["name"] for one in bill["components"] if one.get("purl", "").startswith(f"pkg:{kind}/")
    }


def test_it_is_cyclonedx(bill: dict[str, Any]) -> None:
    read = Bom.from_json(bill)  # type: ignore[attr-defined] # made by a decorator
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert len(read.components) == len(bill["components"])
    assert read.validate()


def test_it_is_as_the_schema_of_cyclonedx_has_it() -> None:
    text = (DIST / "clusterf.cdx.json").read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_is_about_this_executable(bill: dict[str, Any]) -> None:
    about = bill["metadata"]["component"]
    digest = hashlib.sha256(ONE_FILE.path.read_bytes()).hexdigest()
    assert about["name"] == "clusterf"
    assert about["hashes"] == [{"alg": "SHA-256", "content": digest}]


def test_every_distribution_inside_is_on_it(bill: dict[str, Any]) -> None:
    inside = {canonicalize_name(path.name.split("-")[0]) for path in INSIDE.glob("*.dist-info")} - {
        "clusterf"
    }
    listed = set(map(canonicalize_name, names(bill, "pypi"))) - {"pyinstaller"}
    assert listed == inside
    assert set(LIBRARIES) <= listed


def test_every_shared_library_is_on_it(bill: dict[str, Any]) -> None:
    files = {path.name for path in INSIDE.glob("lib*.so*")}
    listed = {
        one["value"]
        for component in bill["components"]
        for one in component.get("properties", ())
        if one["name"] == "clusterf:file"
    }
    assert listed == files
    assert files >= {"libpython3.11.so.1.0"} or any("libpython" in name for name in files)


def test_everything_of_python_has_a_licence_and_its_text_is_inside(bill: dict[str, Any]) -> None:
    for one in bill["components"]:
        if one.get("purl", "").startswith("pkg:pypi/"):
            assert one["licenses"], one["name"]


def test_what_clusterf_needs_is_told(bill: dict[str, Any]) -> None:
    needs = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    [ours] = [ref for ref in needs if ref.startswith("pkg:pypi/clusterf@")]
    assert {ref.split("@")[0] for ref in needs[ours]} >= {f"pkg:pypi/{name}" for name in LIBRARIES}


def test_it_names_no_path_of_the_machine() -> None:
    text = (DIST / "clusterf.cdx.json").read_text("utf-8")
    assert str(Path.home()) not in text
    assert str(DIST.parent) not in text
