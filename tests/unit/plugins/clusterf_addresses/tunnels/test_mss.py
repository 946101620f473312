from __future__ import annotations

import pytest

from clusterf.model.address import Family
from clusterf.model.table import Tunnel, TunnelType
from clusterf_addresses.tunnels.mss import LEAST, encapsulation, segments

IPIP, GRE = Tunnel(TunnelType.IPIP), Tunnel(TunnelType.GRE)
GUE = Tunnel(TunnelType.GUE, 6080)


@pytest.mark.parametrize(
    ("tunnel", "expected"),
    [
        (IPIP, 0),
        (GRE, 4),
        (Tunnel(TunnelType.GRE, 0, "csum"), 8),
        (GUE, 12),
        (Tunnel(TunnelType.GUE, 6080, "csum"), 12),
        (Tunnel(TunnelType.GUE, 6080, "remcsum"), 20),
    ],
)
def test_headers_between_the_outer_and_the_inner_one(tunnel: Tunnel, expected: int) -> None:
    assert encapsulation(tunnel) == expected


def inet(*tunnels: Tunnel, mtu: int | None = 1500, underlay: str = "both") -> tuple[int, int]:
    found = segments("auto", tunnels, underlay, mtu)  # type: ignore[arg-type]
    return found[Family.INET], found[Family.INET6]


def test_what_fits_into_an_ethernet_packet() -> None:
    assert inet(IPIP, underlay="ipv4") == (1500 - 20 - 40, 1500 - 20 - 60)
    assert inet(IPIP) == inet(IPIP, underlay="ipv6") == (1420, 1400)
    assert inet(GRE) == (1416, 1396)
    assert inet(GUE) == (1408, 1388)


def test_the_largest_type_counts() -> None:
    assert inet(IPIP, GUE, GRE) == inet(GUE)


def test_a_narrow_way_counts_and_a_wide_one_does_not() -> None:
    assert inet(IPIP, mtu=1400) == (1320, 1300)
    assert inet(IPIP, mtu=9000) == inet(IPIP, mtu=None) == inet(IPIP)
    assert inet(IPIP, mtu=68) == (LEAST, LEAST)


def test_a_number_is_that_of_ipv4() -> None:
    assert segments(1300, [GUE], "both", 1500) == {Family.INET: 1300, Family.INET6: 1280}
    assert segments(1300, [], "both", None) == {Family.INET: 1300, Family.INET6: 1280}


def test_nothing_is_said_without_tunnels_or_when_it_is_off() -> None:
    assert segments("auto", [], "both", 1500) == {}
    assert segments("off", [GUE], "both", 1500) == {}
