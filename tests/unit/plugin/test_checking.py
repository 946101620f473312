"""The engine's configuration is what the protocol for plugins promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.config.configuration import Configuration, Instance
from clusterf.plugin import Configured, Settings, place_of
from tests.golden.plugins import registry


def test_a_configuration_is_configured() -> None:
    configured: Configured = Configuration(path=Path("clusterf.toml"))
    assert configured.core.managed == ()
    assert configured.defaults.scheduler == "wlc"
    assert not configured.sources
    assert not configured.policies
    assert not configured.outputs


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("sources.local-docker", ("sources", "local-docker")),
        ("outputs.a.b", ("outputs", "a.b")),
        ("policies[12]", ("policies", 12)),
        ("services", ()),
    ],
)
def test_an_instance_has_a_place(name: str, at: tuple[str | int, ...]) -> None:
    kind = registry().sources["static"]
    assert place_of(Instance(name=name, type=kind, settings=Settings())) == at
