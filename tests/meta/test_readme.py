"""What the README shows is what the program takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clusterf.config.check import check_offline
from clusterf.plugin.loader import load_plugins

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
WHOLE = [block for block in BLOCKS if "[clusterf]" in block]
FILES = [block for block in BLOCKS if "[clusterf]" not in block]


def problems(text: str, folder: Path) -> list[str]:
    path = folder / "clusterf.toml"
    path.write_text(text, "utf-8")
    _, found = check_offline(path, load_plugins())
    return [str(problem) for problem in found]


def test_there_is_something_to_check() -> None:
    assert len(WHOLE) >= 3
    assert FILES


@pytest.mark.parametrize("block", WHOLE)
def test_its_configurations_have_no_problem(block: str, tmp_path: Path) -> None:
    assert problems(block, tmp_path) == []


@pytest.mark.parametrize("block", FILES)
def test_its_files_of_services_have_none_either(block: str, tmp_path: Path) -> None:
    (tmp_path / "services.d").mkdir()
    (tmp_path / "services.d" / "web.toml").write_text(block, "utf-8")
    text = """
    [clusterf]
    managed = ["192.0.2.0/24"]
    [sources.files]
    type = "static"
    path = "services.d"
    [outputs.kernel]
    type = "ipvs"
    """
    assert problems(text, tmp_path) == []


def test_it_is_seen_when_one_has(tmp_path: Path) -> None:
    assert problems(WHOLE[0].replace('"ipvs"', '"ipsv"'), tmp_path) != []
