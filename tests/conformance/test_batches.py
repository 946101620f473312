"""Many messages at once, and lists."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from clusterf.model.address import Address
from clusterf.model.table import AddressKey, Destination, DestinationKey, Method, Protocol
from clusterf_ipvs.attributes import enclose, nested
from clusterf_ipvs.service_codec import GET_INFO, ServiceEncoder, decode_info
from tests.conformance.conftest import NOTHING, ONE, PLAIN, TWO, WEB, WEB6

if TYPE_CHECKING:
    from tests.conformance.conftest import World


def _targets(number: int) -> list[DestinationKey]:
    return [DestinationKey(Address((0xC6336401 + n).to_bytes(4)), 80) for n in range(number)]


async def test_nothing_to_do_is_no_result(world: World) -> None:
    assert list(await world.do()) == []


async def test_an_error_in_the_middle_stops_nothing_and_is_told_of_its_message(
    world: World,
) -> None:
    web = ServiceEncoder(WEB)
    assert list(
        await world.do(
            web.new_service("wlc", NOTHING, None),
            web.new_destination(ONE, PLAIN),
            web.new_destination(ONE, PLAIN),
            web.set_destination(TWO, PLAIN),
            ServiceEncoder(WEB6).del_service(),
            web.new_destination(TWO, Destination(2**31, Method.MASQ)),
            web.new_destination(TWO, Destination(7, Method.DROUTE)),
        )
    ) == [0, 0, errno.EEXIST, errno.ENOENT, errno.ESRCH, errno.ERANGE, 0]
    assert await world.destinations(WEB) == {ONE: PLAIN, TWO: Destination(7, Method.DROUTE)}


async def test_an_error_of_the_last_message_is_told_too(world: World) -> None:
    web = ServiceEncoder(WEB)
    new = web.new_service("wlc", NOTHING, None)
    assert list(await world.do(new, new)) == [0, errno.EEXIST]
    assert list(await world.do(new)) == [errno.EEXIST]


async def test_a_batch_in_which_all_fails(world: World) -> None:
    web = ServiceEncoder(WEB)
    messages = [web.del_destination(target) for target in _targets(700)]
    assert set(await world.do(*messages)) == {errno.ESRCH}


async def test_more_messages_than_one_batch(world: World) -> None:
    web = ServiceEncoder(WEB)
    targets = _targets(1200)
    new = [web.new_destination(target, PLAIN) for target in targets]
    results = await world.do(web.new_service("wlc", NOTHING, None), *new, new[600])
    assert list(results) == [0] * 1201 + [errno.EEXIST]
    assert await world.destinations(WEB) == dict.fromkeys(targets, PLAIN)


async def test_a_list_longer_than_one_answer(world: World) -> None:
    keys = [AddressKey(Protocol.UDP, WEB.address, 1000 + n) for n in range(300)]
    await world.do(*(ServiceEncoder(key).new_service("rr", NOTHING, None) for key in keys))
    assert set(await world.services()) == set(keys)


async def test_mh_refuses_more_destinations_than_its_table_has_places(world: World) -> None:
    web = ServiceEncoder(WEB)
    new = [web.new_destination(target, PLAIN) for target in _targets(4094)]
    assert not any(await world.do(web.new_service("none", NOTHING, None), *new[:-1]))
    assert await world.edit(WEB, "mh") == 0
    assert not any(await world.do(web.set_service("none", NOTHING, None), new[-1]))
    assert await world.edit(WEB, "mh") == errno.EINVAL
    assert (await world.services())[WEB].scheduler == "none"


async def test_when_mh_refuses_the_service_is_left_with_another_scheduler(world: World) -> None:
    web = ServiceEncoder(WEB)
    new = [web.new_destination(target, PLAIN) for target in _targets(4094)]
    await world.do(web.new_service("rr", NOTHING, None), *new)
    assert await world.edit(WEB, "mh") == errno.EINVAL
    # The old one is unbound already; whether its name stays differs between kernels.
    assert (await world.services())[WEB].scheduler in ("none", "rr")


async def test_the_kernel_tells_its_version_and_the_size_of_its_table(world: World) -> None:
    answer = await world.kernel.ask(GET_INFO)
    assert isinstance(answer, bytes)
    info = decode_info(answer)
    assert info.version == "1.2.1"
    assert info.connection_table_size >= 256


@pytest.mark.parametrize("cut", [0, 4, 8, 24])
async def test_a_message_without_its_attributes_is_einval(world: World, cut: int) -> None:
    web = ServiceEncoder(WEB)
    whole = web.new_service("wlc", NOTHING, None)
    inner = enclose(1, nested(whole, 1)[:cut]) if cut else b""
    message = whole[:4] + inner
    assert list(await world.do(message)) == [errno.EINVAL]


async def test_a_destination_command_without_a_destination_is_einval(world: World) -> None:
    await world.add(WEB)
    message = ServiceEncoder(WEB).new_destination(ONE, PLAIN)
    service_only = message[: 4 + 4 + len(nested(message, 1))]
    assert list(await world.do(service_only)) == [errno.EINVAL]
    no_such_service = ServiceEncoder(WEB6).new_destination(ONE, PLAIN)
    service_only = no_such_service[: 4 + 4 + len(nested(no_such_service, 1))]
    assert list(await world.do(service_only)) == [errno.ESRCH]
