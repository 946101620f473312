"""Virtual services, as the kernel takes and reports them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from clusterf.model.address import Address, Family
from clusterf.model.table import AddressKey, FwmarkKey, Persistence, Protocol, VirtualService
from clusterf_ipvs import service_codec
from clusterf_ipvs.attributes import contents, nested
from clusterf_ipvs.service_codec import ServiceEncoder
from tests.conformance.conftest import MARK, MARK6, NOTHING, ONE, PLAIN, WEB, WEB6, exchanged

if TYPE_CHECKING:
    from clusterf.model.table import ServiceKey
    from tests.conformance.conftest import World

BUILT = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf"]


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("address", ["192.0.2.80", "2001:db8::80"])
async def test_a_service_comes_back_as_it_was_made(
    world: World, protocol: Protocol, address: str
) -> None:
    key = AddressKey(protocol, Address.parse(address), 443)
    assert await world.add(key, "rr") == 0
    assert await world.services() == {key: VirtualService("rr")}


@pytest.mark.parametrize("key", [MARK, MARK6, FwmarkKey(Family.INET, 2**32 - 1)])
async def test_a_firewall_mark_comes_back_without_an_address(world: World, key: ServiceKey) -> None:
    assert await world.add(key) == 0
    assert await world.services() == {key: VirtualService("wlc")}


async def test_one_mark_is_two_services_in_two_families(world: World) -> None:
    assert [await world.add(MARK), await world.add(MARK6)] == [0, 0]
    assert set(await world.services()) == {MARK, MARK6}


@pytest.mark.parametrize("scheduler", BUILT)
async def test_every_scheduler_is_taken(world: World, scheduler: str) -> None:
    assert await world.add(WEB, scheduler) == 0
    assert (await world.services())[WEB].scheduler == scheduler


async def test_a_missing_scheduler_is_enoent(world: World) -> None:
    assert await world.add(WEB, "unheard") == errno.ENOENT
    assert await world.services() == {}


async def test_a_second_creation_is_eexist_before_its_settings_are_looked_at(
    world: World,
) -> None:
    await world.add(WEB, "rr")
    assert await world.add(WEB, "unheard") == errno.EEXIST
    assert (await world.services())[WEB].scheduler == "rr"


@pytest.mark.parametrize(
    ("scheduler", "flags"),
    [
        ("mh", {"mh-fallback"}),
        ("mh", {"mh-port"}),
        ("mh", {"mh-fallback", "mh-port"}),
        ("sh", {"sh-fallback"}),
        ("sh", {"sh-port", "sh-fallback"}),
        ("wlc", {"flag-1", "flag-3"}),
        ("rr", {"ops"}),
        ("mh", {"ops", "mh-port", "flag-3"}),
    ],
)
async def test_flags_come_back_in_words(world: World, scheduler: str, flags: set[str]) -> None:
    assert await world.add(WEB, scheduler, list(flags)) == 0
    assert (await world.services())[WEB].flags == flags


async def test_the_hashed_flag_of_the_kernel_is_no_flag_of_ours(world: World) -> None:
    await world.add(WEB)
    answer = await world.kernel.ask(ServiceEncoder(WEB).get_service())
    assert isinstance(answer, bytes)
    inner = contents(nested(answer, 1))
    assert inner[7][:4] == (2).to_bytes(4, "little")
    assert service_codec.decode(answer)[1].flags == frozenset()


async def test_flags_are_edited_to_the_whole_not_added(world: World) -> None:
    await world.add(WEB, "mh", ["mh-port", "ops"])
    assert await world.edit(WEB, "mh", ["mh-fallback"]) == 0
    assert (await world.services())[WEB].flags == {"mh-fallback"}


@pytest.mark.parametrize("prefix", [0, 1, 8, 24, 31, 32])
async def test_persistence_of_ipv4_has_a_mask(world: World, prefix: int) -> None:
    assert await world.add(WEB, persistence=Persistence(360, prefix)) == 0
    assert (await world.services())[WEB].persistence == Persistence(360, prefix)


@pytest.mark.parametrize("prefix", [1, 64, 127, 128])
async def test_persistence_of_ipv6_has_a_prefix_length(world: World, prefix: int) -> None:
    assert await world.add(WEB6, persistence=Persistence(60, prefix)) == 0
    assert (await world.services())[WEB6].persistence == Persistence(60, prefix)


@pytest.mark.parametrize("prefix", [0, 129])
@pytest.mark.parametrize("key", [WEB6, MARK6])
async def test_a_prefix_length_outside_ipv6_is_einval(
    world: World, key: ServiceKey, prefix: int
) -> None:
    assert await world.add(key, persistence=Persistence(60, prefix)) == errno.EINVAL


@pytest.mark.parametrize("key", [MARK, MARK6])
async def test_firewall_marks_are_persistent_too(world: World, key: ServiceKey) -> None:
    wanted = Persistence(300, key.family.bits)
    assert await world.add(key, persistence=wanted) == 0
    assert (await world.services())[key].persistence == wanted


async def test_persistence_is_taken_away_in_place(world: World) -> None:
    await world.add(WEB, persistence=Persistence(360, 24))
    assert await world.edit(WEB) == 0
    assert await world.services() == {WEB: VirtualService("wlc")}


async def test_the_scheduler_is_edited_in_place(world: World) -> None:
    await world.add(WEB, "wlc")
    await world.add_to(WEB, ONE)
    assert await world.edit(WEB, "sh", ["sh-port"]) == 0
    assert await world.services() == {WEB: VirtualService("sh", frozenset({"sh-port"}))}
    assert await world.destinations(WEB) == {ONE: PLAIN}


async def test_an_edit_to_a_missing_scheduler_is_enoent_and_changes_nothing(
    world: World,
) -> None:
    await world.add(WEB, "wlc")
    assert await world.edit(WEB, "unheard") == errno.ENOENT
    assert (await world.services())[WEB].scheduler == "wlc"


async def test_an_edit_of_a_missing_service_is_esrch_whatever_the_scheduler(
    world: World,
) -> None:
    assert await world.edit(WEB, "wlc") == errno.ESRCH
    assert await world.edit(WEB, "unheard") == errno.ESRCH


@pytest.mark.parametrize("scheduler", ["wlc", "mh", "sh"])
async def test_a_service_without_scheduler_holds_destinations_and_is_switched(
    world: World, scheduler: str
) -> None:
    assert await world.add(WEB, "none") == 0
    assert (await world.services())[WEB].scheduler == "none"
    assert await world.add_to(WEB, ONE) == 0
    assert await world.edit(WEB, scheduler) == 0
    assert (await world.services())[WEB].scheduler == scheduler
    assert await world.edit(WEB, "none") == 0
    assert await world.destinations(WEB) == {ONE: PLAIN}


async def test_a_service_is_deleted_with_its_destinations(world: World) -> None:
    await world.add(WEB)
    await world.add_to(WEB, ONE)
    assert await world.delete(WEB) == 0
    assert await world.services() == {}
    await world.add(WEB)
    assert await world.destinations(WEB) == {}


async def test_a_deletion_of_a_missing_service_is_esrch(world: World) -> None:
    assert await world.delete(WEB) == errno.ESRCH
    assert await world.delete(MARK) == errno.ESRCH


async def test_one_service_can_be_asked_for(world: World) -> None:
    await world.add(WEB, "sed")
    answer = await world.kernel.ask(ServiceEncoder(WEB).get_service())
    assert isinstance(answer, bytes)
    assert service_codec.decode(answer) == (WEB, VirtualService("sed"))
    assert await world.kernel.ask(ServiceEncoder(WEB6).get_service()) == errno.ESRCH


async def test_port_zero_is_the_kernels_word_for_all_ports(world: World) -> None:
    key = AddressKey(Protocol.TCP, WEB.address, 0)
    assert await world.add(key, persistence=Persistence(300, 32)) == 0
    assert set(await world.services()) == {key}


async def test_protocols_of_one_address_and_port_are_different_services(world: World) -> None:
    udp = AddressKey(Protocol.UDP, WEB.address, WEB.port)
    assert [await world.add(WEB), await world.add(udp, "rr")] == [0, 0]
    assert await world.services() == {WEB: VirtualService("wlc"), udp: VirtualService("rr")}


@pytest.mark.parametrize("number", [1, 2, 4, 8, 9])
async def test_a_number_that_is_short_is_einval(world: World, number: int) -> None:
    whole = ServiceEncoder(WEB).new_service("rr", NOTHING, None)
    short = contents(nested(whole, 1))[number][:-1]
    message = exchanged(whole, 1, number, short)
    assert list(await world.do(message, whole)) == [errno.EINVAL, 0]


async def test_a_mark_that_is_short_is_einval(world: World) -> None:
    whole = ServiceEncoder(MARK).new_service("rr", NOTHING, None)
    assert list(await world.do(exchanged(whole, 1, 5, b"\1\0"), whole)) == [errno.EINVAL, 0]


async def test_flags_may_be_short_but_not_long(world: World) -> None:
    whole = ServiceEncoder(WEB).new_service("mh", frozenset({"mh-port"}), None)
    assert list(await world.do(exchanged(whole, 1, 7, bytes(12)))) == [errno.EINVAL]
    # Without a mask no bit counts.
    assert list(await world.do(exchanged(whole, 1, 7, b"\x10\0\0\0"))) == [0]
    assert await world.services() == {WEB: VirtualService("mh")}
