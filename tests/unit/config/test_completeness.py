from __future__ import annotations

from typing import Any

import pytest

from clusterf.config.completeness import completeness_faults, surplus_faults
from clusterf.model.problem import Code

GOOD: dict[str, Any] = {"sources": {"a": {}}, "outputs": {"b": {"type": "ipvs"}}}
MANAGING = {"ipvs", "addresses"}


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
    assert [fault.code for fault in completeness_faults(raw, MANAGING)] == codes


@pytest.mark.parametrize(
    ("types", "codes"),
    [
        (["etcd"], []),
        (["etcd", "etcd"], []),
        (["unknown"], []),
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
    assert [fault.code for fault in completeness_faults(raw, MANAGING)] == codes


def test_what_is_switched_off_is_marked() -> None:
    off = {"sources": {"a": {"enabled": False}}, "outputs": {"b": {"enabled": False}}}
    assert [(one.at, one.message.partition(",")[0]) for one in completeness_faults(off)] == [
        (("sources", "a", "enabled"), "is off"),
        (("outputs", "b", "enabled"), "is off"),
    ]


@pytest.mark.parametrize(
    ("outputs", "at"),
    [
        ({"a": {"type": "ipvs"}, "b": {"type": "addresses"}, "c": {"type": "etcd"}}, []),
        ({"a": {"type": "etcd"}, "b": {"type": "etcd"}}, []),
        ({"a": {"type": "ipvs"}, "b": {"type": "ipvs", "enabled": False}}, []),
        ({"a": {"type": "ipvs", "enabled": False}, "b": {"type": "ipvs"}}, []),
        ({"a": {"type": "ipvs", "drian": 1}, "b": {"type": "ipvs"}}, [("outputs", "b")]),
        ({"a": {"type": []}, "b": 3}, []),
        (3, []),
    ],
)
def test_two_outputs_of_one_part_of_the_host(outputs: object, at: list[object]) -> None:
    faults = surplus_faults({"outputs": outputs}, MANAGING)
    assert [fault.at for fault in faults] == at
