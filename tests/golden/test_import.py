"""Configurations of keepalived (``.conf``) and of ipvsadm (``.rules``), and what becomes of them.

Every ``import/NAME.conf`` has beside it ``NAME.toml``, the result, and ``NAME.out``, the report,
which ends with the exit code. To write them anew, and then read the difference::

    REGENERATE=1 .venv/bin/python -m pytest tests/golden -q -p no:randomly
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from clusterf.cli.main import main
from clusterf.config.check import check_offline
from clusterf_import.ipvsadm.rules import rules
from clusterf_import.ipvsadm.table import services
from clusterf_import.keepalived.configuration import read
from clusterf_import.keepalived.files import find, read_source
from clusterf_import.places import Findings
from clusterf_import.services import ImportedService
from tests.golden.plugins import registry
from tests.imported import read_back

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "import"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in {".conf", ".rules"})
RESULTS = sorted(path.name for path in FOLDER.glob("*.toml"))

Shown = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    monkeypatch.setenv("CLUSTERF_CONFIG", "none.toml")


@pytest.mark.parametrize("name", CASES)
def test_import_prints(name: str, capsys: Shown) -> None:
    what = ["ipvsadm"] if name.endswith(".rules") else ["keepalived", "--config-id", "main"]
    code = main(["import", *what, name])
    result, report = capsys.readouterr()
    report += f"exit {code}\n"
    expected = {".toml": result, ".out": report}
    if os.environ.get("REGENERATE"):
        for suffix, text in expected.items():
            path = Path(name).with_suffix(suffix)
            path.unlink(missing_ok=True)
            if text:
                path.write_text(text, "utf-8")
    assert report == Path(name).with_suffix(".out").read_text("utf-8")
    toml = Path(name).with_suffix(".toml")
    assert result == (toml.read_text("utf-8") if toml.exists() else "")


@pytest.mark.parametrize("name", RESULTS)
def test_check_finds_nothing_in_the_result(name: str) -> None:
    _, problems = check_offline(Path(name), registry())
    assert [str(problem) for problem in problems] == []


@pytest.mark.parametrize("name", RESULTS)
def test_the_source_of_static_services_reads_what_was_meant(name: str) -> None:
    assert read_back(Path(name).read_text("utf-8")) == meant(Path(name))


def meant(result: Path) -> list[ImportedService]:
    """The services before they are written."""
    if (table := result.with_suffix(".rules")).exists():
        return services(rules(table.name, table.read_text("utf-8"), Findings()), Findings())
    source = read_source(str(result.with_suffix(".conf")))
    imported = read(source, "main", find, Findings())
    assert imported is not None
    return imported.services


def test_the_readme_shows_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    readme = (ROOT / "plugins" / "clusterf_import" / "README.md").read_text("utf-8")
    section = readme.split("\n## Example\n", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"^```(?:toml)?\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    given, result, report = blocks
    monkeypatch.chdir(tmp_path)
    Path("web.conf").write_text(given, "utf-8")
    assert main(["import", "keepalived", "web.conf"]) == 0
    assert capsys.readouterr() == (result, report)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 12
    assert len(CASES) == len(list(FOLDER.glob("*.out")))
    assert {Path(name).stem for name in RESULTS} <= {Path(name).stem for name in CASES}
