from __future__ import annotations

from clusterf.model.address import Family
from clusterf.model.table import FwmarkKey, VirtualService
from tests.strategies import destination, entry, ip, target, tcp, udp


def test_keys_are_written_for_people() -> None:
    assert str(tcp()) == "tcp 192.0.2.1:80"
    assert str(udp("2001:db8:1::1")) == "udp [2001:db8:1::1]:53"
    assert str(FwmarkKey(Family.INET, 7)) == "fwmark 7"
    assert str(FwmarkKey(Family.INET6, 7)) == "fwmark 7 inet6"
    assert str(target()) == "198.51.100.1:8080"


def test_a_key_knows_its_family() -> None:
    assert tcp().family is Family.INET
    assert tcp("2001:db8:1::1").family is Family.INET6


def test_equality_ignores_the_reasons() -> None:
    assert destination(because="a") == destination(because="b")
    assert entry(1, because="a") == entry(1, because="b")
    assert entry(1) != entry(2)
    assert entry(1) != entry(1, scheduler="rr")


def test_settings_are_what_can_be_edited_without_the_destinations() -> None:
    assert entry(1).settings == entry(2, 3).settings
    assert entry(1).settings != entry(1, flags=frozenset({"ops"})).settings


def test_a_service_serves_while_a_destination_has_weight() -> None:
    assert entry(0, 1).serves
    assert not entry(0, 0).serves
    assert not VirtualService("rr").serves


def test_an_address_key_at_the_same_place_is_the_same() -> None:
    assert {tcp("192.0.2.1"): 1}[tcp("192.0.2.1")] == 1
    assert ip("192.0.2.1") == ip("192.0.2.1")
