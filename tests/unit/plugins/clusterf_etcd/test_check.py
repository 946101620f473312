from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.config.check import check_offline
from clusterf.model.problem import Code, Severity
from clusterf.plugin.loader import load_plugins

HEAD = """[clusterf]
managed = []
[sources.local-docker]
type = "docker"
[sources.cluster]
type = "etcd"
SOURCE
[outputs.cluster]
type = "etcd"
"""
"""The options of the source are in line 7, those of the output follow in line 10."""

AGENTS = 'agent = "host1"'
WARNING, ERROR = Severity.WARNING, Severity.ERROR


def found(folder: Path, output: str, source: str = "") -> list[tuple[int, Severity, str, str, str]]:
    path = folder / "clusterf.toml"
    path.write_text(HEAD.replace("SOURCE", source) + output)
    problems = check_offline(path, load_plugins())[1]
    return [(one.line, one.severity, one.code, one.path, one.message) for one in problems]


def test_what_is_published_comes_from_sources_that_are_there(tmp_path: Path) -> None:
    assert found(tmp_path, 'sources = ["local-docker", "sources.local-*"]\n') == []
    assert found(tmp_path, 'sources = ["local-docker", "docker"]\n') == [
        (10, WARNING, Code.UNKNOWN_CHOICE, "outputs.cluster.sources[1]", '"docker" picks no source')
    ]


def test_what_comes_from_etcd_is_not_published_to_it(tmp_path: Path) -> None:
    message = "picks sources.cluster, and what comes from etcd is not published to it"
    assert found(tmp_path, 'sources = ["*"]\n') == [
        (10, ERROR, Code.CONTRADICTION, "outputs.cluster.sources[0]", message)
    ]


LOCAL = 'sources = ["local-docker"]\n'


@pytest.mark.parametrize(
    ("source", "output", "paths"),
    [
        (AGENTS, AGENTS, []),
        (AGENTS, "", []),
        (AGENTS, 'agent = "host2"', ["sources.cluster.agent"]),
        (AGENTS, 'agent = "host2"\nprefix = "/other"', []),
        (AGENTS, 'agent = "host2"\nendpoints = ["http://192.0.2.1"]', []),
        ('grace = "9s"', "", ["sources.cluster.grace"]),
        ('grace = "10s"', "", []),
        ("", 'ttl = "20s"', ["outputs.cluster.ttl"]),
        ("", 'ttl = "20s"\nprefix = "/other"', []),
    ],
)
def test_a_source_reads_back_what_the_output_writes(
    tmp_path: Path, source: str, output: str, paths: list[str]
) -> None:
    problems = found(tmp_path, f"{LOCAL}{output}\n", source)
    assert [one[3] for one in problems] == paths
    assert all(one[1:3] == (WARNING, Code.CONTRADICTION) for one in problems)


@pytest.mark.parametrize(
    ("further", "paths"),
    [
        ("", ["outputs.more"]),
        ('agent = "host2"\n', []),
        ('prefix = "/other"\n', []),
        ('endpoints = ["http://127.0.0.1:2379", "http://192.0.2.1"]\n', ["outputs.more"]),
        ('endpoints = ["http://192.0.2.1"]\n', []),
    ],
)
def test_two_outputs_of_one_agent_to_one_tree(
    tmp_path: Path, further: str, paths: list[str]
) -> None:
    more = f'[outputs.more]\ntype = "etcd"\n{LOCAL}{further}'
    problems = found(tmp_path, LOCAL + more)
    assert [one[3] for one in problems] == paths
    assert all(one[:3] == (11, ERROR, Code.CONTRADICTION) for one in problems)
