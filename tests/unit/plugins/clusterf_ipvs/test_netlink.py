"""What the errors of a socket become, and what is left for the next call.

The socket has a scripted peer instead of a kernel; a real one is in tests/conformance.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

import pytest
import trio.testing

from clusterf.plugin import OutputUnavailable
from clusterf_ipvs import netlink
from clusterf_ipvs.constants import NLMSG_DONE, NLMSG_HEADER
from clusterf_ipvs.netlink import NetlinkKernel
from tests.unit.plugins.clusterf_ipvs.scripted import Answers, Peer, acknowledge, message

if TYPE_CHECKING:
    from collections.abc import Iterator


class Rig:
    """A kernel that is connected to a peer already."""

    def __init__(self) -> None:
        self.peer = Peer()
        self.kernel = NetlinkKernel(batch=2, deadline=5.0)
        self.kernel._socket = self.peer.socket

    def says(self, answers: Answers) -> NetlinkKernel:
        self.peer.says(answers)
        return self.kernel

    @property
    def connected(self) -> bool:
        """Whether the next call goes on with the same socket."""
        return self.kernel._socket is not None


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.peer.close()


async def test_results_of_several_batches_are_one_row(rig: Rig) -> None:
    kernel = rig.says(lambda n: [acknowledge(n[-1], errno.EEXIST)])
    found = list(await kernel.exchange([b"abcd"] * 5))
    assert found == [0, errno.EEXIST, 0, errno.EEXIST, errno.EEXIST]
    assert rig.connected


@pytest.mark.parametrize(
    ("code", "words", "hint", "status"),
    [
        (errno.EPERM, "neither read nor write (EPERM)", "CAP_NET_ADMIN", 77),
        (errno.ENOENT, "has no IPVS (ENOENT)", "modprobe ip_vs", 69),
        (errno.EBUSY, "cannot be asked: Device or resource busy (EBUSY)", "", 69),
    ],
)
async def test_an_error_in_words_with_what_people_can_do(
    rig: Rig, code: int, words: str, hint: str, status: int
) -> None:
    done = struct.pack("=i", -code)
    kernel = rig.says(lambda n: [message(NLMSG_DONE, n[0], done)])
    with pytest.raises(OutputUnavailable) as caught:
        await kernel.dump(b"abcd")
    assert words in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.exit_code == status
    assert isinstance(caught.value.__cause__, OSError)
    assert not rig.connected


async def test_a_missing_thing_may_be_a_missing_family(rig: Rig) -> None:
    """After ENOENT the family is looked up again: a destination, or IPVS itself?"""
    kernel = rig.says(lambda n: [acknowledge(n[0], errno.ENOENT)])
    with pytest.raises(OutputUnavailable, match="no IPVS"):
        await kernel.exchange([b"abcd"])


@pytest.mark.parametrize("call", ["dump", "ask"])
async def test_a_kernel_that_does_not_answer_is_unavailable_in_time(
    rig: Rig, call: str, autojump_clock: trio.testing.MockClock
) -> None:
    kernel = rig.says(lambda _: [])
    with pytest.raises(OutputUnavailable, match="not answered within 5s"):
        await getattr(kernel, call)(b"abcd")
    assert autojump_clock.current_time() == pytest.approx(5)
    # The next call starts with a new socket.
    assert not rig.connected


async def test_nonsense_lets_go_of_the_socket(rig: Rig) -> None:
    kernel = rig.says(lambda n: [NLMSG_HEADER.pack(400, 0x1B, 0, n[0], 0)])
    with pytest.raises(OutputUnavailable, match="cut short"):
        await kernel.ask(b"abcd")
    assert not rig.connected


async def test_a_cancelled_call_lets_go_of_the_socket(
    rig: Rig, autojump_clock: trio.testing.MockClock
) -> None:
    kernel = rig.says(lambda _: [])
    with trio.move_on_after(1):
        await kernel.dump(b"abcd")
    assert autojump_clock.current_time() == pytest.approx(1)
    assert not rig.connected


async def test_calls_wait_for_one_another(rig: Rig, autojump_clock: trio.testing.MockClock) -> None:
    del autojump_clock
    order: list[str] = []

    async def ask(name: str) -> None:
        await rig.kernel.ask(name.encode())
        order.append(name)

    def late(n: list[int]) -> list[bytes]:
        asked.append(n[0])
        return []

    asked: list[int] = []
    rig.says(late)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, "1111")
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(ask, "2222")
        await trio.testing.wait_all_tasks_blocked()
        assert len(asked) == 1
        rig.says(lambda n: [message(0x1B, n[0])])
        rig.peer.answer(message(0x1B, asked[0]))
    assert order == ["1111", "2222"]


async def test_other_tasks_get_their_turn_though_no_call_has_to_wait(rig: Rig) -> None:
    kernel = rig.says(lambda n: [message(0x1B, n[0], b"aaaa")])
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        for _ in range(20 * netlink._OTHERS):
            await kernel.ask(b"abcd")
        nursery.cancel_scope.cancel()
    assert turns >= 10


async def test_closing_twice_is_closing(rig: Rig) -> None:
    await rig.kernel.close()
    await rig.kernel.close()
    assert not rig.connected
