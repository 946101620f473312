from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest
from pydantic import ValidationError

from clusterf.plugin import faults_of
from clusterf_addresses.settings import AddressesSettings


def test_defaults_are_those_of_the_sample() -> None:
    text = resources.files("clusterf_addresses").joinpath("sample.toml").read_text("utf-8")
    assert tomllib.loads(text) == {"outputs": {"vips": {"type": "addresses"}}}
    options = [line[2:] for line in text.splitlines() if line.startswith("# ")]
    assert tomllib.loads("\n".join(options)) == AddressesSettings().model_dump()


@pytest.mark.parametrize(
    ("table", "at", "words"),
    [
        ({"interface": ""}, "interface", "not the name of an interface"),
        ({"interface": "a/b"}, "interface", "not the name of an interface"),
        ({"interface": "lo:1"}, "interface", "not the name of an interface"),
        ({"interface": "dummy%d"}, "interface", "not the name of an interface"),
        ({"interface": "all"}, "interface", "not the name of an interface"),
        ({"interface": "x" * 16}, "interface", "not the name of an interface"),
        ({"interface": 7}, "interface", "must be a string"),
        ({"create": True}, "create", "lo is always there"),
        ({"sysctls": "force"}, "sysctls", "unknown value"),
        ({"arp": True}, "arp", "unknown value"),
        ({"interfaces": "lo"}, "interfaces", "unknown key"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(table: dict[str, Any], at: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AddressesSettings.model_validate(table)
    [fault] = faults_of(caught.value, AddressesSettings, table)
    assert fault.at == (at,)
    assert words in fault.message


def test_a_dummy_device_may_be_made() -> None:
    settings = AddressesSettings.model_validate({"interface": "vips0", "create": True})
    assert settings.create
