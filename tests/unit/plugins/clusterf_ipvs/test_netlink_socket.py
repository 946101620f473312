"""The socket's side of silence and nonsense, with a scripted peer instead of a kernel.

What a real kernel does with it is in tests/conformance/test_netlink.py.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from clusterf.plugin import OutputUnavailable
from clusterf_ipvs.constants import NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_HEADER
from clusterf_ipvs.kernel import UNKNOWN
from tests.unit.plugins.clusterf_ipvs.messages import HEAD, attribute
from tests.unit.plugins.clusterf_ipvs.scripted import Answers, Peer, acknowledge, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    import trio.testing


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


# --- batches ---------------------------------------------------------------------------------


async def test_errors_find_their_messages_in_whatever_order(peer: Peer) -> None:
    opened = peer.says(
        lambda n: [acknowledge(n[2], errno.EINVAL) + acknowledge(n[1], 17), acknowledge(n[3])]
    )
    assert await opened.carry_out([b"abcd"] * 4) == [0, errno.EEXIST, errno.EINVAL, 0]


async def test_without_the_last_answer_all_that_is_silent_is_unknown(
    peer: Peer, autojump_clock: trio.testing.MockClock
) -> None:
    """A handler that returns -EINTR answers nothing at all."""
    opened = peer.says(lambda n: [acknowledge(n[1], errno.EEXIST)])
    assert await opened.carry_out([b"abcd"] * 3) == [UNKNOWN, errno.EEXIST, UNKNOWN]
    assert autojump_clock.current_time() < 5


async def test_answers_to_what_was_given_up_are_ignored(
    peer: Peer, autojump_clock: trio.testing.MockClock
) -> None:
    del autojump_clock
    late: list[int] = []

    def silence(n: list[int]) -> list[bytes]:
        late.extend(n)
        return []

    assert await peer.says(silence).carry_out([b"abcd"]) == [UNKNOWN]
    opened = peer.says(lambda n: [acknowledge(late[0], errno.EPERM), acknowledge(n[0])])
    assert await opened.carry_out([b"abcd"]) == [0]


async def test_a_batch_for_which_there_is_no_room_goes_out_in_parts(peer: Peer) -> None:
    sizes: list[int] = []

    def crowded(n: list[int]) -> list[bytes]:
        sizes.append(len(n))
        if len(n) > 2:
            raise OSError(errno.EMSGSIZE, "too long")
        return [acknowledge(n[-1], errno.EEXIST)]

    results = await peer.says(crowded).carry_out([b"abcd"] * 5)
    assert sizes == [5, 2, 3, 1, 2]
    assert results == [0, errno.EEXIST, errno.EEXIST, 0, errno.EEXIST]


# --- lists -----------------------------------------------------------------------------------


async def test_a_list_comes_in_parts(peer: Peer) -> None:
    def answers(n: list[int]) -> list[bytes]:
        done = message(NLMSG_DONE, n[0], bytes(4))
        stray = message(0x1B, n[0] + 7, b"zzzz")
        return [message(0x1B, n[0], b"aaaa") + message(0x1B, n[0], b"bbbb"), stray, done]

    assert await peer.says(answers).dump(b"abcd") == [b"aaaa", b"bbbb"]


async def test_a_list_that_the_kernel_calls_torn_is_asked_for_again(peer: Peer) -> None:
    turns = iter(["torn", "whole"])

    def answers(n: list[int]) -> list[bytes]:
        flags = NLM_F_DUMP_INTR if next(turns) == "torn" else 0
        word = b"torn" if flags else b"good"
        return [message(0x1B, n[0], word) + message(NLMSG_DONE, n[0], bytes(4), flags)]

    assert await peer.says(answers).dump(b"abcd") == [b"good"]


@pytest.mark.parametrize("kind", [NLMSG_DONE, NLMSG_ERROR])
async def test_a_list_that_ends_in_an_error(peer: Peer, kind: int) -> None:
    opened = peer.says(lambda n: [message(kind, n[0], struct.pack("=i", -errno.EPERM))])
    with pytest.raises(PermissionError):
        await opened.dump(b"abcd")


async def test_an_answer_that_was_cut_short_is_unavailable(peer: Peer) -> None:
    opened = peer.says(lambda n: [NLMSG_HEADER.pack(400, 0x1B, 0, n[0], 0)])
    with pytest.raises(OutputUnavailable, match="cut short"):
        await opened.dump(b"abcd")


# --- questions -------------------------------------------------------------------------------


async def test_a_question_has_an_answer_or_an_errno(peer: Peer) -> None:
    opened = peer.says(lambda n: [message(0x1B, n[0], b"aaaa")])
    assert await opened.ask(b"abcd") == b"aaaa"
    opened = peer.says(lambda n: [acknowledge(n[0], errno.ESRCH)])
    assert await opened.ask(b"abcd") == errno.ESRCH


@pytest.mark.parametrize("code", [errno.EPERM, errno.EACCES])
async def test_permission_is_no_answer_about_one_thing(peer: Peer, code: int) -> None:
    opened = peer.says(lambda n: [acknowledge(n[0], code)])
    with pytest.raises(PermissionError):
        await opened.ask(b"abcd")


def family(number: bytes) -> Answers:
    """The controller's answer about the family."""
    return lambda n: [message(0x10, n[0], HEAD + attribute(2, b"IPVS\0") + attribute(1, number))]


async def test_the_family_is_looked_up_by_its_name(peer: Peer) -> None:
    await peer.says(family(struct.pack("=H", 0x1B))).look_up()
    await peer.says(family(struct.pack("=H", 0x1B))).look_up(again=True)
    with pytest.raises(OutputUnavailable, match="loaded anew"):
        await peer.says(family(struct.pack("=H", 0x1C))).look_up(again=True)


async def test_a_family_that_is_missing_or_makes_no_sense(peer: Peer) -> None:
    with pytest.raises(FileNotFoundError):
        await peer.says(lambda n: [acknowledge(n[0], errno.ENOENT)]).look_up()
    with pytest.raises(OutputUnavailable, match="makes no sense"):
        await peer.says(family(b"\1")).look_up()


async def test_closing_lets_go_of_the_socket(peer: Peer) -> None:
    peer.socket.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        peer.socket._socket.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
