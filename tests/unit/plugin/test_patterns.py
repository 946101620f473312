from __future__ import annotations

import pytest

from clusterf.plugin import Among


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
