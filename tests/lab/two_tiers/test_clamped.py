"""Transfers of every size by every way, with the segment size lowered by nftables.

Nobody tells the client that its packets are too large: none may be.
"""

from __future__ import annotations

import pytest

from tests.lab.two_tiers.checks import FAMILIES, FULL_PACKETS, SIZES, Watched, transfer_all
from tests.lab.two_tiers.stage import ALONE, MAIN, THROUGH_TIER2, WAYS, Family, Way
from tests.lab.two_tiers.tiers import PORT, Tiers, second_tier
from tests.lab.two_tiers.transfers import transfer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300), pytest.mark.usefixtures("nftables")]

SEGMENTS: dict[Family, int] = {4: 1500 - 40 - 20 - 40, 6: 1500 - 40 - 20 - 60}
"""An outer IPv6 header, GUE with a remote checksum, and the inner headers."""

TIMESTAMPS = 12
"""Bytes of each segment that go to options."""


@pytest.fixture
def clamped(tiers: Tiers) -> Tiers:
    tiers.configure(second_tier())
    tiers.stage.let_errors_through(yes=False)
    return tiers


@pytest.mark.parametrize("way", THROUGH_TIER2, ids=lambda way: way.name)
def test_transfers_come_whole_and_nothing_is_lost(clamped: Tiers, way: Way) -> None:
    for family in FAMILIES:
        watched = Watched(clamped, way)
        done = transfer_all(clamped, way, family)
        assert {one.segment for one in done} == {SEGMENTS[family] - TIMESTAMPS}
        watched.check_the_way(len(SIZES))
        watched.check_nothing_was_lost()


@pytest.mark.parametrize("way", MAIN, ids=lambda way: way.name)
def test_packets_that_come_in_trains_come_whole_too(clamped: Tiers, way: Way) -> None:
    clamped.stage.send_trains(yes=True)
    try:
        for family in FAMILIES:
            transfer_all(clamped, way, family)
    finally:
        clamped.stage.send_trains(yes=False)


@pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])
def test_a_real_server_without_a_second_tier_asks_for_segments_that_fit(
    clamped: Tiers, family: Family
) -> None:
    done = transfer_all(clamped, ALONE, family)
    assert {one.segment for one in done} == {SEGMENTS[family] - TIMESTAMPS}


@pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])
def test_a_segment_size_that_is_smaller_already_stays(clamped: Tiers, family: Family) -> None:
    clamped.stage.narrow_containers(1300)
    try:
        done = transfer(clamped.stage.client, WAYS["gre-over-ipv4"].vip(family), PORT, FULL_PACKETS)
    finally:
        clamped.stage.narrow_containers(1500)
    assert done.segment == 1300 - (40 if family == 4 else 60) - TIMESTAMPS


def test_a_number_of_the_configuration_holds(clamped: Tiers) -> None:
    clamped.configure(second_tier(mss="1111"))
    way = WAYS["ipip-over-ipv4"]
    segments = [
        transfer(clamped.stage.client, way.vip(family), PORT, FULL_PACKETS).segment
        for family in FAMILIES
    ]
    assert segments == [1111 - TIMESTAMPS, 1091 - TIMESTAMPS]
