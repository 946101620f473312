from __future__ import annotations

from pathlib import Path

from clusterf.config.check import check_offline
from clusterf.model.problem import Code, Problem, Severity
from clusterf.plugin.loader import load_plugins

TEXT = """[clusterf]
managed = ["192.0.2.0/24"]
[sources.local-files]
type = "static"
path = "services.d"
[services.web]
frontend = { ipv4 = "192.0.2.1", tcp = 80 }
backends = ["198.51.100.1:80"]
[[policies]]
type = "routes"
[[policies]]
type = "local"
sources = [SOURCES]
[outputs.kernel]
type = "ipvs"
"""


def check(folder: Path, sources: str) -> list[Problem]:
    (folder / "services.d").mkdir(exist_ok=True)
    (folder / "services.d" / "none.toml").write_text("")
    (folder / "clusterf.toml").write_text(TEXT.replace("SOURCES", sources))
    return check_offline(folder / "clusterf.toml", load_plugins())[1]


def test_a_pattern_that_picks_no_source_is_a_warning_at_its_place(tmp_path: Path) -> None:
    [problem] = check(tmp_path, '"services", "local-fiels"')
    assert (problem.severity, problem.code) == (Severity.WARNING, Code.UNKNOWN_CHOICE)
    assert (problem.line, problem.path) == (13, "policies[1].sources[1]")
    assert problem.message == 'picks no source: none is called "local-fiels"'
    assert problem.hint == 'did you mean "local-files"?'


def test_patterns_that_pick_a_source_are_fine(tmp_path: Path) -> None:
    assert check(tmp_path, '"local-*", "sources.local-files", "services"') == []
