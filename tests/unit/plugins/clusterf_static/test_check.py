"""The golden files of tests/golden show the problems; here is what they cannot show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clusterf.config.check import check_offline
from clusterf.model.problem import Problem, Severity
from tests.golden.plugins import registry

PLUGIN = Path(__file__).parents[4] / "plugins" / "clusterf_static"

HEAD = """[clusterf]
managed = ["192.0.2.0/24"]
[outputs.kernel]
type = "ipvs"
[sources.files]
type = "static"
path = "services.d"
"""


def check(folder: Path) -> list[Problem]:
    (folder / "clusterf.toml").write_text(HEAD)
    return check_offline(folder / "clusterf.toml", registry())[1]


def test_an_empty_directory_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "services.d").mkdir()
    (problem,) = check(tmp_path)
    assert problem.severity is Severity.WARNING
    assert problem.line == 7


def test_files_of_every_kind(tmp_path: Path) -> None:
    folder = tmp_path / "services.d"
    folder.mkdir()
    (folder / "a.toml").mkdir()
    (folder / "b.toml").symlink_to("nowhere")
    (folder / "c.toml").write_bytes(b"a = '\xff'")
    (folder / "d.toml").write_text('[services.web]\nfrontend = { ipv4 = "192.0.2.1", tcp = 1 }\n')
    assert [(Path(problem.file).name, problem.line) for problem in check(tmp_path)] == [
        ("a.toml", 0),
        ("b.toml", 0),
        ("c.toml", 1),
    ]


@pytest.mark.parametrize(
    ("written", "words"),
    [("~/services.d", "~ stands for nobody's home"), ("services.d/*.toml", "name the folder")],
)
def test_what_a_shell_would_expand(tmp_path: Path, written: str, words: str) -> None:
    (tmp_path / "clusterf.toml").write_text(HEAD.replace("services.d", written))
    (problem,) = check_offline(tmp_path / "clusterf.toml", registry())[1]
    assert (problem.line, problem.severity) == (7, Severity.WARNING)
    assert words in problem.hint


def _checked(text: str, folder: Path) -> list[Problem]:
    (folder / "services.d").mkdir()
    (folder / "services.d" / "a.toml").touch()
    path = folder / "clusterf.toml"
    path.write_text(text.replace("/etc/clusterf/services.d", "services.d"))
    return check_offline(path, registry())[1]


def test_the_sample_has_no_problem(tmp_path: Path) -> None:
    assert _checked((PLUGIN / "sample.toml").read_text(), tmp_path) == []


def test_the_sample_with_every_option_has_no_problem(tmp_path: Path) -> None:
    text = (PLUGIN / "sample.toml").read_text()
    shown = re.sub(r"^# ", "", text, flags=re.MULTILINE)
    problems = _checked(
        shown.replace("\n[routes", '\n[[policies]]\ntype = "routes"\n[routes'), tmp_path
    )
    assert problems == []


def test_the_example_of_the_readme_has_no_problem(tmp_path: Path) -> None:
    example = (PLUGIN / "README.md").read_text().split("```toml\n")[1].split("```")[0]
    assert _checked(example, tmp_path) == []
