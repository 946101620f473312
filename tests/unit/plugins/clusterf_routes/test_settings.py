from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest
from pydantic import ValidationError

from clusterf.model.address import Address, Network
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf.plugin import Fault, faults_of
from clusterf_routes.settings import RoutesSettings


def read(*routes: dict[str, Any]) -> RoutesSettings:
    return RoutesSettings.model_validate({"routes": list(routes)})


def faults(data: dict[str, Any]) -> list[Fault]:
    with pytest.raises(ValidationError) as caught:
        RoutesSettings.model_validate(data)
    return faults_of(caught.value, RoutesSettings, data)


def test_a_route_in_full() -> None:
    [route] = read(
        {
            "name": "rack1",
            "prefix": "192.0.2.0/24",
            "method": "tunnel",
            "gateway": "2001:db8::1",
            "tunnel": {"type": "gue", "port": 6080},
        }
    ).routes
    assert route.prefix == Network.parse("192.0.2.0/24")
    assert route.method is Method.TUNNEL
    assert route.gateway == Address.parse("2001:db8::1")
    assert route.tunnel == Tunnel(TunnelType.GUE, 6080)


def test_empty_strings_say_nothing_as_in_the_original() -> None:
    [route] = read({"name": "default", "prefix": "", "method": "", "gateway": ""}).routes
    assert (route.prefix, route.method, route.gateway) == (None, None, None)


@pytest.mark.parametrize(
    ("route", "at", "words"),
    [
        ({"prefix": "192.0.2.1/24"}, "prefix", "host bits"),
        ({"prefix": "192.0.2.0/24", "method": "nat"}, "method", "unknown forwarding method"),
        ({"method": "masq", "gateway": "here"}, "gateway", "not an IP address"),
        ({"gateway": "192.0.2.1"}, "gateway", "no use without a method"),
        ({"method": "masq", "tunnel": "ipip"}, "tunnel", 'for method = "tunnel" only'),
        (
            {"prefix": "192.0.2.0/24", "method": "droute", "gateway": "2001:db8::1"},
            "gateway",
            "another address family than 192.0.2.0/24",
        ),
        ({"prefx": "192.0.2.0/24"}, "prefx", "unknown key"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(route: dict[str, Any], at: str, words: str) -> None:
    good = {"name": "good", "method": "masq"}
    found = faults({"routes": [good, {"name": "bad", **route}]})
    assert [fault.at for fault in found] == [("routes", 1, at)]
    assert words in found[0].message


def test_a_name_may_stand_once() -> None:
    found = faults({"routes": [{"name": "a"}, {"name": "b"}, {"name": "a"}]})
    assert [fault.at for fault in found] == [("routes", 2, "name")]


def test_the_sample_is_a_policy_of_this_type() -> None:
    text = resources.files("clusterf_routes").joinpath("sample.toml").read_text("utf-8")
    [table] = tomllib.loads(text)["policies"]
    assert table.pop("type") == "routes"
    assert RoutesSettings.model_validate(table).routes
