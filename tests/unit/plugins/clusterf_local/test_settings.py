from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest
from pydantic import ValidationError

from clusterf.model.address import Network
from clusterf.model.table import Method
from clusterf.plugin import Code, Fault, faults_of
from clusterf_local.settings import LocalSettings


def faults(data: dict[str, Any]) -> list[Fault]:
    with pytest.raises(ValidationError) as caught:
        LocalSettings.model_validate(data)
    return faults_of(caught.value, LocalSettings, data)


def test_either_criterion_is_enough() -> None:
    by_source = LocalSettings.model_validate({"sources": ["docker"]})
    assert (by_source.prefixes, by_source.method, by_source.others) == ([], Method.MASQ, "drop")
    by_prefix = LocalSettings.model_validate({"prefixes": ["203.0.113.0/26"]})
    assert by_prefix.prefixes == [Network.parse("203.0.113.0/26")]


@pytest.mark.parametrize("data", [{}, {"sources": []}, {"sources": [], "prefixes": []}])
def test_one_of_the_criteria_is_a_must(data: dict[str, Any]) -> None:
    [fault] = faults(data)
    assert (fault.at, fault.missing, fault.code) == ((), "sources", Code.MISSING_KEY)


@pytest.mark.parametrize(
    ("key", "value", "at", "words"),
    [
        ("sources", [""], ("sources", 0), "at least 1 characters"),
        ("sources", "docker", ("sources",), "must be an array"),
        ("prefixes", ["203.0.113.1/26"], ("prefixes", 0), "host bits"),
        ("method", "nat", ("method",), "unknown forwarding method"),
        ("others", "forward", ("others",), "unknown value"),
        ("services", ["web", ""], ("services", 1), "at least 1 characters"),
        ("source", ["docker"], ("source",), "unknown key"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(
    key: str, value: Any, at: tuple[str | int, ...], words: str
) -> None:
    [fault] = faults({"sources": ["docker"], key: value})
    assert fault.at == at
    assert words in fault.message


def test_the_sample_is_a_policy_of_this_type() -> None:
    text = resources.files("clusterf_local").joinpath("sample.toml").read_text("utf-8")
    [table] = tomllib.loads(text)["policies"]
    assert table.pop("type") == "local"
    assert LocalSettings.model_validate(table).sources
