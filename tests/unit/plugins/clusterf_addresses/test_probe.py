from __future__ import annotations

from dataclasses import replace
from typing import Any

from clusterf.plugin import ProbeResult, Severity
from clusterf_addresses.needs import Feature
from clusterf_addresses.probe import findings
from clusterf_addresses.settings import AddressesSettings
from clusterf_addresses.world import Link, World

GOOD = World(link=Link.UP, sysctls={"net.ipv4.ip_forward": 0})


def found(world: World, *features: Feature, **settings: Any) -> list[ProbeResult]:
    return list(findings(AddressesSettings.model_validate(settings), world, set(features)))


def test_nothing_is_missing() -> None:
    assert found(GOOD) == []


def test_a_missing_interface_is_an_error_unless_it_is_ours_to_make() -> None:
    missing = replace(GOOD, link=Link.MISSING)
    [one] = found(missing, interface="vips0")
    assert (one.severity, one.message) == (Severity.ERROR, "interface vips0 is missing")
    assert "ip link add vips0 up type dummy" in one.hint
    assert found(missing, interface="vips0", create=True) == []


def test_an_interface_that_is_down_is_an_error() -> None:
    [one] = found(replace(GOOD, link=Link.DOWN))
    assert (one.message, one.hint) == ("interface lo is down", "ip link set lo up")


def test_without_the_capability_nothing_can_be_done() -> None:
    [one] = found(replace(GOOD, capable=False))
    assert one.severity is Severity.ERROR
    assert "CAP_NET_ADMIN" in one.message


def test_a_name_without_room_for_a_label_matters_on_older_kernels() -> None:
    assert found(GOOD, interface="vips000000000") == []
    [one] = found(replace(GOOD, kernel=(5, 15)), interface="vips000000000")
    assert one.severity is Severity.WARNING


def test_sysctls_that_the_table_needs_come_with_their_command() -> None:
    [one] = found(GOOD, Feature.MASQ4)
    assert one.severity is Severity.WARNING
    assert one.hint == "sysctl -w net.ipv4.ip_forward=1"
    assert found(GOOD, Feature.MASQ4, sysctls="set") == []


def test_arp_is_looked_at_before_there_is_a_table() -> None:
    world = replace(GOOD, sysctls={"net.ipv4.conf.all.arp_ignore": 0})
    assert found(world) == []
    [one] = found(world, arp="silent")
    assert one.hint == "sysctl -w net.ipv4.conf.all.arp_ignore=1"
