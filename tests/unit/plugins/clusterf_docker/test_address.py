from __future__ import annotations

from typing import Any

import pytest

from clusterf.model.table import Protocol
from clusterf_docker.address import NotReachable, own, published
from clusterf_docker.container import Container, read
from clusterf_docker.labels import Label, PortLabel
from clusterf_docker.settings import DockerSettings
from tests.unit.plugins.clusterf_docker.fake_docker import described, identifier

FRONT = {"IPAddress": "198.51.100.1", "GlobalIPv6Address": ""}
REAR = {"IPAddress": "198.51.100.129", "GlobalIPv6Address": "2001:db8::1"}


def container(**changes: Any) -> Container:
    return read(described("web1", 1, **changes), identifier(1))


def attached(**networks: Any) -> Container:
    return container(NetworkSettings__Networks=networks)


def settings(**values: Any) -> DockerSettings:
    return DockerSettings.model_validate(values)


@pytest.mark.parametrize(
    ("networks", "setting", "label", "expected"),
    [
        ({"bridge": FRONT}, None, None, "198.51.100.1"),
        ({"bridge": FRONT, "rear": REAR}, None, None, "198.51.100.1"),
        ({"rear": REAR}, None, None, "198.51.100.129"),
        ({"bridge": FRONT, "rear": REAR}, "rear", None, "198.51.100.129"),
        ({"bridge": FRONT, "rear": REAR}, "bridge", "rear", "198.51.100.129"),
    ],
)
def test_which_network_counts(
    networks: dict[str, Any], setting: str | None, label: str | None, expected: str
) -> None:
    wanted = Label("clusterf.network", label) if label else None
    found = own(attached(**networks), settings(network=setting), wanted)
    assert str(found.ipv4) == expected


@pytest.mark.parametrize(
    ("networks", "setting", "label", "says"),
    [
        ({"front": FRONT, "rear": REAR}, None, None, "several networks: 'front', 'rear'"),
        ({"bridge": FRONT}, "rear", None, "not attached to network 'rear' (setting network)"),
        ({"bridge": FRONT}, None, "x", "not attached to network 'x' (label clusterf.network)"),
        ({}, None, None, "attached to no network"),
        ({"none": {}}, None, None, "has no address in network 'none'"),
    ],
)
def test_where_no_network_can_count(
    networks: dict[str, Any], setting: str | None, label: str | None, says: str
) -> None:
    wanted = Label("clusterf.network", label) if label else None
    with pytest.raises(NotReachable) as caught:
        own(attached(**networks), settings(network=setting), wanted)
    assert says in str(caught.value)
    assert caught.value.reason in {"no_network", "no_address"}


def test_the_hosts_network() -> None:
    one = container(HostConfig__NetworkMode="host", NetworkSettings__Networks={"host": {}})
    found = own(one, settings(host_ipv6="2001:db8::10"), None)
    assert (found.ipv4, str(found.ipv6)) == (None, "2001:db8::10")
    with pytest.raises(NotReachable) as caught:
        own(one, settings(), None)
    assert caught.value.hint == "set host_ipv4 or host_ipv6"


def test_the_network_of_another_container() -> None:
    one = container(HostConfig__NetworkMode=f"container:{identifier(2)}")
    with pytest.raises(NotReachable, match="another container"):
        own(one, settings(), None)


def bound(**ports: list[tuple[str, str]]) -> Container:
    return container(
        NetworkSettings__Ports={
            {"tcp": "80/tcp", "udp": "53/udp"}[name]: [
                {"HostIp": address, "HostPort": port} for address, port in bindings
            ]
            for name, bindings in ports.items()
        }
    )


TCP = {Protocol.TCP: PortLabel("clusterf.backend.tcp", 80)}
BOTH = {**TCP, Protocol.UDP: PortLabel("clusterf.backend.udp", 53)}
HOST = {"host_ipv4": "192.0.2.10", "host_ipv6": "2001:db8::10"}


@pytest.mark.parametrize(
    ("bindings", "host", "expected"),
    [
        ([("0.0.0.0", "8080")], HOST, ("192.0.2.10", "None", 8080)),
        ([("0.0.0.0", "8080"), ("::", "8080")], HOST, ("192.0.2.10", "2001:db8::10", 8080)),
        # One backend has one port: the family that has another one is left out.
        ([("0.0.0.0", "8080"), ("::", "8081")], HOST, ("192.0.2.10", "None", 8080)),
        ([("192.0.2.77", "8080")], {}, ("192.0.2.77", "None", 8080)),
        (
            [("0.0.0.0", "80"), ("::", "80")],
            {"host_ipv6": "2001:db8::1"},
            ("None", "2001:db8::1", 80),
        ),
        ([("127.0.0.1", "80"), ("192.0.2.77", "81")], {}, ("192.0.2.77", "None", 81)),
    ],
)
def test_published_on_the_host(
    bindings: list[tuple[str, str]], host: dict[str, str], expected: tuple[str, str, int]
) -> None:
    place, left_out = published(bound(tcp=bindings), TCP, settings(**host))
    assert (str(place.ipv4), str(place.ipv6), place.ports.tcp) == expected
    assert left_out == []


@pytest.mark.parametrize(
    ("bindings", "says"),
    [
        ([], "is not published on the host"),
        ([("0.0.0.0", "80")], "on no address that is known"),
        ([("127.0.0.1", "80"), ("::1", "80")], "not loopback"),
    ],
)
def test_published_nowhere(bindings: list[tuple[str, str]], says: str) -> None:
    place, [(label, no)] = published(bound(tcp=bindings), TCP, settings())
    assert (place.ipv4, place.ipv6, place.ports.tcp) == (None, None, None)
    assert label.label == "clusterf.backend.tcp"
    assert says in str(no)
    assert no.reason == "not_published"


def test_a_port_published_elsewhere_than_the_first_is_left_out() -> None:
    one = bound(tcp=[("192.0.2.1", "80")], udp=[("192.0.2.2", "53")])
    place, [(label, no)] = published(one, BOTH, settings())
    assert (str(place.ipv4), place.ports.tcp, place.ports.udp) == ("192.0.2.1", 80, None)
    assert label.label == "clusterf.backend.udp"
    assert "other addresses" in str(no)


def test_only_families_in_which_all_ports_are_published_alike_count() -> None:
    one = bound(tcp=[("0.0.0.0", "80"), ("::", "80")], udp=[("0.0.0.0", "5353")])
    place, left_out = published(one, BOTH, settings(**HOST))
    assert (str(place.ipv4), place.ipv6) == ("192.0.2.10", None)
    assert (place.ports.tcp, place.ports.udp) == (80, 5353)
    assert left_out == []
