from __future__ import annotations

from typing import Any

import pytest

from clusterf.config.completeness import completeness_faults
from clusterf.model.problem import Code

GOOD: dict[str, Any] = {"sources": {"a": {}}, "outputs": {"b": {}}}


@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        (GOOD, []),
        ({}, [Code.NO_SOURCE, Code.NO_OUTPUT]),
        (GOOD | {"sources": {}}, [Code.NO_SOURCE]),
        (GOOD | {"sources": {"a": {"enabled": False}}}, [Code.NO_SOURCE]),
        (GOOD | {"sources": {"a": {"enabled": 0}}}, []),
        (GOOD | {"sources": 3}, []),
        ({"outputs": {"b": {}}, "services": {"web": {}}}, []),
        ({"outputs": {"b": {}}, "services": {}}, [Code.NO_SOURCE]),
        ({"outputs": {"b": {}}, "routes": {}}, []),
        (GOOD | {"clusterf": {"managed": []}}, [Code.NOTHING_MANAGED]),
        (GOOD | {"clusterf": {"managed": [], "managed_fwmarks": [1]}}, []),
    ],
)
def test_what_is_lacking(raw: dict[str, Any], codes: list[Code]) -> None:
    assert [fault.code for fault in completeness_faults(raw)] == codes


@pytest.mark.parametrize(
    ("types", "codes"),
    [
        (["etcd"], []),
        (["etcd", "etcd"], []),
        (["etcd", "ipvs"], [Code.NOTHING_MANAGED]),
        (["ipvs"], [Code.NOTHING_MANAGED]),
    ],
)
def test_who_only_publishes_need_not_own_anything(types: list[str], codes: list[Code]) -> None:
    raw = {
        "clusterf": {"managed": []},
        "sources": {"a": {}},
        "outputs": {f"o{number}": {"type": name} for number, name in enumerate(types)},
    }
    assert [fault.code for fault in completeness_faults(raw, {"etcd"})] == codes
