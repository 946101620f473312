from __future__ import annotations

import pytest

from clusterf.model.address import Address
from clusterf.model.provenance import Provenance
from clusterf.model.service import NO_LABELS, Backend, Frontend, Ports, ServiceSpec
from clusterf_etcd.plain import plain_agent, plain_backend, plain_service

HERE = Provenance("sources.etcd", "/clusterf/services/web/backends/b1")


def backend(value: str) -> Backend | None:
    return plain_backend("web", "b1", value.encode(), HERE)


def ip(text: str) -> Address:
    return Address.parse(text)


@pytest.mark.parametrize(
    ("value", "ipv4", "ipv6", "ports", "weight"),
    [
        ('{"ipv4":"198.51.100.1","tcp":80,"weight":10}', "198.51.100.1", None, Ports(80), 10),
        ('{"ipv4":"198.51.100.1","tcp":80}\n', "198.51.100.1", None, Ports(80), None),
        (
            '{"ipv4": "198.51.100.1", "udp": 53, "weight": 0}',
            "198.51.100.1",
            None,
            Ports(None, 53),
            0,
        ),
        ('{"ipv6":"2001:db8::1","tcp":1,"udp":65535}', None, "2001:db8::1", Ports(1, 65535), None),
        (
            '{"ipv4":"198.51.100.1","ipv6":"2001:db8::1","tcp":80,"weight":1,"agent":"host 1"}',
            "198.51.100.1",
            "2001:db8::1",
            Ports(80),
            1,
        ),
        ('{"ipv4":"198.51.100.1"}', "198.51.100.1", None, Ports(), None),
    ],
)
def test_a_plain_backend(
    value: str, ipv4: str | None, ipv6: str | None, ports: Ports, weight: int | None
) -> None:
    found = backend(value)
    assert found == Backend(
        service="web",
        id="b1",
        ports=ports,
        provenance=HERE,
        weight=weight,
        ipv4=ipv4 and ip(ipv4),
        ipv6=ipv6 and ip(ipv6),
    )
    assert isinstance(found, Backend)
    assert isinstance(found.ipv4 or found.ipv6, Address)
    assert found.labels is NO_LABELS


def test_equal_ports_are_one_object() -> None:
    one, two = (
        backend('{"ipv4":"198.51.100.1","tcp":80}'),
        backend('{"ipv4":"198.51.100.2","tcp":80}'),
    )
    assert one is not None
    assert two is not None
    assert one.ports is two.ports


@pytest.mark.parametrize(
    "value",
    [
        "",
        "{}",
        "[]",
        '{"tcp":80}',
        '{"ipv4":"198.51.100.1"',
        '{"ipv4":"198.51.100.1"}}',
        '{"ipv4":"198.51.100.1",}',
        '{,"ipv4":"198.51.100.1"}',
        '{"ipv4":"198.51.100.1" "tcp":80}',
        '{"ipv4":"198.51.100.01","tcp":80}',
        '{"ipv4":"198.51.100","tcp":80}',
        '{"ipv4":"0.0.0.0","tcp":80}',
        '{"ipv4":"224.0.0.1","tcp":80}',
        '{"ipv6":"ff02::1","tcp":80}',
        '{"ipv6":"::","tcp":80}',
        '{"ipv6":"1::2::3","tcp":80}',
        '{"ipv4":"198.51.100.1","tcp":0}',
        '{"ipv4":"198.51.100.1","tcp":-0}',
        '{"ipv4":"198.51.100.1","tcp":080}',
        '{"ipv4":"198.51.100.1","tcp":65536}',
        '{"ipv4":"198.51.100.1","tcp":80.0}',
        '{"ipv4":"198.51.100.1","tcp":"80"}',
        '{"ipv4":"198.51.100.1","tcp":null}',
        '{"ipv4":"198.51.100.1","tcp":\u0661}',
        '{"ipv4":"198.51.100.1","udp":65536}',
        '{"ipv4":"198.51.100.1","weight":2147483648}',
        '{"ipv4":"198.51.100.1","weight":01}',
        '{"ipv4":"198.51.100.1","agent":""}',
        '{"ipv4":"198.51.100.1","agent":"a\\u0000"}',
        '{"ipv4":"198.51.100.1","agent":"größe"}',
        '{"ipv4":"198.51.100.1","agent":"a\x1b"}',
        '{"ipv4":"198.51.100.1","tcp":80,"tcp":80}',
        '{"ipv4":"198.51.100.1","weight":10,"tcp":80}',
        '{"ipv4":"198.51.100.1","TCP":80}',
        '{"ipv4":"198.51.100.1","sctp":80}',
        '{"ipv4":"198.51.100.1","weight":"x","tcp":80,"agent":"ipv6"}',
        '{"ipv4":"198.51.100.1","tcp":80,"agent":"ipv6"}',
        '{"ipv4"="198.51.100.1","tcp":80}',
        '{"ipv4":"198.51.100.1";"ipv6":"2001:db8::1"}',
        '{"ipv4"="198.51.100.1","ipv6":"2001:db8::1"}',
        '{"ipv4":"198.51.100.1","ipv6"="2001:db8::1"}',
        '{"ipv6":"2001:db8::1","ipv4":"198.51.100.1"}',
        '{"ipv4":"198.51.100.1","tcp":80' + " " * 512 + "}",
    ],
)
def test_the_rest_is_left_to_the_models(value: str) -> None:
    assert backend(value) is None
    assert plain_backend("web", "b1", value.encode() + b"\xff", HERE) is None


def test_a_plain_service() -> None:
    value = b'{"ipv4":"192.0.2.1","ipv6":"2001:db8::1","tcp":80}'
    assert plain_service("web", value, HERE) == ServiceSpec(
        "web", HERE, frontends=(Frontend(ip("192.0.2.1"), ip("2001:db8::1"), Ports(80)),)
    )
    # The VIP of a service may be any address that is managed.
    assert plain_service("web", b'{"ipv4":"239.0.0.1","udp":53}', HERE) is not None
    assert plain_service("web", b'{"ipv4":"192.0.2.1","tcp":80,"weight":3}', HERE) is None
    assert plain_service("web", b'{"ipv4":"192.0.2.1","tcp":65536}', HERE) is None
    assert plain_service("web", b'{"ipv4":"192.0.2","tcp":80}', HERE) is None
    assert plain_service("web", b"{}", HERE) is None


def test_the_agent_of_a_plain_value() -> None:
    assert plain_agent(b'{"ipv4":"198.51.100.1","tcp":80,"weight":10,"agent":"host1"}') == "host1"
    assert plain_agent(b'{"ipv4":"198.51.100.1","tcp":80}') == ""
    assert plain_agent(b'{"tcp":80,"agent":"host1"}') is None
