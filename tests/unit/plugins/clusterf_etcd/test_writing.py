from __future__ import annotations

import json
from typing import Any

import pytest

from clusterf.model.address import Family
from clusterf.model.service import Backend, Frontend, Ports, Record, StickyClients
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf_etcd.writing import write
from tests.strategies import SOURCE, backend, frontend, ip, route, spec


def written(record: Record, agent: str = "") -> str:
    return write(record, agent=agent).decode()


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (backend(), '{"ipv4":"198.51.100.1","tcp":8080}'),
        (backend(weight=10), '{"ipv4":"198.51.100.1","tcp":8080,"weight":10}'),
        (backend(weight=0), '{"ipv4":"198.51.100.1","tcp":8080,"weight":0}'),
        (
            backend(ipv6=ip("2001:db8::1"), ports=Ports(1, 2), weight=3),
            '{"ipv4":"198.51.100.1","ipv6":"2001:db8::1","tcp":1,"udp":2,"weight":3}',
        ),
        (backend(ipv4=None, ports=Ports()), "{}"),
        (spec("web", frontend()), '{"ipv4":"192.0.2.1","tcp":80}'),
        (
            spec("web", frontend(tcp=80, udp=53)._replace(ipv6=ip("2001:db8::1"))),
            '{"ipv4":"192.0.2.1","ipv6":"2001:db8::1","tcp":80,"udp":53}',
        ),
        (spec("web"), "{}"),
        (route(), "{}"),
        (
            route("r", "198.51.100.0/24", method=Method.DROUTE),
            '{"Prefix":"198.51.100.0/24","IPVSMethod":"droute"}',
        ),
        (
            route("r", "2001:db8::/32", method=Method.MASQ, gateway=ip("2001:db8::1")),
            '{"Prefix":"2001:db8::/32","Gateway":"2001:db8::1","IPVSMethod":"masq"}',
        ),
        (route("r", gateway=ip("192.0.2.1")), '{"Gateway":"192.0.2.1"}'),
    ],
)
def test_what_the_original_knows_is_written_as_it_writes_it(record: Record, text: str) -> None:
    assert written(record) == text


def test_what_is_ours_comes_after_that_and_the_agent_at_the_end() -> None:
    everything = backend(
        ports=Ports(1, 2, 3),
        weight=5,
        method=Method.TUNNEL,
        tunnel=Tunnel(TunnelType.GUE, 6080),
        upper_threshold=2,
        lower_threshold=0,
    )
    assert written(everything, "host1") == (
        '{"ipv4":"198.51.100.1","tcp":1,"udp":2,"weight":5,"sctp":3,"method":"tunnel",'
        '"tunnel":{"type":"gue","port":6080,"flags":"nocsum"},"upper_threshold":2,'
        '"lower_threshold":0,"agent":"host1"}'
    )
    assert written(route("r", method=Method.TUNNEL, tunnel=Tunnel()), "host1") == (
        '{"IPVSMethod":"tunnel","tunnel":"ipip","agent":"host1"}'
    )


def test_a_service_with_everything() -> None:
    record = spec(
        "web",
        frontend(),
        Frontend(fwmark=7, family=Family.INET6),
        Frontend(ipv4=ip("192.0.2.2"), ports=Ports(tcp=0)),
        scheduler="mh",
        flags=frozenset({"ops", "mh-port"}),
        persistence=StickyClients(60, 24, 64),
        weight=0,
        method=Method.MASQ,
        elide=False,
    )
    assert written(record) == (
        '{"ipv4":"192.0.2.1","tcp":80,'
        '"frontends":[{"fwmark":7,"family":"inet6"},{"ipv4":"192.0.2.2","tcp":0}],'
        '"scheduler":"mh","flags":["mh-port","ops"],'
        '"persistence":{"timeout":60,"netmask":24,"netmask6":64},'
        '"weight":0,"method":"masq","elide":false}'
    )


@pytest.mark.parametrize(
    ("frontends", "value"),
    [
        (None, {}),
        ((), {"frontends": []}),
        ((Frontend(),), {"frontends": [{}]}),
        ((Frontend(fwmark=3),), {"fwmark": 3, "family": "inet"}),
        # Where the original looks, port 0 says nothing.
        ((frontend(tcp=0),), {"frontends": [{"ipv4": "192.0.2.1", "tcp": 0}]}),
        (
            (frontend(tcp=0), frontend("192.0.2.2")),
            {"frontends": [{"ipv4": "192.0.2.1", "tcp": 0}, {"ipv4": "192.0.2.2", "tcp": 80}]},
        ),
    ],
)
def test_which_frontend_the_original_is_shown(
    frontends: tuple[Frontend, ...] | None, value: dict[str, Any]
) -> None:
    assert json.loads(write(spec("web")._replace(frontends=frontends))) == value


def test_persistence_without_groups_is_its_timeout() -> None:
    assert written(spec("web", persistence=StickyClients(60))) == '{"persistence":60}'


@pytest.mark.parametrize(
    ("weight", "reason", "text"),
    [
        (None, "stopping", '{"weight":0,"quiesced":"stopping"}'),
        (10, "unhealthy", '{"weight":0,"quiesced":"unhealthy"}'),
        (10, "", '{"weight":0}'),
        (10, "größer", '{"weight":0,"quiesced":"größer"}'),
        (10, 'a "b"\n\x1b\0\ud800', '{"weight":0,"quiesced":"a \\"b\\"????"}'),
        (10, "x" * 1000, '{"weight":0,"quiesced":"' + "x" * 255 + '"}'),
    ],
)
def test_a_quiesced_backend_has_weight_zero_and_a_reason_that_can_be_read(
    weight: int | None, reason: str, text: str
) -> None:
    record = Backend("web", "b1", Ports(), SOURCE, weight, reason)
    assert written(record) == text


def test_what_is_for_this_host_alone_is_not_written() -> None:
    record = backend(gateway=ip("192.0.2.9"), labels={"secret": "x"})
    assert written(record) == written(backend())
    assert written(spec("web", order=7)) == "{}"


@pytest.mark.parametrize("agent", ["a\n", "\0", "x" * 256, "\ud800"])
def test_a_name_that_nobody_could_read_is_no_name_of_an_agent(agent: str) -> None:
    with pytest.raises(ValueError, match="is not the name of an agent"):
        write(backend(), agent=agent)
