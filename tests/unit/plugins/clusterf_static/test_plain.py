from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf.model.address import Address
from clusterf.model.provenance import Provenance
from clusterf.model.service import NO_LABELS, Frontend, Ports
from clusterf_static.plain import every_protocol, plain_backends, plain_frontend
from clusterf_static.records import read_backends
from clusterf_static.shape import ServiceTable

HERE = Provenance("sources.files", "a.toml services.web")

# --- frontends ----------------------------------------------------------------------------------


def test_an_address_with_ports_is_plain() -> None:
    table = {"ipv4": "192.0.2.1", "tcp": 80, "udp": 0}
    assert plain_frontend(table) == Frontend(
        ipv4=Address.parse("192.0.2.1"), ports=Ports(tcp=80, udp=0)
    )


values = st.one_of(
    st.sampled_from(["192.0.2.1", "192.0.2.01", "::1", "", "\0", "\ud800"]),
    st.sampled_from([80, 0, -1, 65535, 65536, True, 8.0, None, [], {}]),
)


@given(st.dictionaries(st.sampled_from(["ipv4", "ipv6", "tcp", "udp", "sctp", "fwmark"]), values))
def test_a_plain_frontend_is_what_the_model_makes_of_it(table: dict[str, Any]) -> None:
    found = plain_frontend(table)
    if found is not None:
        model = ServiceTable.model_validate({"frontend": table})
        assert model.values() == (found,)


@pytest.mark.parametrize(
    "table",
    [
        {},
        None,
        "192.0.2.1:80",
        {"ipv4": "192.0.2.1"},
        {"tcp": 80},
        {"ipv4": "192.0.2.1", "tcp": "80"},
        {"ipv4": "192.0.2.1", "tcp": True},
        {"ipv4": "192.0.2.1", "tcp": 65536},
        {"ipv4": 3, "tcp": 80},
        {"ipv4": "192.0.2.1", "tcp": 80, "ipv6": "2001:db8::1"},
        {"fwmark": 1},
    ],
)
def test_the_rest_is_left_to_the_model(table: object) -> None:
    assert plain_frontend(table) is None


# --- backends -----------------------------------------------------------------------------------


def test_plain_backends_come_by_id_and_share_what_is_equal() -> None:
    items = ["198.51.100.2:80", "198.51.100.1:80", "198.51.100.1:81"]
    found = plain_backends(items, "web", HERE)
    assert found is not None
    assert list(found) == items
    first, second, third = found.values()
    assert (first.service, first.id, first.ipv4) == ("web", items[0], Address.parse("198.51.100.2"))
    assert (first.ports, third.ports) == (Ports(80, 80, 80), Ports(81, 81, 81))
    assert first.ports is second.ports
    assert (first.provenance, first.labels) == (HERE, NO_LABELS)
    assert (first.weight, first.method, first.ipv6, first.gateway) == (None,) * 4


def test_no_backends_are_plain() -> None:
    assert plain_backends([], "web", HERE) == {}


hosts = st.sampled_from(
    [
        *("198.51.100.1", "198.51.100.2", "1.0.0.0", "223.255.255.255", "0.255.255.255"),
        *("224.0.0.0", "[2001:db8::1]", "198.51.100.01", "198.51.100", "", " 198.51.100.1"),
        *("a:198.51.100.1", "\0"),
    ]
)
numbers = st.sampled_from(["1", "80", "65535", "0", "65536", "080", "+80", "", "\u0663", "\ud800"])
texts = st.builds("{}:{}".format, hosts, numbers)


@given(st.lists(texts | st.sampled_from([3, None, "80", {}, b"198.51.100.1:80"]), max_size=3))
def test_plain_backends_are_what_they_are_one_by_one(items: list[Any]) -> None:
    faults: list[Any] = []
    expected = read_backends(items, "web", HERE, faults)
    found = plain_backends(items, "web", HERE)
    if found is not None:
        assert (list(found.items()), faults) == (list(expected.items()), [])
    else:
        assert faults or any(one.ipv4 is None for one in expected.values())


def test_equal_ports_are_one_object_also_beside_other_backends() -> None:
    mixed = read_backends(["[2001:db8::1]:80", "198.51.100.1:80"], "web", HERE, [])
    assert {id(one.ports) for one in mixed.values()} == {id(every_protocol["80"])}


@pytest.mark.parametrize("text", ["0", "65536", "", "080", "\u0663", "-1"])
def test_a_text_that_is_no_port_is_told_so_each_time(text: str) -> None:
    for _ in range(2):
        with pytest.raises(KeyError):
            every_protocol[text]
    assert text not in every_protocol
