from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest
from pydantic import ValidationError

from clusterf.model.table import Tunnel, TunnelType
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
        ({"tunnels": "ipip"}, "tunnels", "must be an array"),
        ({"underlay": "ipv5"}, "underlay", "unknown value"),
        ({"mss": "small"}, "mss", 'must be "auto", "off" or a number'),
        ({"mss": True}, "mss", "must be"),
        ({"mss": 1.5}, "mss", "must be"),
        ({"mss": 499}, "mss", "from 500 to 65495"),
        ({"mss": 65_496}, "mss", "from 500 to 65495"),
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


def test_tunnels_are_written_as_in_routes() -> None:
    tunnels = ["ipip", {"type": "gre", "flags": "csum"}, {"type": "gue", "port": 6080}]
    settings = AddressesSettings.model_validate({"tunnels": tunnels})
    assert settings.tunnels == [
        Tunnel(TunnelType.IPIP),
        Tunnel(TunnelType.GRE, 0, "csum"),
        Tunnel(TunnelType.GUE, 6080),
    ]


@pytest.mark.parametrize(
    ("tunnels", "at", "words"),
    [
        (["gue"], ("tunnels", 0), "port"),
        (["ipip", "ipp"], ("tunnels", 1), "unknown tunnel type"),
        ([{"type": "ipip", "port": 1}], ("tunnels", 0, "port"), "has no port"),
        (["ipip", "gre", "ipip"], ("tunnels", 2), "ipip is there already"),
        (
            [{"type": "gue", "port": 1}, {"type": "gue", "port": 2}],
            ("tunnels", 1),
            "gue is there already",
        ),
    ],
)
def test_what_is_wrong_with_a_tunnel_is_told_at_its_place(
    tunnels: list[Any], at: tuple[str | int, ...], words: str
) -> None:
    table = {"tunnels": tunnels}
    with pytest.raises(ValidationError) as caught:
        AddressesSettings.model_validate(table)
    [fault] = faults_of(caught.value, AddressesSettings, table)
    assert fault.at == at
    assert words in fault.message


@pytest.mark.parametrize("mss", ["auto", "off", 500, 1360, 65_495])
def test_a_segment_size_is_a_word_or_a_number(mss: str | int) -> None:
    assert AddressesSettings.model_validate({"mss": mss}).mss == mss
