"""Without lowered segment sizes: what the tunnels themselves do, and what large packets need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.two_tiers.checks import FAMILIES, FULL_PACKETS, SIZES, Watched, transfer_all
from tests.lab.two_tiers.stage import ALONE, MAIN, THROUGH_TIER2, WAYS, Family, Way
from tests.lab.two_tiers.tiers import OFF, PORT, TUNNELS, Tiers, first_tier, second_tier
from tests.lab.two_tiers.transfers import Size, transfer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


TUNNELLED = [way for way in MAIN if way.tunnel]


@pytest.fixture
def unclamped(tiers: Tiers) -> Tiers:
    tiers.configure(second_tier(mss=OFF))
    return tiers


@pytest.fixture
def narrow(unclamped: Tiers) -> Iterator[Tiers]:
    """The containers' network has a smaller MTU, and nobody tells of packets that are too large."""
    unclamped.stage.let_errors_through(yes=False)
    unclamped.stage.narrow_containers(1400)
    yield unclamped
    unclamped.stage.narrow_containers(1500)


@pytest.fixture
def trains(narrow: Tiers) -> Iterator[Tiers]:
    """As `narrow`, and the client sends many packets at once."""
    narrow.stage.send_trains(yes=True)
    yield narrow
    narrow.stage.send_trains(yes=False)


@pytest.mark.parametrize("way", THROUGH_TIER2, ids=lambda way: way.name)
def test_transfers_from_containers_with_a_smaller_mtu_come_whole_and_nothing_is_lost(
    narrow: Tiers, way: Way
) -> None:
    for family in FAMILIES:
        watched = Watched(narrow, way)
        transfer_all(narrow, way, family)
        watched.check_the_way(len(SIZES))
        watched.check_nothing_was_lost()


@pytest.mark.parametrize("way", MAIN, ids=lambda way: way.name)
def test_packets_that_come_in_trains_come_whole_too(trains: Tiers, way: Way) -> None:
    for family in FAMILIES:
        transfer_all(trains, way, family)


@pytest.mark.parametrize("way", TUNNELLED, ids=lambda way: way.name)
def test_the_client_that_is_told_of_packets_that_are_too_large_sends_smaller_ones(
    unclamped: Tiers, way: Way
) -> None:
    unclamped.stage.let_errors_through(yes=True)
    for family in FAMILIES:
        watched = Watched(unclamped, way)
        transfer_all(unclamped, way, family)
        watched.check_the_way(len(SIZES))
        assert watched.told() >= 1


@pytest.mark.parametrize("way", TUNNELLED, ids=lambda way: way.name)
def test_the_client_that_is_not_told_gets_no_full_packet_through(
    unclamped: Tiers, way: Way
) -> None:
    unclamped.stage.let_errors_through(yes=False)
    client = unclamped.stage.client
    for family in FAMILIES:
        transfer(client, way.vip(family), PORT, Size(10, 3000))
        with pytest.raises(TimeoutError):
            transfer(client, way.vip(family), PORT, FULL_PACKETS, timeout=1)


@pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])
def test_a_real_server_without_a_second_tier_answers(unclamped: Tiers, family: Family) -> None:
    unclamped.stage.let_errors_through(yes=True)
    transfer_all(unclamped, ALONE, family)


@pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])
def test_gre_with_checksums_comes_by_a_device_that_asks_for_them(
    unclamped: Tiers, family: Family
) -> None:
    """Such a device takes no others, and one without takes none of these."""
    checksums = '{ type = "gre", flags = "csum" }'
    unclamped.stage.let_errors_through(yes=True)
    unclamped.configure_first(first_tier().replace('tunnel = "gre"', f"tunnel = {checksums}"))
    try:
        for way in (WAYS["gre-over-ipv4"], WAYS["gre-over-ipv6"]):
            unclamped.configure(second_tier(mss=OFF))
            with pytest.raises(TimeoutError):
                transfer(unclamped.stage.client, way.vip(family), PORT, Size(10, 10), timeout=1)
            unclamped.configure(second_tier(mss=OFF, tunnels=TUNNELS.replace('"gre"', checksums)))
            transfer(unclamped.stage.client, way.vip(family), PORT, FULL_PACKETS)
    finally:
        unclamped.configure_first(first_tier())
