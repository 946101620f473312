from __future__ import annotations

import re
import tomllib
from importlib import import_module, metadata
from pathlib import Path

import pytest

from clusterf.plugin.dropins import provided
from clusterf.plugin.dropins.provided import LIBRARIES, OURS, Library, libraries, promise

PYPROJECT = Path(__file__).parents[4] / "pyproject.toml"


def test_it_is_what_clusterf_depends_on() -> None:
    wanted = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["dependencies"]
    assert sorted(re.split(r"[^\w-]", one)[0] for one in wanted) == list(LIBRARIES)


@pytest.mark.parametrize("name", [*LIBRARIES, *OURS])
def test_all_of_it_is_there(name: str) -> None:
    assert import_module(name).__name__ == name


def test_versions_are_those_that_are_installed() -> None:
    assert Library("trio", metadata.version("trio")) in libraries()
    assert f"trio {metadata.version('trio')}" in promise()


def test_without_metadata_a_name_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provided, "LIBRARIES", ("no-such-library",))
    assert libraries() == [Library("no-such-library", "")]
    assert ", no-such-library; vendor" in promise()
