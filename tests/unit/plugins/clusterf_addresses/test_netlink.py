"""Against the other end of a pair of sockets that plays the kernel, and against the real one."""

from __future__ import annotations

import errno
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from clusterf.plugin import OutputUnavailable
from clusterf_addresses.netlink import ACK, ROUTE, Message, RefusedError, Talk, talk

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = struct.Struct("=IHHII")
ERROR, DONE, INTERRUPTED = 2, 3, 0x10


class Played:
    """The kernel's end. What it will answer is put there before it is asked."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def answer(self, *messages: tuple[int, int, int, bytes]) -> None:
        """One datagram of messages: number, type, flags, body."""
        self._end.send(
            b"".join(
                HEADER.pack(16 + len(body), kind, flags, number, 0) + body
                for number, kind, flags, body in messages
            )
        )

    def asked(self) -> bytes:
        return self._end.recv(1 << 16)


@pytest.fixture
def pair() -> Iterator[tuple[Talk, Played]]:
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with Talk(ours) as opened, kernel:
        yield opened, Played(kernel)


def code(number: int) -> bytes:
    return struct.pack("=i", -number) + bytes(16)


def test_a_request_gets_its_answer_and_its_ack(pair: tuple[Talk, Played]) -> None:
    opened, kernel = pair
    kernel.answer((1, 77, 0, b"told"), (1, ERROR, 0, code(0)))
    assert opened.ask(16, b"abc") == [b"told"]
    length, kind, flags, number, _ = HEADER.unpack_from(asked := kernel.asked())
    assert (length, kind, number, flags & ACK) == (19, 16, 1, ACK)
    assert asked[16:] == b"abc\0"


def test_a_refusal_is_raised(pair: tuple[Talk, Played]) -> None:
    opened, kernel = pair
    kernel.answer((1, ERROR, 0, code(errno.EEXIST)))
    with pytest.raises(RefusedError) as caught:
        opened.ask(16, b"")
    assert caught.value.code == errno.EEXIST


def test_of_a_batch_the_first_refusal_is_raised_and_all_are_waited_for(
    pair: tuple[Talk, Played],
) -> None:
    opened, kernel = pair
    batch = [Message(16, 0, b""), *(Message(1, ACK, b"") for _ in range(3)), Message(17, 0, b"")]
    kernel.answer((2, ERROR, 0, code(0)), (3, ERROR, 0, code(errno.ENOENT)))
    kernel.answer((4, ERROR, 0, code(errno.EPERM)))
    with pytest.raises(RefusedError) as caught:
        opened.batch(batch)
    assert caught.value.code == errno.ENOENT
    kernel.answer((6, ERROR, 0, code(0)))
    assert opened.ask(1, b"") == [], "nothing of the batch is left"


def test_a_batch_that_nobody_takes_is_refused_at_its_begin(pair: tuple[Talk, Played]) -> None:
    opened, kernel = pair
    kernel.answer((1, ERROR, 0, code(errno.EOPNOTSUPP)))
    with pytest.raises(RefusedError) as caught:
        opened.batch([Message(16, 0, b""), Message(1, ACK, b""), Message(17, 0, b"")])
    assert caught.value.code == errno.EOPNOTSUPP


def test_a_list_comes_in_parts(pair: tuple[Talk, Played]) -> None:
    opened, kernel = pair
    kernel.answer((9, 77, 0, b"of somebody else"), (1, 77, 0, b"one "))
    kernel.answer((1, 77, 0, b"two "))
    kernel.answer((1, DONE, 0, struct.pack("=i", 0)))
    assert [message.body for message in opened.dump(18, b"")] == [b"one ", b"two "]


def test_a_list_that_tore_is_asked_for_again(pair: tuple[Talk, Played]) -> None:
    opened, kernel = pair
    kernel.answer((1, 77, INTERRUPTED, b"torn"), (1, DONE, INTERRUPTED, struct.pack("=i", 0)))
    kernel.answer((2, 77, 0, b"good"), (2, DONE, 0, struct.pack("=i", 0)))
    assert [message.body for message in opened.dump(18, b"")] == [b"good"]


def test_a_list_that_always_tears_makes_the_output_unavailable(
    pair: tuple[Talk, Played],
) -> None:
    opened, kernel = pair
    for number in range(1, 6):
        kernel.answer((number, DONE, INTERRUPTED, struct.pack("=i", 0)))
    with pytest.raises(OutputUnavailable, match="change faster"):
        opened.dump(18, b"")


def test_a_list_that_is_refused_is_no_empty_one(pair: tuple[Talk, Played]) -> None:
    opened, kernel = pair
    kernel.answer((1, ERROR, 0, code(errno.EPERM)))
    with pytest.raises(RefusedError):
        opened.dump(18, b"")


def test_an_answer_that_was_cut_short_makes_the_output_unavailable(
    pair: tuple[Talk, Played],
) -> None:
    opened, kernel = pair
    kernel._end.send(HEADER.pack(100, 77, 0, 1, 0))
    with pytest.raises(OutputUnavailable, match="cut short"):
        opened.ask(16, b"")


def test_a_kernel_that_is_gone_makes_the_output_unavailable(pair: tuple[Talk, Played]) -> None:
    opened, kernel = pair
    kernel._end.close()
    with pytest.raises(OutputUnavailable, match="netlink: connection refused"):
        opened.ask(16, b"")


def test_the_real_kernel_refuses_what_it_does_not_have() -> None:
    with pytest.raises(RefusedError) as caught:
        talk(31)
    assert caught.value.code == errno.EPROTONOSUPPORT
    with talk(ROUTE) as kernel, pytest.raises(RefusedError) as caught:
        kernel.ask(18, struct.pack("=BxHiII", 0, 0, 2**31 - 1, 0, 0))
    assert caught.value.code == errno.ENODEV


def test_a_refusal_has_words_and_its_name() -> None:
    assert str(RefusedError(errno.EPERM)) == "operation not permitted (EPERM)"
    assert str(RefusedError(9999)).endswith("(9999)")
