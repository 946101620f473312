from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from clusterf.model.address import Network
from clusterf_docker.answer import Unreadable
from clusterf_docker.network import read
from tests.unit.plugins.clusterf_docker.fake_docker import identifier, network
from tests.unit.plugins.clusterf_docker.test_container import ANY_JSON

FRONT = network("front", 7, "203.0.113.160/28", "2001:db8:4:1::/64")


def test_a_network_in_full() -> None:
    found = read(FRONT)
    assert (found.id, found.name, str(found)) == (identifier(7), "front", "front")
    assert (found.driver, found.scope) == ("bridge", "local")
    assert (found.internal, found.template) == (False, False)
    assert found.subnets == (
        Network.parse("203.0.113.160/28"),
        Network.parse("2001:db8:4:1::/64"),
    )


@pytest.mark.parametrize(
    "ipam", [None, {}, {"Config": None}, {"Config": []}, {"Config": [{}, {"Subnet": ""}]}]
)
def test_a_network_without_subnets(ipam: Any) -> None:
    assert read({**FRONT, "IPAM": ipam}).subnets == ()


def test_an_engine_that_says_little_says_enough() -> None:
    found = read({"Id": identifier(7)})
    assert (found.name, found.driver, found.subnets) == ("", "", ())
    assert (found.internal, found.template) == (False, False)


def test_host_bits_of_a_subnet_are_cleared() -> None:
    found = read(network("bridge", 7, "203.0.113.1/25", "2001:db8:4::1/64"))
    assert [str(prefix) for prefix in found.subnets] == ["203.0.113.0/25", "2001:db8:4::/64"]


@pytest.mark.parametrize("name", ["", "a b", "../x", "é", "x" * 200])
def test_a_name_that_is_no_word_is_kept_and_not_shown(name: str) -> None:
    found = read({**FRONT, "Name": name})
    assert (found.name, str(found)) == (name, identifier(7)[:12])


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("Id", "front", "Id: "),
        ("Name", 5, "Name: "),
        ("Driver", None, "Driver: "),
        ("Internal", "yes", "Internal: "),
        ("IPAM", [], "IPAM: "),
        ("IPAM", {"Config": [{"Subnet": 5}]}, "IPAM.Config.0.Subnet: "),
        ("IPAM", {"Config": [{"Subnet": "203.0.113.0/33"}]}, '"203.0.113.0/33" is not a prefix'),
        ("IPAM", {"Config": [{"Subnet": "fe80::%eth0/64"}]}, "is not a prefix"),
    ],
)
def test_what_is_not_as_the_api_has_it_is_unreadable(field: str, value: Any, says: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read({**FRONT, field: value})
    assert says in str(caught.value)


@given(ANY_JSON)
def test_no_json_breaks_the_reading(value: object) -> None:
    for answer in (value, {**FRONT, "IPAM": value}, {**FRONT, "IPAM": {"Config": [value]}}):
        try:
            found = read(answer)
        except Unreadable:
            continue
        assert found.id == identifier(7)
