from __future__ import annotations

from clusterf.model.address import Family, Network
from clusterf_addresses.tunnels.ruleset import ANSWERING, ARRIVING, ruleset

V4, V6 = Network.parse("192.0.2.0/24"), Network.parse("2001:db8::/64")
SIZES = {Family.INET: 1420, Family.INET6: 1400}


def test_what_comes_out_of_tunnels_goes_to_vips_only() -> None:
    found = ruleset("clusterf-", [V4, V6], {})
    assert list(map(str, found.rules)) == [
        'iifname != "clusterf-*" accept',
        "ip daddr 192.0.2.0/24 accept",
        "ip6 daddr 2001:db8::/64 accept",
        "counter drop",
    ]
    assert found.chains == (ARRIVING,)


def test_vips_ask_for_segments_by_their_family() -> None:
    found = ruleset("", [V4, V6], SIZES)
    assert list(map(str, found.rules)) == [
        "ip saddr 192.0.2.0/24 tcp flags & syn == syn tcp option maxseg size set 1420",
        "ip6 saddr 2001:db8::/64 tcp flags & syn == syn tcp option maxseg size set 1400",
    ]
    assert found.chains == (ANSWERING,)


def test_both_go_together() -> None:
    assert ruleset("clusterf-", [V4], SIZES).chains == (ARRIVING, ANSWERING)


def test_there_may_be_nothing_to_say() -> None:
    assert ruleset("", [V4, V6], {}).rules == ()
    assert ruleset("", [], SIZES).rules == ()


def test_nothing_managed_lets_nothing_out() -> None:
    assert [str(rule) for rule in ruleset("clusterf-", [], {}).rules] == [
        'iifname != "clusterf-*" accept',
        "counter drop",
    ]
