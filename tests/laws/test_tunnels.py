"""Laws of the receiving end of tunnels, and of the codecs that it talks to the kernel in."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from clusterf.model.address import Address, Family, Network
from clusterf.model.operation import Stage
from clusterf.model.table import Tunnel, TunnelType
from clusterf_addresses.attributes import DecodeError, attribute, contents, nest, row
from clusterf_addresses.tunnels import fou, links, nft_codec
from clusterf_addresses.tunnels.mss import encapsulation, segments
from clusterf_addresses.tunnels.planning import TunnelRules, plan_tunnels
from clusterf_addresses.tunnels.receiving import (
    KINDS,
    Device,
    Port,
    SeenLink,
    alias,
    keepers,
    recorded,
)
from clusterf_addresses.tunnels.ruleset import ruleset
from clusterf_addresses.tunnels.world import TunnelWorld
from clusterf_addresses.world import Link, World, after
from tests.strategies import EXAMPLES

if TYPE_CHECKING:
    from clusterf.model.operation import Operation

PREFIXES = [Network.parse("192.0.2.0/24"), Network.parse("2001:db8::/64")]

tunnels = st.sampled_from(
    [
        Tunnel(TunnelType.IPIP),
        Tunnel(TunnelType.GRE),
        Tunnel(TunnelType.GRE, 0, "csum"),
        Tunnel(TunnelType.GUE, 6080),
        Tunnel(TunnelType.GUE, 6081, "remcsum"),
    ]
)
rules = st.builds(
    TunnelRules,
    st.lists(tunnels, unique_by=lambda one: one.type).map(tuple),
    st.sampled_from(["both", "ipv4", "ipv6"]),
    st.sampled_from(["auto", "off", 1300]),
    st.lists(st.sampled_from(PREFIXES), unique=True).map(tuple),
)
numbers = st.sampled_from([6080, 6081])
ports = st.builds(Port, st.sampled_from(list(Family)), numbers)
ours = st.builds(
    lambda kind, **rest: SeenLink(f"clusterf-{kind}", kind, anybody=True, **rest),
    st.sampled_from(sorted(KINDS)),
    up=st.booleans(),
    checksums=st.booleans(),
    addressed=st.booleans(),
    alias=st.sets(numbers).map(alias),
)
theirs = st.builds(
    lambda number, kind, **rest: SeenLink(f"tun{number}", kind, **rest),
    st.integers(0, 99),
    st.sampled_from(sorted(KINDS)),
    up=st.booleans(),
    anybody=st.booleans(),
)
worlds = st.builds(
    TunnelWorld,
    links=st.lists(ours | theirs, unique_by=lambda one: one.name, max_size=8).map(tuple),
    mtu=st.none() | st.integers(600, 9000),
    ports=st.none() | st.frozensets(ports),
    table=st.none() | st.just((("arriving", "somebody's"),)),
    refused=st.sampled_from([0, 0, 95]),
)


def carried_out(world: World, operations: list[Operation]) -> World:
    for operation in operations:
        world = after(world, operation)
    return world


@settings(max_examples=5 * EXAMPLES)
@given(rules, worlds)
def test_what_was_done_leaves_nothing_to_do(wanted: TunnelRules, seen: TunnelWorld) -> None:
    plan = plan_tunnels(wanted, seen)
    world = carried_out(World(link=Link.UP, tunnels=seen), [*plan.first, *plan.last])
    again = plan_tunnels(wanted, world.tunnels)
    assert [one.describe() for one in (*again.first, *again.last)] == []


@settings(max_examples=5 * EXAMPLES)
@given(rules, worlds)
def test_nobody_else_s_is_touched(wanted: TunnelRules, seen: TunnelWorld) -> None:
    plan = plan_tunnels(wanted, seen)
    world = carried_out(World(link=Link.UP, tunnels=seen), [*plan.first, *plan.last])
    for link in seen.links:
        if not link.ours:
            assert link in world.tunnels.links
    mine = {
        Port(family, number)
        for family in Family
        for link in seen.links
        if link.name in keepers(family)
        for number in recorded(link.alias)
    }
    assert (seen.ports or frozenset()) - mine <= (world.tunnels.ports or frozenset())


@given(rules, worlds)
def test_make_before_break(wanted: TunnelRules, seen: TunnelWorld) -> None:
    plan = plan_tunnels(wanted, seen)
    assert {one.stage for one in plan.first} <= {Stage.ADD}
    assert {one.stage for one in plan.last} <= {Stage.REMOVE}


@given(rules, worlds, rules)
def test_another_configuration_leaves_nothing_of_the_first(
    one: TunnelRules, seen: TunnelWorld, other: TunnelRules
) -> None:
    world = World(link=Link.UP, tunnels=seen)
    for wanted in (one, other):
        plan = plan_tunnels(wanted, world.tunnels)
        world = carried_out(world, [*plan.first, *plan.last])
    names = {device.name for device in other.wanted.devices}
    assert {link.name for link in world.tunnels.links if link.ours} <= names


@given(st.lists(tunnels, min_size=1), st.integers(1280, 1500))
def test_a_full_segment_fits_through_every_tunnel(many: list[Tunnel], mtu: int) -> None:
    found = segments("auto", many, "both", mtu)
    for one in many:
        for family, inner in ((Family.INET, 20), (Family.INET6, 40)):
            for outer in (20, 40):
                assert outer + encapsulation(one) + inner + 20 + found[family] <= mtu


@given(st.lists(st.tuples(st.integers(1, 0x3FFF), st.binary(max_size=40)), max_size=8))
def test_attributes_are_read_as_they_were_written(many: list[tuple[int, bytes]]) -> None:
    written = b"".join(attribute(kind, content) for kind, content in many)
    assert len(written) % 4 == 0
    assert list(row(written)) == many
    assert contents(nest(1, written)) == {1: written}


@given(st.builds(Port, st.sampled_from(list(Family)), st.integers(1, 65535)))
def test_a_port_is_seen_as_it_was_asked_for(port: Port) -> None:
    assert fou.seen(fou.add_message(port)) == port


@given(st.sampled_from(sorted(KINDS)), st.booleans())
def test_a_device_is_seen_as_it_was_asked_for(kind: str, checksums: bool) -> None:  # noqa: FBT001
    gre = kind in {"gre", "ip6gre"}
    device = Device(kind, checksums and gre)
    seen = links.seen(links.create_message(device))
    assert (seen.name, seen.kind, seen.checksums) == (device.name, kind, device.checksums)
    assert seen.anybody
    assert seen.ours


networks = st.builds(
    lambda packed, length: Network.parse(f"{Address(packed)}/{length}", masked=True),
    st.binary(min_size=4, max_size=4),
    st.integers(0, 32),
) | st.builds(
    lambda packed, length: Network.parse(f"{Address(packed)}/{length}", masked=True),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 128),
)


@given(st.lists(networks, unique=True, max_size=6), st.integers(500, 65_000))
def test_rules_are_seen_as_they_were_asked_for(prefixes: list[Network], size: int) -> None:
    wanted = ruleset("clusterf-", prefixes, {Family.INET: size, Family.INET6: size})
    told = [message.body for message in nft_codec.exchange(wanted) if message.kind == 0xA06]
    assert tuple(map(nft_codec.seen, told)) == nft_codec.marks(wanted)
    assert len(set(nft_codec.marks(wanted))) == len(wanted.rules)


@given(st.binary(max_size=200))
def test_whatever_the_kernel_says_is_read_or_refused(data: bytes) -> None:
    for read, head in ((links.seen, 16), (fou.seen, 4), (nft_codec.seen, 4)):
        with contextlib.suppress(DecodeError):
            read(bytes(head) + data)
