from __future__ import annotations

from pathlib import Path

import pytest

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
    assert problem.message == '"local-fiels" picks no source'
    assert problem.hint == 'did you mean "local-files"?'


def test_patterns_that_pick_a_source_are_fine(tmp_path: Path) -> None:
    assert check(tmp_path, '"local-*", "sources.local-files", "services"') == []


HEAD = """[clusterf]
managed = ["192.0.2.0/24"]
managed_fwmarks = [7]
[outputs.kernel]
type = "ipvs"
"""
ENGINE = '[sources.engine]\ntype = "docker"\n'
CLUSTER = '[sources.cluster]\ntype = "etcd"\n'
LOCAL = '[[policies]]\ntype = "local"\nsources = ["engine"]\n'
PREFIXES = LOCAL.replace("engine", "e*") + 'prefixes = ["198.51.100.0/24"]\n'
ROUTES = '[[policies]]\ntype = "routes"\n'
KEEP = ENGINE + LOCAL + 'others = "keep"\n'
MARKED = '[services.web]\nfrontends = [{ ipv4 = "192.0.2.1", tcp = 80 }, { fwmark = 7 }]\n'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # What the cluster knows of this host's containers counts where it comes first.
        (ENGINE + CLUSTER + LOCAL, []),
        (CLUSTER + ENGINE + LOCAL, [("policies[0].sources[0]", Code.OWN_BACKENDS)]),
        (CLUSTER + ENGINE + PREFIXES, []),
        (CLUSTER + 'agent = "host1"\n' + ENGINE + LOCAL, []),
        (CLUSTER + LOCAL.replace("engine", "cluster"), []),
        # Routes behind it would count.
        (ENGINE + ROUTES + LOCAL, []),
        (ENGINE + LOCAL + ROUTES, [("policies[0]", Code.OWN_BACKENDS)]),
        # A mark without its entry finds that of the VIP.
        (KEEP + MARKED, []),
        (KEEP + MARKED + "elide = true\n", [("services.web.elide", Code.CONTRADICTION)]),
        (KEEP + MARKED + "elide = false\n[defaults]\nelide = true\n", []),
        (KEEP + MARKED + "[defaults]\nelide = true\n", [("services.web", Code.CONTRADICTION)]),
        (KEEP + 'services = ["api"]\n' + MARKED + "elide = true\n", []),
        (ENGINE + LOCAL + MARKED + "elide = true\n", []),
    ],
)
def test_what_stands_in_each_others_way(
    tmp_path: Path, text: str, found: list[tuple[str, Code]]
) -> None:
    path = tmp_path / "clusterf.toml"
    path.write_text(HEAD + text)
    problems = check_offline(path, load_plugins())[1]
    assert [(problem.path, problem.code) for problem in problems] == found
    assert all(problem.severity is Severity.WARNING for problem in problems)
