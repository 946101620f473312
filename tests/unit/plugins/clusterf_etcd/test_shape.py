from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from clusterf.model.address import Address, Family, Network
from clusterf.model.provenance import Provenance
from clusterf.model.service import (
    Backend,
    BackendRef,
    Frontend,
    Ports,
    Route,
    ServiceSpec,
    StickyClients,
)
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf.plugin import Settings, faults_of
from clusterf_etcd.decoding import decode
from clusterf_etcd.shape import BackendValue, FrontendValue, RouteValue, table_of

HERE = Provenance("sources.etcd", "here")
REF = BackendRef("web", "b1")


def table(model: type[Settings], value: dict[str, Any] | str) -> dict[str, Any]:
    text = value if isinstance(value, str) else json.dumps(value)
    return table_of(decode(text.encode()), model)


def service(value: dict[str, Any] | str) -> ServiceSpec:
    return FrontendValue.model_validate(table(FrontendValue, value)).record("web", HERE)


def backend(value: dict[str, Any] | str) -> Backend:
    return BackendValue.model_validate(table(BackendValue, value)).record(REF, HERE)


def route(value: dict[str, Any] | str) -> Route:
    return RouteValue.model_validate(table(RouteValue, value)).record("r", HERE)


def faults(model: type[Settings], value: dict[str, Any] | str) -> list[str]:
    given = table(model, value)
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)
    return [
        f"{'.'.join(map(str, one.at))}: {one.message}"
        for one in faults_of(caught.value, model, given)
    ]


def ip(text: str) -> Address:
    return Address.parse(text)


# --- services -----------------------------------------------------------------------------------


def test_a_service_that_says_nothing_leaves_everything_open() -> None:
    nothing = ServiceSpec("web", HERE)
    assert service({}) == nothing
    assert (
        service('{"ipv4":"","ipv6":"","tcp":0,"udp":0,"weight":null,"frontends":null}') == nothing
    )


def test_a_service_with_everything() -> None:
    value = {
        "ipv4": "192.0.2.1",
        "ipv6": "2001:db8::1",
        "tcp": 80,
        "udp": 81,
        "sctp": 82,
        "fwmark": 7,
        "family": "inet6",
        "frontends": [{"ipv4": "192.0.2.2", "tcp": 0}, {"fwmark": 9}, {}],
        "scheduler": "mh",
        "flags": ["mh-port", "ops"],
        "persistence": {"timeout": "5m", "netmask": "255.255.255.0", "netmask6": 64},
        "weight": 5,
        "method": "tunnel",
        "tunnel": {"type": "gue", "port": 6080, "flags": "csum"},
        "upper_threshold": 20,
        "lower_threshold": 10,
        "elide": False,
        "health": {"http": {"path": "/"}},
    }
    assert service(value) == ServiceSpec(
        name="web",
        provenance=HERE,
        frontends=(
            Frontend(ip("192.0.2.1"), ip("2001:db8::1"), Ports(80, 81, 82), 7, Family.INET6),
            Frontend(ipv4=ip("192.0.2.2"), ports=Ports(tcp=0)),
            Frontend(fwmark=9),
            Frontend(),
        ),
        scheduler="mh",
        flags=frozenset({"mh-port", "ops"}),
        persistence=StickyClients(300, 24, 64),
        elide=False,
        weight=5,
        method=Method.TUNNEL,
        tunnel=Tunnel(TunnelType.GUE, 6080, "csum"),
        upper_threshold=20,
        lower_threshold=10,
    )


@pytest.mark.parametrize(
    ("value", "frontends"),
    [
        ({"weight": 3}, None),
        ({"frontends": []}, ()),
        ({"frontends": [{"fwmark": 1}]}, (Frontend(fwmark=1),)),
        ({"ipv4": "192.0.2.1"}, (Frontend(ipv4=Address.parse("192.0.2.1")),)),
        ({"tcp": 80}, (Frontend(ports=Ports(tcp=80)),)),
        ({"fwmark": 1, "frontends": []}, (Frontend(fwmark=1),)),
    ],
)
def test_the_own_frontend_comes_before_the_further_ones(
    value: dict[str, Any], frontends: tuple[Frontend, ...] | None
) -> None:
    assert service(value).frontends == frontends


def test_objects_within_are_read_as_the_whole_is() -> None:
    spec = service(
        '{"frontends":[{"IPv4":"192.0.2.2","TCP":1,"tcp":2,"udp":null,"ipv6":"","colour":"red"}],'
        '"persistence":{"TIMEOUT":60,"netmask":null,"other":1},"tunnel":{"Type":"gre","mtu":1400}}'
    )
    assert spec.frontends == (Frontend(ipv4=ip("192.0.2.2"), ports=Ports(tcp=2)),)
    assert spec.persistence == StickyClients(60)
    assert spec.tunnel == Tunnel(TunnelType.GRE)


def test_short_forms() -> None:
    assert service({"persistence": 60}).persistence == StickyClients(60)
    assert service({"persistence": "1h"}).persistence == StickyClients(3600)
    assert service({"tunnel": "gre"}).tunnel == Tunnel(TunnelType.GRE)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"ipv4": "2001:db8::1"}, ['ipv4: "2001:db8::1" is not an IPv4 address']),
        ({"ipv6": "192.0.2.1"}, ['ipv6: "192.0.2.1" is not an IPv6 address']),
        ({"tcp": -1}, ["tcp: must be at least 0, not -1"]),
        ({"udp": 65536}, ["udp: must be at most 65535, not 65536"]),
        ({"family": "inet"}, ["family: is for a fwmark only"]),
        ({"fwmark": 0}, ["fwmark: must be at least 1, not 0"]),
        ({"fwmark": 1, "tcp": 80}, ["fwmark: has no ports of its own"]),
        ({"frontends": {}}, ["frontends: must be an array, not a table"]),
        ({"frontends": [1]}, ["frontends.0: must be a table, not 1"]),
        ({"frontends": [{}, {"tcp": "80"}]}, ['frontends.1.tcp: must be a whole number, not "80"']),
        ({"frontends": [{"fwmark": 1, "tcp": 1}]}, ["frontends.0.fwmark: has no ports of its own"]),
        ({"scheduler": "rr", "flags": ["mh-port"]}, ["flags: scheduler rr has no flag mh-port"]),
        ({"flags": "ops"}, ['flags: must be an array of strings, not "ops"']),
        ({"flags": ["ops"] * 257}, ["flags: must have at most 256 entries"]),
        ({"persistence": 0}, ["persistence: must be whole seconds, from 1s to 31d"]),
        ({"persistence": {"netmask": 24}}, ['persistence: missing key "timeout"']),
        ({"persistence": [60]}, ["persistence: an array is not a duration"]),
        ({"tunnel": "vxlan"}, ['tunnel: unknown tunnel type "vxlan"']),
        ({"method": ""}, ['method: unknown forwarding method ""']),
        ({"weight": 2**31}, [f"weight: must be at most {2**31 - 1}, not {2**31}"]),
        (
            {"upper_threshold": 1, "lower_threshold": 2},
            ["lower_threshold: 2 is above the upper threshold, 1"],
        ),
        ({"elide": 1}, ["elide: must be true or false, not 1"]),
        ({"health": "tcp"}, ['health: must be a table, not "tcp"']),
        (
            {"ipv4": 1, "tcp": "x"},
            ["ipv4: must be an IPv4 address, not 1", 'tcp: must be a whole number, not "x"'],
        ),
    ],
)
def test_what_is_wrong_with_a_service(value: dict[str, Any], words: list[str]) -> None:
    found = faults(FrontendValue, value)
    assert len(found) == len(words)
    assert all(one.startswith(start) for one, start in zip(found, words, strict=True))


# --- backends -----------------------------------------------------------------------------------


def test_a_backend_that_says_nothing() -> None:
    assert backend({}) == Backend("web", "b1", Ports(), HERE)


def test_a_backend_with_everything() -> None:
    value = {
        "ipv4": "198.51.100.1",
        "ipv6": "2001:db8::1",
        "tcp": 80,
        "udp": 81,
        "sctp": 82,
        "weight": 0,
        "quiesced": "stopping",
        "method": "droute",
        "tunnel": "gre",
        "upper_threshold": 2,
        "lower_threshold": 1,
        "agent": "host1",
    }
    assert backend(value) == Backend(
        service="web",
        id="b1",
        ports=Ports(80, 81, 82),
        provenance=HERE,
        weight=0,
        quiesced="stopping",
        method=Method.DROUTE,
        tunnel=Tunnel(TunnelType.GRE),
        upper_threshold=2,
        lower_threshold=1,
        ipv4=ip("198.51.100.1"),
        ipv6=ip("2001:db8::1"),
    )


def test_a_weight_that_is_not_given_is_left_to_the_reader_and_zero_is_given() -> None:
    assert backend({"weight": None}).weight is None
    assert backend({"weight": 0}).weight == 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"ipv4": "0.0.0.0"}, "ipv4: 0.0.0.0 is no address of a backend"),
        ({"ipv6": "ff02::1"}, "ipv6: ff02::1 is no address of a backend"),
        ({"ipv4": "host1"}, 'ipv4: "host1" is not an IPv4 address'),
        ({"weight": -1}, "weight: must be at least 0, not -1"),
        ({"weight": "10"}, 'weight: must be a whole number, not "10"'),
        ({"quiesced": True}, "quiesced: must be a string, not true"),
        ({"agent": "a\nb"}, 'agent: "a\\nb" is not a text of at most 255 printable characters'),
        ({"lower_threshold": 3, "upper_threshold": 2}, "lower_threshold: 3 is above"),
    ],
)
def test_what_is_wrong_with_a_backend(value: dict[str, Any], words: str) -> None:
    [found] = faults(BackendValue, value)
    assert found.startswith(words)


# --- routes -------------------------------------------------------------------------------------


def test_a_route_that_says_nothing_filters_out_everything() -> None:
    assert route({}) == Route("r", HERE)
    assert route({"Prefix": "", "Gateway": "", "IPVSMethod": ""}) == Route("r", HERE)


def test_a_route_with_everything() -> None:
    value = {
        "Prefix": "198.51.100.7/24",
        "Gateway": "2001:db8::1",
        "IPVSMethod": "tunnel",
        "tunnel": "ipip",
        "agent": "host1",
    }
    assert route(value) == Route(
        "r", HERE, Network.parse("198.51.100.0/24"), Method.TUNNEL, ip("2001:db8::1"), Tunnel()
    )


def test_a_gateway_without_a_method_is_kept_and_of_any_family() -> None:
    found = route({"Prefix": "198.51.100.0/24", "Gateway": "2001:db8::1"})
    assert (found.method, found.gateway) == (None, ip("2001:db8::1"))


def test_old_names_count_where_the_new_ones_say_nothing() -> None:
    both = {
        "Prefix": "198.51.100.0/24",
        "Prefix4": "nonsense",
        "Gateway": "",
        "Gateway4": "192.0.2.1",
    }
    found = route(both)
    assert found.prefix == Network.parse("198.51.100.0/24")
    assert found.gateway == ip("192.0.2.1")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"Prefix": "198.51.100.0"}, 'Prefix: "198.51.100.0" is not a prefix'),
        ({"Prefix4": "198.51.100.0/33"}, 'Prefix4: "198.51.100.0/33" is not a prefix'),
        ({"Prefix": 24, "Prefix4": "198.51.100.0/24"}, "Prefix: must be a prefix, not 24"),
        ({"Prefix": False, "Prefix4": ""}, "Prefix: must be a prefix, not false"),
        ({"Gateway": "gw"}, 'Gateway: "gw" is not an IP address'),
        ({"Gateway4": "224.0.0.1"}, "Gateway4: 224.0.0.1 is no address of a gateway"),
        ({"IPVSMethod": "Masq"}, 'IPVSMethod: unknown forwarding method "Masq"'),
        ({"ipvsmethod": 1}, "IPVSMethod: must be a string, not 1"),
        (
            {"Prefix": "198.51.100.0/24", "Gateway": "2001:db8::1", "IPVSMethod": "droute"},
            "Gateway: is of another address family than 198.51.100.0/24",
        ),
        (
            {"Prefix4": "198.51.100.0/24", "Gateway4": "2001:db8::1", "IPVSMethod": "masq"},
            "Gateway4: is of another address family than 198.51.100.0/24",
        ),
    ],
)
def test_what_is_wrong_with_a_route(value: dict[str, Any], words: str) -> None:
    [found] = faults(RouteValue, value)
    assert found.startswith(words)
