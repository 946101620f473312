from __future__ import annotations

import pytest

from clusterf.plugin import Among, Code, Document, Severity, unpicking


@pytest.mark.parametrize(
    ("patterns", "picked"),
    [
        (None, {"services", "sources.etcd-main", "sources.etcd-old", "sources.docker"}),
        ([], set()),
        (["docker"], {"sources.docker"}),
        (["sources.docker"], {"sources.docker"}),
        (["etcd-*", "services"], {"services", "sources.etcd-main", "sources.etcd-old"}),
        (["sources.*"], {"sources.etcd-main", "sources.etcd-old", "sources.docker"}),
        (["etcd-[mn]*", "dock?r"], {"sources.etcd-main", "sources.docker"}),
        (["Docker", "etcd", "sources"], set()),
    ],
)
def test_sources_are_picked_by_name_with_or_without_their_section(
    patterns: list[str] | None, picked: set[str]
) -> None:
    among = Among(patterns)
    names = ("services", "sources.etcd-main", "sources.etcd-old", "sources.docker")
    assert {name for name in names if among(name)} == picked
    assert {name for name in names if among(name)} == picked, "asked again"


TEXT = """[sources.docker]
enabled = false
[sources.etcd]
typ = "etcd"
"""


@pytest.mark.parametrize(
    ("text", "patterns", "found"),
    [
        # Whatever stands there counts, be it right or not.
        (TEXT, ["docker", "sources.etcd", "e*"], []),
        (TEXT, ["docker", "etdc"], [((1,), 'did you mean "etcd"?')]),
        (TEXT, ["sources.dokcer"], [((0,), 'did you mean "docker"?')]),
        (TEXT, ["services"], [((0,), "one of docker, etcd")]),
        (TEXT + "[routes.a]\n", ["services"], []),
        ("", ["docker"], [((0,), "there is none")]),
        ("sources = 3\n", ["docker"], [((0,), "there is none")]),
    ],
)
def test_a_pattern_that_picks_no_source_is_a_warning(
    text: str, patterns: list[str], found: list[object]
) -> None:
    faults = list(unpicking(patterns, Document.parse("a.toml", text.encode())))
    assert [(fault.at, fault.hint) for fault in faults] == found
    for fault in faults:
        assert fault.message == f'"{patterns[int(fault.at[0])]}" picks no source'
        assert (fault.severity, fault.code) == (Severity.WARNING, Code.UNKNOWN_CHOICE)
