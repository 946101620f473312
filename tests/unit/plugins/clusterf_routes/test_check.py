from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.config.check import check_offline
from clusterf.model.problem import Code, Severity
from clusterf.plugin.loader import load_plugins

HEAD = """[clusterf]
managed = ["192.0.2.0/24"]
[sources.engine]
type = "docker"
[outputs.kernel]
type = "ipvs"
[[policies]]
type = "routes"
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("sources = []\n", []),
        ('sources = ["engine", "etcd-*"]\n', [("policies[0].sources[1]", Code.UNKNOWN_CHOICE)]),
        ('routes = [{ name = "a", prefix = "192.0.2.0/25" }, { name = "b" }]\n', []),
        (
            'routes = [{ name = "a", prefix = "::/0" }, { name = "b", prefix = "::/0" }]\n',
            [("policies[0].routes[1].prefix", Code.CONTRADICTION)],
        ),
        (
            'routes = [{ name = "a" }, { name = "b" }]\n',
            [("policies[0].routes[1]", Code.CONTRADICTION)],
        ),
    ],
)
def test_policies(tmp_path: Path, text: str, found: list[tuple[str, Code]]) -> None:
    path = tmp_path / "clusterf.toml"
    path.write_text(HEAD + text)
    problems = check_offline(path, load_plugins())[1]
    assert [(problem.path, problem.code) for problem in problems] == found
    assert all(problem.severity is Severity.WARNING for problem in problems)
