from __future__ import annotations

from clusterf.plugin.loader import load_plugins


def test_the_plugin_brings_the_command_and_nothing_else() -> None:
    registry = load_plugins(bundled=["clusterf_import"])
    assert list(registry.commands) == ["import"]
    assert not registry.failures
    assert not (registry.sources)
    assert not (registry.policies)
    assert not (registry.outputs)
