"""The socket's side of silence and nonsense, with a scripted peer instead of a kernel.

What a real kernel does with it is in tests/conformance/test_netlink.py.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterator

import pytest
import trio.testing

from clusterf.plugin import OutputUnavailable
from clusterf_ipvs.constants import NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_HEADER
from clusterf_ipvs.kernel import UNKNOWN
from clusterf_ipvs.netlink import NetlinkKernel, _Socket

Answers = Callable[[list[int]], list[bytes]]


def message(kind: int, number: int, body: bytes = b"", flags: int = 0) -> bytes:
    return NLMSG_HEADER.pack(16 + len(body), kind, flags, number, 0) + body


def acknowledge(number: int, code: int = 0) -> bytes:
    return message(NLMSG_ERROR, number, struct.pack("=i", -code) + bytes(16))


class Scripted(socket.socket):
    """One end of a pair whose other end answers at once, as a kernel does."""

    answers: Answers
    peer: socket.socket

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override] # bytes are enough here
        del flags
        numbers, offset = [], 0
        while offset < len(data):
            length, _, _, number, _ = NLMSG_HEADER.unpack_from(data, offset)
            numbers.append(number)
            offset += length
        for datagram in self.answers(numbers):
            self.peer.send(datagram)
        return len(data)


@pytest.fixture
def kernel() -> Iterator[NetlinkKernel]:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    scripted = Scripted(fileno=one.detach())
    scripted.peer = other
    scripted.setblocking(False)
    opened = object.__new__(_Socket)
    opened._deadline, opened._family, opened._turn = 5.0, 0x1B, 0
    opened._socket = scripted
    kernel = NetlinkKernel(deadline=5.0)
    kernel._socket = opened
    yield kernel
    scripted.close()
    other.close()


def script(kernel: NetlinkKernel, answers: Answers) -> None:
    assert kernel._socket is not None
    kernel._socket._socket.answers = answers  # type: ignore[attr-defined] # a Scripted


async def test_errors_find_their_messages_in_whatever_order(kernel: NetlinkKernel) -> None:
    script(
        kernel,
        lambda n: [acknowledge(n[2], errno.EINVAL) + acknowledge(n[1], 17), acknowledge(n[3])],
    )
    assert list(await kernel.exchange([b"abcd"] * 4)) == [0, errno.EEXIST, errno.EINVAL, 0]


async def test_without_the_last_answer_all_that_is_silent_is_unknown(
    kernel: NetlinkKernel, autojump_clock: trio.testing.MockClock
) -> None:
    """A handler that returns -EINTR answers nothing at all."""
    script(kernel, lambda n: [acknowledge(n[1], errno.EEXIST)])
    assert list(await kernel.exchange([b"abcd"] * 3)) == [UNKNOWN, errno.EEXIST, UNKNOWN]
    assert autojump_clock.current_time() < 5


async def test_answers_to_what_was_given_up_are_ignored(
    kernel: NetlinkKernel, autojump_clock: trio.testing.MockClock
) -> None:
    del autojump_clock
    late: list[int] = []

    def silence(n: list[int]) -> list[bytes]:
        late.extend(n)
        return []

    script(kernel, silence)
    assert list(await kernel.exchange([b"abcd"])) == [UNKNOWN]
    script(kernel, lambda n: [acknowledge(late[0], errno.EPERM), acknowledge(n[0])])
    assert list(await kernel.exchange([b"abcd"])) == [0]


async def test_a_list_comes_in_parts(kernel: NetlinkKernel) -> None:
    def answers(n: list[int]) -> list[bytes]:
        done = message(NLMSG_DONE, n[0], bytes(4))
        stray = message(0x1B, n[0] + 7, b"zzzz")
        return [message(0x1B, n[0], b"aaaa") + message(0x1B, n[0], b"bbbb"), stray, done]

    script(kernel, answers)
    assert await kernel.dump(b"abcd") == [b"aaaa", b"bbbb"]


async def test_a_list_that_the_kernel_calls_torn_is_asked_for_again(
    kernel: NetlinkKernel,
) -> None:
    turns = iter(["torn", "whole"])

    def answers(n: list[int]) -> list[bytes]:
        flags = NLM_F_DUMP_INTR if next(turns) == "torn" else 0
        word = b"torn" if flags else b"good"
        return [message(0x1B, n[0], word) + message(NLMSG_DONE, n[0], bytes(4), flags)]

    script(kernel, answers)
    assert await kernel.dump(b"abcd") == [b"good"]


@pytest.mark.parametrize("kind", [NLMSG_DONE, NLMSG_ERROR])
async def test_a_list_that_ends_in_an_error(kernel: NetlinkKernel, kind: int) -> None:
    script(kernel, lambda n: [message(kind, n[0], struct.pack("=i", -errno.EPERM))])
    with pytest.raises(OutputUnavailable, match="CAP_NET_ADMIN"):
        await kernel.dump(b"abcd")


async def test_a_question_has_an_answer_or_an_errno(kernel: NetlinkKernel) -> None:
    script(kernel, lambda n: [message(0x1B, n[0], b"aaaa")])
    assert await kernel.ask(b"abcd") == b"aaaa"
    script(kernel, lambda n: [acknowledge(n[0], errno.ESRCH)])
    assert await kernel.ask(b"abcd") == errno.ESRCH


@pytest.mark.parametrize("call", ["dump", "ask"])
async def test_a_kernel_that_does_not_answer_is_unavailable_in_time(
    kernel: NetlinkKernel, call: str, autojump_clock: trio.testing.MockClock
) -> None:
    script(kernel, lambda _: [])
    with pytest.raises(OutputUnavailable, match="not answered within 5s"):
        await getattr(kernel, call)(b"abcd")
    assert autojump_clock.current_time() == pytest.approx(5)
    # The next call starts with a new socket.
    assert kernel._socket is None


async def test_an_answer_that_was_cut_short_is_unavailable(kernel: NetlinkKernel) -> None:
    script(kernel, lambda n: [NLMSG_HEADER.pack(400, 0x1B, 0, n[0], 0)])
    with pytest.raises(OutputUnavailable, match="cut short"):
        await kernel.dump(b"abcd")


async def test_a_cancelled_call_lets_go_of_the_socket(kernel: NetlinkKernel) -> None:
    script(kernel, lambda _: [])
    with trio.move_on_after(0.01):
        await kernel.dump(b"abcd")
    assert kernel._socket is None
