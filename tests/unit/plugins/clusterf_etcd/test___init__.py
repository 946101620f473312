from __future__ import annotations

from pathlib import Path

import clusterf_etcd
from clusterf.config.configuration import Configuration, Instance
from clusterf.plugin import Code, Document, Severity, SourceType
from clusterf_docker import clusterf_register_sources
from clusterf_docker.settings import DockerSettings
from clusterf_etcd.settings import EtcdOutputSettings, EtcdSourceSettings

TEXT = """\
[outputs.cluster]
type = "etcd"
sources = [
    {},
]
"""

[DOCKER] = clusterf_register_sources()
[SOURCE] = clusterf_etcd.clusterf_register_sources()
[OUTPUT] = clusterf_etcd.clusterf_register_outputs()


def check(*patterns: str) -> list[tuple[int, Severity, str, str]]:
    """Problems of an output that publishes these sources, beside one of docker and one of etcd."""
    kinds: dict[str, tuple[SourceType[DockerSettings | EtcdSourceSettings], object]] = {
        "sources.local-docker": (DOCKER, DockerSettings()),
        "sources.cluster": (SOURCE, EtcdSourceSettings()),
    }
    settings = EtcdOutputSettings.model_validate({"sources": list(patterns)})
    text = TEXT.format(",\n    ".join(f'"{pattern}"' for pattern in patterns))
    problems = clusterf_etcd.clusterf_check(
        Configuration(
            path=Path("clusterf.toml"),
            sources={
                name: Instance(name=name, type=kind, settings=facts)
                for name, (kind, facts) in kinds.items()
            },
            outputs={
                "outputs.cluster": Instance(name="outputs.cluster", type=OUTPUT, settings=settings)
            },
        ),
        Document.parse("clusterf.toml", text.encode()),
    )
    return [(one.line, one.severity, one.code, one.message) for one in problems]


def test_a_source_and_an_output_that_publishes_are_registered() -> None:
    assert (SOURCE.name, SOURCE.settings) == ("etcd", EtcdSourceSettings)
    assert (OUTPUT.name, OUTPUT.settings, OUTPUT.publishes) == ("etcd", EtcdOutputSettings, True)
    assert not OUTPUT.follows


def test_what_is_published_comes_from_sources_that_are_there() -> None:
    assert check("local-docker", "sources.local-*") == []
    assert check("local-docker", "docker") == [
        (5, Severity.WARNING, Code.CONTRADICTION, "picks no source")
    ]


def test_what_comes_from_etcd_is_not_published_to_it() -> None:
    assert check("*") == [
        (
            4,
            Severity.ERROR,
            Code.CONTRADICTION,
            "picks sources.cluster, and what comes from etcd is not published to it",
        )
    ]
