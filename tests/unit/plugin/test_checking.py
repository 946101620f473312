"""The engine's configuration is what the protocol for plugins promises."""

from __future__ import annotations

from pathlib import Path

from clusterf.config.configuration import Configuration
from clusterf.plugin import Configured


def test_a_configuration_is_configured() -> None:
    configured: Configured = Configuration(path=Path("clusterf.toml"))
    assert configured.core.managed == ()
    assert configured.defaults.scheduler == "wlc"
    assert not configured.sources
    assert not configured.policies
    assert not configured.outputs
