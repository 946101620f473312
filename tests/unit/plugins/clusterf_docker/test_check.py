from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.config.check import check_offline
from clusterf.model.problem import Code, Severity
from clusterf.plugin.loader import load_plugins

HEAD = """[clusterf]
managed = ["192.0.2.0/24"]
[outputs.kernel]
type = "ipvs"
[sources.engine]
type = "docker"
"""
AGAIN = '[sources.again]\ntype = "docker"\n'
REMOTE = 'host = "tcp://192.0.2.1:2375"\n'
ROUTES = 'routes = { gateway4 = "192.0.2.1" }\n'
POLICY = '[[policies]]\ntype = "routes"\n'
LOCAL = '[[policies]]\ntype = "local"\nsources = ["engine"]\n'
WEB = '[services.web]\nfrontend = { ipv4 = "192.0.2.1", tcp = 80 }\n'
ETCD = '[sources.cluster]\ntype = "etcd"\n'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (AGAIN, [("sources.again", Code.CONTRADICTION)]),
        (AGAIN + REMOTE, []),
        ('services = ["a"]\n' + AGAIN + 'services = ["b"]\n', []),
        ('services = ["a"]\n' + AGAIN + 'services = ["b", "a"]\n',
         [("sources.again", Code.CONTRADICTION)]),
        # Routes that lead to this host.
        (ROUTES, []),
        (ROUTES + POLICY, [("sources.engine.routes", Code.OWN_BACKENDS)]),
        (ROUTES + REMOTE + POLICY, []),
        (ROUTES + POLICY + LOCAL, []),
        (ROUTES + POLICY + "sources = []\n", []),
        (ROUTES + POLICY + 'sources = ["eng*"]\n', [("sources.engine.routes", Code.OWN_BACKENDS)]),
        # Labels that may join nothing.
        ('services = ["w*", "wbe"]\n' + WEB, [("sources.engine.services[1]", Code.UNKNOWN_CHOICE)]),
        ('services = ["wbe"]\n', []),
        ('services = ["wbe"]\n' + WEB + ETCD, []),
        ('services = ["api"]\n[sources.x]\ntype = "static"\n[sources.x.services.api]\n'
         'frontend = { ipv4 = "192.0.2.2", tcp = 80 }\n' + WEB, []),
    ],
)  # fmt: skip
def test_sources(tmp_path: Path, text: str, found: list[tuple[str, Code]]) -> None:
    path = tmp_path / "clusterf.toml"
    path.write_text(HEAD + text)
    problems = check_offline(path, load_plugins())[1]
    assert [(problem.path, problem.code) for problem in problems] == found
    assert all(problem.severity is Severity.WARNING for problem in problems)


@pytest.mark.parametrize("rest", ["sources = 3\n", "[sources]\nx = 3\n", "services = 3\n"])
def test_a_configuration_at_fault_is_no_obstacle(tmp_path: Path, rest: str) -> None:
    path = tmp_path / "clusterf.toml"
    table = 'type = "docker"\nservices = ["x"]\n[outputs.kernel]\ntype = "ipvs"\n'
    path.write_text(f'{rest}[clusterf]\nmanaged = ["192.0.2.0/24"]\n[sources.engine]\n{table}')
    problems = check_offline(path, load_plugins())[1]
    assert problems
    assert Code.PLUGIN_FAILED not in {problem.code for problem in problems}


def test_a_host_that_only_publishes_follows_no_route(tmp_path: Path) -> None:
    path = tmp_path / "clusterf.toml"
    text = HEAD.replace('"ipvs"', '"etcd"\nsources = ["engine"]')
    path.write_text(text + ROUTES + POLICY)
    assert check_offline(path, load_plugins())[1] == []
