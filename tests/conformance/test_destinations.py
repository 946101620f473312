"""Destinations, as the kernel takes and reports them."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from clusterf.model.address import Address
from clusterf.model.table import Destination, DestinationKey, Method, Tunnel, TunnelType
from clusterf_ipvs.attributes import contents, nested
from clusterf_ipvs.service_codec import ServiceEncoder
from tests.conformance.conftest import MARK, MARK6, ONE, ONE6, PLAIN, TWO, WEB, WEB6, exchanged

if TYPE_CHECKING:
    from clusterf.model.table import ServiceKey
    from tests.conformance.conftest import World

TUNNELS = [
    Tunnel(),
    Tunnel(TunnelType.GUE, 6080),
    Tunnel(TunnelType.GUE, 1, "csum"),
    Tunnel(TunnelType.GUE, 65535, "remcsum"),
    Tunnel(TunnelType.GRE, 0, "csum"),
]
SETTINGS = [
    PLAIN,
    Destination(0, Method.MASQ),
    Destination(70000, Method.DROUTE),
    Destination(2**31 - 1, Method.MASQ, 4000000000, 3999999999),
    *(Destination(1, Method.TUNNEL, 5, 5, tunnel) for tunnel in TUNNELS),
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(("key", "target"), [(WEB, ONE), (WEB6, ONE6), (MARK, ONE), (MARK6, ONE6)])
async def test_a_destination_comes_back_as_it_was_made(
    world: World, key: ServiceKey, target: DestinationKey, settings: Destination
) -> None:
    await world.add(key)
    assert await world.add_to(key, target, settings) == 0
    assert await world.destinations(key) == {target: settings}


@pytest.mark.parametrize("settings", SETTINGS)
async def test_every_setting_is_edited_in_place(world: World, settings: Destination) -> None:
    await world.add(WEB)
    await world.add_to(WEB, ONE, Destination(3, Method.TUNNEL, 9, 8, Tunnel(TunnelType.GUE, 99)))
    assert await world.edit_in(WEB, ONE, settings) == 0
    assert await world.destinations(WEB) == {ONE: settings}


@pytest.mark.parametrize(("key", "target"), [(WEB, ONE6), (WEB6, ONE), (MARK, ONE6)])
async def test_a_tunnel_may_lead_to_the_other_family(
    world: World, key: ServiceKey, target: DestinationKey
) -> None:
    settings = Destination(4, Method.TUNNEL, tunnel=Tunnel())
    await world.add(key)
    assert await world.add_to(key, target, settings) == 0
    assert await world.destinations(key) == {target: settings}
    assert await world.edit_in(key, target, replace(settings, weight=0)) == 0
    assert await world.delete_from(key, target) == 0
    assert await world.destinations(key) == {}


@pytest.mark.parametrize("method", [Method.MASQ, Method.DROUTE])
@pytest.mark.parametrize(("key", "target"), [(WEB, ONE6), (WEB6, ONE)])
async def test_nothing_but_a_tunnel_may(
    world: World, key: ServiceKey, target: DestinationKey, method: Method
) -> None:
    await world.add(key)
    assert await world.add_to(key, target, Destination(1, method)) == errno.EINVAL


async def test_the_mixed_family_is_refused_before_the_weight(world: World) -> None:
    await world.add(WEB)
    assert await world.add_to(WEB, ONE6, Destination(2**31, Method.MASQ)) == errno.EINVAL


@pytest.mark.parametrize("weight", [2**31, 2**32 - 1])
async def test_a_weight_from_2_to_the_31_is_erange(world: World, weight: int) -> None:
    await world.add(WEB)
    assert await world.add_to(WEB, ONE, Destination(weight, Method.MASQ)) == errno.ERANGE
    await world.add_to(WEB, ONE)
    assert await world.edit_in(WEB, ONE, Destination(weight, Method.MASQ)) == errno.ERANGE
    assert await world.destinations(WEB) == {ONE: PLAIN}


async def test_a_lower_threshold_above_the_upper_is_erange(world: World) -> None:
    await world.add(WEB)
    wrong = Destination(1, Method.MASQ, 5, 6)
    assert await world.add_to(WEB, ONE, wrong) == errno.ERANGE
    assert await world.add_to(WEB, ONE, Destination(1, Method.MASQ, 0, 6)) == errno.ERANGE
    await world.add_to(WEB, ONE)
    assert await world.edit_in(WEB, ONE, wrong) == errno.ERANGE


async def test_gue_without_a_port_is_einval(world: World) -> None:
    await world.add(WEB)
    gue = Destination(1, Method.TUNNEL, tunnel=Tunnel(TunnelType.GUE))
    assert await world.add_to(WEB, ONE, gue) == errno.EINVAL
    await world.add_to(WEB, ONE)
    assert await world.edit_in(WEB, ONE, gue) == errno.EINVAL


async def test_the_port_of_a_tunnel_is_in_network_order(world: World) -> None:
    await world.add(WEB)
    await world.add_to(WEB, ONE, Destination(1, Method.TUNNEL, tunnel=Tunnel(TunnelType.GUE, 6080)))
    (message,) = await world.kernel.dump(ServiceEncoder(WEB).list_destinations())
    assert contents(nested(message, 2))[14] == (6080).to_bytes(2, "big")


async def test_a_second_addition_is_eexist_and_changes_nothing(world: World) -> None:
    await world.add(WEB)
    await world.add_to(WEB, ONE)
    assert await world.add_to(WEB, ONE, Destination(1, Method.DROUTE)) == errno.EEXIST
    assert await world.destinations(WEB) == {ONE: PLAIN}


async def test_the_method_is_no_part_of_the_identity_and_the_port_is(world: World) -> None:
    await world.add(WEB)
    other = DestinationKey(ONE.address, 8081)
    assert await world.add_to(WEB, ONE) == 0
    assert await world.add_to(WEB, other, Destination(1, Method.DROUTE)) == 0
    assert await world.destinations(WEB) == {ONE: PLAIN, other: Destination(1, Method.DROUTE)}


async def test_an_edit_or_deletion_of_a_missing_destination_is_enoent(world: World) -> None:
    await world.add(WEB)
    assert await world.edit_in(WEB, ONE) == errno.ENOENT
    assert await world.delete_from(WEB, ONE) == errno.ENOENT


async def test_of_a_missing_service_all_three_are_esrch(world: World) -> None:
    assert await world.add_to(WEB, ONE) == errno.ESRCH
    assert await world.edit_in(WEB, ONE) == errno.ESRCH
    assert await world.delete_from(WEB, ONE) == errno.ESRCH


@pytest.mark.parametrize("address", ["0.0.0.0", "224.0.0.1", "255.255.255.255"])
async def test_an_address_that_is_not_unicast_is_einval(world: World, address: str) -> None:
    await world.add(WEB)
    target = DestinationKey(Address.parse(address), 80)
    assert await world.add_to(WEB, target) == errno.EINVAL


@pytest.mark.parametrize("address", ["ff02::1", "fe80::1", "::"])
async def test_an_ipv6_address_that_is_not_unicast_or_link_local_is_einval(
    world: World, address: str
) -> None:
    await world.add(WEB6)
    target = DestinationKey(Address.parse(address), 80)
    assert await world.add_to(WEB6, target) == errno.EINVAL


async def test_an_address_of_this_host_is_taken(world: World) -> None:
    await world.add(WEB)
    assert await world.add_to(WEB, DestinationKey(Address.parse("127.0.0.1"), 80)) == 0


async def test_the_newest_destination_is_listed_first(world: World) -> None:
    await world.add(WEB)
    await world.add_to(WEB, ONE)
    await world.add_to(WEB, TWO)
    await world.edit_in(WEB, ONE, Destination(1, Method.MASQ))
    assert list(await world.destinations(WEB)) == [TWO, ONE]


async def test_destinations_of_one_service_are_not_those_of_another(world: World) -> None:
    for key in (WEB, MARK):
        await world.add(key)
    await world.add_to(WEB, ONE)
    await world.add_to(MARK, TWO)
    assert await world.destinations(WEB) == {ONE: PLAIN}
    assert await world.destinations(MARK) == {TWO: PLAIN}


async def test_destinations_of_a_missing_service_are_none_and_no_error(world: World) -> None:
    assert await world.kernel.dump(ServiceEncoder(WEB).list_destinations()) == []


async def test_a_deleted_destination_can_come_back(world: World) -> None:
    await world.add(WEB)
    await world.add_to(WEB, ONE)
    assert await world.delete_from(WEB, ONE) == 0
    assert await world.add_to(WEB, ONE, Destination(2, Method.DROUTE)) == 0
    assert await world.destinations(WEB) == {ONE: Destination(2, Method.DROUTE)}


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 11, 13, 14, 15])
async def test_a_number_that_is_short_is_einval(world: World, number: int) -> None:
    await world.add(WEB)
    settings = Destination(1, Method.TUNNEL, 5, 5, Tunnel(TunnelType.GUE, 6080))
    whole = ServiceEncoder(WEB).new_destination(ONE, settings)
    short = contents(nested(whole, 2))[number][:-1]
    message = exchanged(whole, 2, number, short)
    assert list(await world.do(message, whole)) == [errno.EINVAL, 0]


async def test_an_address_that_is_short_ends_in_zeros(world: World) -> None:
    await world.add(WEB)
    whole = ServiceEncoder(WEB).new_destination(ONE, PLAIN)
    assert list(await world.do(exchanged(whole, 2, 1, b"\xc6\x33"))) == [0]
    found = DestinationKey(Address.parse("198.51.0.0"), ONE.port)
    assert await world.destinations(WEB) == {found: PLAIN}
