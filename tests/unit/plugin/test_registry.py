from __future__ import annotations

from pathlib import Path

from clusterf.plugin.registry import ROLES, LoadFailure, Registry
from tests.unit.plugin.texts import command, drop_in, good, load


def test_what_there_is_of_each_role(folder: Path) -> None:
    drop_in(folder, "a.py", good("x"))
    drop_in(folder, "b.py", command("greet"))
    registry = load(folder)
    assert {role: list(registry.of(role)) for role in ROLES} == {
        "source": [],
        "policy": ["x"],
        "output": [],
        "command": ["greet"],
    }
    assert registry.of("policy") is registry.policies


def test_registries_share_nothing() -> None:
    assert Registry().of("source") is not Registry().of("source")


def test_the_place_of_a_failure() -> None:
    assert LoadFailure("/x.py", "bad").place == "/x.py"
    assert LoadFailure("/x", "bad", file="/x/y.py", line=3).place == "/x/y.py:3"
