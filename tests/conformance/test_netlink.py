"""The socket on a real kernel: full buffers, missing permission, many tasks, cancelled dumps."""

from __future__ import annotations

import ctypes
import errno
import socket
from typing import TYPE_CHECKING

import pytest
import trio

from clusterf.model.address import Address
from clusterf.model.table import AddressKey, Destination, DestinationKey, Method, Protocol
from clusterf.plugin import OutputUnavailable
from clusterf_ipvs import destination_codec, service_codec
from clusterf_ipvs.kernel import UNKNOWN
from clusterf_ipvs.netlink import NetlinkKernel
from clusterf_ipvs.service_codec import LIST_SERVICES, ServiceEncoder
from tests.conformance.conftest import NOTHING, ONE, PLAIN, WEB, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from clusterf_ipvs.netlink_socket import NetlinkSocket
    from tests.lab.network import Namespace

pytestmark = pytest.mark.lab

TARGETS = [DestinationKey(Address((0xC6336401 + n).to_bytes(4)), 80) for n in range(1000)]


@pytest.fixture
async def kernel(netns: Namespace) -> AsyncIterator[NetlinkKernel]:
    connect(netns)
    kernel = NetlinkKernel(batch=1000)
    await kernel.exchange([ServiceEncoder(WEB).new_service("wlc", NOTHING, None)])
    yield kernel
    await kernel.close()


def opened(kernel: NetlinkKernel) -> NetlinkSocket:
    assert kernel._socket is not None
    return kernel._socket


async def listed(kernel: NetlinkKernel) -> set[DestinationKey]:
    messages = await kernel.dump(ServiceEncoder(WEB).list_destinations())
    return set(destination_codec.decode_all(messages, WEB.family)[0])


async def test_a_batch_larger_than_the_send_buffer_is_split(kernel: NetlinkKernel) -> None:
    opened(kernel)._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    web = ServiceEncoder(WEB)
    assert not any(await kernel.exchange([web.new_destination(each, PLAIN) for each in TARGETS]))
    assert await listed(kernel) == set(TARGETS)


async def test_a_message_larger_than_the_send_buffer_is_refused_alone(
    kernel: NetlinkKernel,
) -> None:
    opened(kernel)._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    web = ServiceEncoder(WEB)
    huge = web.new_destination(ONE, PLAIN) + bytes(20000)
    results = await kernel.exchange([web.new_destination(TARGETS[5], PLAIN), huge])
    assert list(results) == [0, errno.EMSGSIZE]


async def test_answers_that_found_no_room_are_unknown_and_the_edits_were_made(
    kernel: NetlinkKernel,
) -> None:
    web = ServiceEncoder(WEB)
    new = [web.new_destination(each, PLAIN) for each in TARGETS]
    await kernel.exchange(new[::2])
    opened(kernel)._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    results = await kernel.exchange(new)
    assert {errno.EEXIST, UNKNOWN} == set(results)
    # All odd ones succeeded, and nobody can tell.
    assert set(results[1::2]) == {UNKNOWN}
    assert await listed(kernel) == set(TARGETS)
    assert list(await kernel.exchange([web.del_destination(TARGETS[0])])) == [0]


async def test_tasks_wait_for_one_another(kernel: NetlinkKernel) -> None:
    web = ServiceEncoder(WEB)
    found: list[int] = []

    async def edit(part: int) -> None:
        messages = [web.new_destination(each, PLAIN) for each in TARGETS[part::4]]
        found.extend(await kernel.exchange(messages))

    async def look() -> None:
        for _ in range(5):
            await listed(kernel)

    async with trio.open_nursery() as nursery:
        for part in range(4):
            nursery.start_soon(edit, part)
            nursery.start_soon(look)
    assert found == [0] * len(TARGETS)
    assert await listed(kernel) == set(TARGETS)


async def test_a_cancelled_call_leaves_nothing_for_the_next_one(kernel: NetlinkKernel) -> None:
    web = ServiceEncoder(WEB)
    await kernel.exchange([web.new_destination(each, PLAIN) for each in TARGETS])
    for turn in range(40):
        with trio.CancelScope() as scope:
            if turn % 2:
                scope.cancel()
            await kernel.exchange([web.set_destination(TARGETS[0], PLAIN)] * 3)
        assert await listed(kernel) == set(TARGETS)


async def test_closing_in_between_changes_nothing(kernel: NetlinkKernel) -> None:
    await kernel.close()
    await kernel.close()
    assert len(await kernel.dump(LIST_SERVICES)) == 1


async def test_many_services_are_listed_in_many_answers(kernel: NetlinkKernel) -> None:
    keys = [AddressKey(Protocol.UDP, WEB.address, 1000 + n) for n in range(1000)]
    messages = [ServiceEncoder(key).new_service("rr", NOTHING, None) for key in keys]
    assert not any(await kernel.exchange(messages))
    found = {service_codec.decode(each)[0] for each in await kernel.dump(LIST_SERVICES)}
    assert found == {WEB, *keys}


async def test_without_the_capability_it_is_told(kernel: NetlinkKernel) -> None:
    web = ServiceEncoder(WEB)
    edit = web.new_destination(ONE, Destination(1, Method.MASQ))

    def without(work: object) -> object:
        """In a thread of its own, whose capabilities end with it."""
        assert callable(work)
        libc = ctypes.CDLL(None, use_errno=True)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        nothing = (ctypes.c_uint32 * 6)(*[0] * 6)
        assert libc.capset(header, nothing) == 0
        try:
            return trio.run(work)
        except OutputUnavailable as error:
            return error

    async def write() -> object:
        poor = NetlinkKernel()
        try:
            return list(await poor.exchange([edit, edit]))
        finally:
            await poor.close()

    async def read() -> object:
        poor = NetlinkKernel()
        try:
            return await poor.dump(LIST_SERVICES)
        finally:
            await poor.close()

    async def in_thread(work: object) -> object:
        import threading  # noqa: PLC0415 - not Trio's threads: they are used again

        result: list[object] = []
        thread = threading.Thread(target=lambda: result.append(without(work)))
        thread.start()
        await trio.to_thread.run_sync(thread.join)
        return result[0]

    assert await in_thread(write) == [errno.EPERM, errno.EPERM]
    refused = await in_thread(read)
    assert isinstance(refused, OutputUnavailable)
    assert "CAP_NET_ADMIN" in refused.hint
    assert await listed(kernel) == set()
