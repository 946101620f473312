"""Our table of nftables in a real kernel: not of the lab, since user-mode Linux has none for IP.

It needs root and a kernel with nftables, in network namespaces of its own. That it does its work
together with IPVS and tunnels is in tests/lab/two_tiers.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from clusterf.model.address import Family, Network
from clusterf.testing import InstanceContext
from clusterf_addresses.attributes import text
from clusterf_addresses.netlink import ACK, CREATE, NETFILTER, Message, RefusedError, talk
from clusterf_addresses.output import AddressesOutput
from clusterf_addresses.settings import AddressesSettings
from clusterf_addresses.tunnels import nft, nft_codec
from clusterf_addresses.tunnels.ruleset import Ruleset, ruleset
from tests.lab.promises.servers import sockets_in
from tests.lab.two_tiers.kernel import takes_tables, within
from tests.lab.two_tiers.transfers import Answerer, Size, transfer
from tests.unit.plugins.clusterf_addresses.desired import View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.network import Namespace, Networks

VIP, VIP6 = "198.51.100.1", "2001:db8:30::1"
MANAGED = [Network.parse("198.51.100.0/25"), Network.parse("2001:db8:30::/64")]
RULES = ruleset("clusterf-", MANAGED, {Family.INET: 1300, Family.INET6: 1280})
TIMESTAMPS = 12


@pytest.fixture(autouse=True)
def nftables(request: pytest.FixtureRequest) -> Namespace:
    """The namespace of this test, in a kernel that takes such tables."""
    if os.geteuid() != 0:
        pytest.skip("not root")
    netns: Namespace = request.getfixturevalue("netns")
    if not takes_tables():
        pytest.skip("this kernel has no nftables for IPv4 and IPv6 (CONFIG_NF_TABLES_INET)")
    return netns


def table_exists(name: str) -> bool:
    body = nft_codec.head() + text(1, name)
    with talk(NETFILTER) as kernel:
        try:
            kernel.ask(nft_codec.GET_TABLE, body)
        except RefusedError:
            return False
    return True


def test_there_is_none_at_first() -> None:
    assert nft.table() is None


def test_a_table_is_seen_as_it_was_made() -> None:
    nft.exchange(RULES)
    assert nft.table() == nft_codec.marks(RULES)


def test_another_one_takes_its_place() -> None:
    nft.exchange(RULES)
    fewer = Ruleset(RULES.rules[:2])
    nft.exchange(fewer)
    assert nft.table() == nft_codec.marks(fewer)


def test_a_trial_changes_nothing() -> None:
    nft.fits(RULES)
    assert nft.table() is None
    nft.exchange(RULES)
    nft.fits(Ruleset(RULES.rules[:1]))
    assert nft.table() == nft_codec.marks(RULES)


def test_a_removed_table_is_gone_and_removing_twice_is_no_error() -> None:
    nft.exchange(RULES)
    nft.remove()
    nft.remove()
    assert nft.table() is None


def test_what_is_refused_changes_nothing() -> None:
    nft.exchange(RULES)
    whole = list(nft_codec.exchange(Ruleset(RULES.rules[:1])))
    without_its_chain = [*whole[:4], *whole[5:]]
    with talk(NETFILTER) as kernel, pytest.raises(RefusedError):
        kernel.batch(without_its_chain)
    assert nft.table() == nft_codec.marks(RULES)


def test_tables_of_others_stay() -> None:
    batch = list(nft_codec.removal())
    theirs = Message(batch[1].kind, CREATE | ACK, nft_codec.head() + text(1, "theirs"))
    with talk(NETFILTER) as kernel:
        kernel.batch([batch[0], theirs, batch[-1]])
    nft.exchange(RULES)
    nft.remove()
    assert table_exists("theirs")
    assert not table_exists("clusterf")


# --- the output ------------------------------------------------------------------------------


def output(**settings: Any) -> AddressesOutput:
    context = InstanceContext("outputs.vips", folder=Path(), managed=MANAGED)
    return AddressesOutput(AddressesSettings.model_validate(settings), context)


async def look(of: AddressesOutput) -> list[str]:
    """What was done about the table; other parts of tunnels may be missing in this kernel."""
    await of.observe(None)
    operations = of.plan(View(), None, 0.0).operations
    outcomes = await of.carry_out(operations) if operations else ()
    return [
        said
        for one in outcomes
        if (said := one.operation.describe()).startswith("nft ") and not one.error
    ]


async def test_the_table_comes_with_tunnels_and_goes_with_them() -> None:
    of = output(tunnels=["ipip"])
    [made] = await look(of)
    assert made.startswith('nft table inet clusterf { chain arriving { iifname != "clusterf-*"')
    assert "ip saddr 198.51.100.0/25 tcp flags & syn == syn tcp option maxseg size set 1420" in made
    assert await look(of) == await look(output(tunnels=["ipip"])) == []
    assert nft.table() is not None
    assert "segments of at most 1420 bytes, of IPv6 1400" in of.report().detail
    assert await look(output()) == ["nft delete table inet clusterf"]
    assert nft.table() is None


async def test_a_table_that_somebody_changes_or_deletes_is_made_anew() -> None:
    of = output(tunnels=["gre"], mss=1300)
    await look(of)
    wanted = nft.table()
    nft.remove()
    assert len(await look(of)) == 1
    nft.exchange(Ruleset(RULES.rules[:1]))
    assert len(await look(of)) == 1
    assert nft.table() == wanted
    assert await look(of) == []


async def test_a_size_alone_needs_no_tunnels() -> None:
    [made] = await look(output(mss=1300))
    assert "arriving" not in made
    assert "ip6 saddr 2001:db8:30::/64 tcp flags & syn == syn" in made
    assert "size set 1280 }" in made


async def test_off_leaves_the_guard() -> None:
    [made] = await look(output(tunnels=["ipip"], mss="off"))
    assert "arriving" in made
    assert "answering" not in made


# --- what it does to packets -------------------------------------------------------------------


class Ends(NamedTuple):
    """A client, and a server of VIPs; between them is the namespace of the test."""

    client: Namespace
    server: Namespace

    def segments(self) -> list[int]:
        """How large the client's segments may be, by IPv4 and by IPv6."""
        size = Size(5000, 5000)
        done = [transfer(self.client, vip, 80, size) for vip in (VIP, VIP6)]
        return [one.segment + TIMESTAMPS for one in done]


@pytest.fixture
def ends(nftables: Namespace, networks: Networks) -> Iterator[Ends]:
    """A client whose packets to a server of VIPs are forwarded here."""
    nftables.forward()
    client, server = networks.namespace("client"), networks.namespace("server")
    for place, interface, number in ((client, "front", 1), (server, "back", 2)):
        networks.cable(
            place,
            "eth0",
            nftables,
            interface,
            one_addresses=[f"192.0.2.{4 * number + 1}/30", f"2001:db8:{number}::1/64"],
            other_addresses=[f"192.0.2.{4 * number + 2}/30", f"2001:db8:{number}::2/64"],
        )
        place.ip(
            f"route add default via 192.0.2.{4 * number + 2}",
            f"route add default via 2001:db8:{number}::2",
        )
    server.ip(f"address add {VIP}/32 dev lo", f"address add {VIP6}/128 dev lo nodad")
    nftables.ip(f"route add {VIP} via 192.0.2.9", f"route add {VIP6} via 2001:db8:2::1")
    with Answerer(server, 80):
        yield Ends(client, server)


def test_segments_of_forwarded_connections_become_smaller(ends: Ends) -> None:
    assert ends.segments() == [1460, 1440]
    nft.exchange(RULES)
    assert ends.segments() == [1300, 1280]


def test_and_never_larger(ends: Ends) -> None:
    nft.exchange(ruleset("", MANAGED, {Family.INET: 9000, Family.INET6: 9000}))
    assert ends.segments() == [1460, 1440]
    ends.server.ip("link set eth0 mtu 1280")
    nft.exchange(RULES)
    assert ends.segments() == [1240, 1220]


def test_segments_of_the_host_s_own_connections_become_smaller(ends: Ends) -> None:
    with within(ends.server):
        nft.exchange(RULES)
    assert ends.segments() == [1300, 1280]


def test_what_is_not_a_vip_s_stays(ends: Ends) -> None:
    nft.exchange(ruleset("", [Network.parse("198.51.100.128/25")], {Family.INET: 1300}))
    assert ends.segments() == [1460, 1440]


def test_connections_that_are_open_go_on(ends: Ends) -> None:
    (connection,) = sockets_in(ends.client, 1, socket.AF_INET)
    with connection:
        connection.settimeout(10)
        connection.connect((VIP, 80))
        nft.exchange(RULES)
        connection.sendall(bytes(7) + b"\3")
        assert len(connection.recv(64, socket.MSG_WAITALL)) == 35
