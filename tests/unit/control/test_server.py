# ruff: noqa: ASYNC240 - a test may wait for a folder of its own
from __future__ import annotations

import logging
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from clusterf.control.client import ask
from clusterf.control.place import AlreadyRunning, NoSocket
from clusterf.control.protocol import JSON, LONGEST_REQUEST, NotPermitted, decode, encode
from clusterf.control.server import Handler, listen, serve
from clusterf.model.errors import ClusterfError, OutputUnavailable
from tests.unit.control.test_client import somebody


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


async def echo(request: JSON) -> JSON:
    await trio.lowlevel.checkpoint()
    return {"heard": request}


@asynccontextmanager
async def serving(path: Path, handle: Handler = echo) -> AsyncIterator[None]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, await listen(path), path, handle)
        yield
        nursery.cancel_scope.cancel()


async def connected(path: Path) -> trio.SocketStream:
    return await trio.open_unix_socket(path)


async def line(stream: trio.SocketStream) -> JSON:
    """Receive one reply."""
    received = b""
    while not received.endswith(b"\n"):
        chunk = await stream.receive_some()
        assert chunk, f"closed after {received!r}"
        received += chunk
    return decode(received)


async def say(path: Path, request: bytes) -> JSON:
    async with await connected(path) as stream:
        await stream.send_all(request)
        return await line(stream)


# --- the socket ----------------------------------------------------------------------------------


async def test_only_the_owner_may_ask(path: Path) -> None:
    before = os.umask(0)
    try:
        async with serving(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_ISSOCK(path.stat().st_mode)
            assert [one.name for one in path.parent.iterdir()] == ["control.sock"]
    finally:
        assert os.umask(before) == 0, "it is as it was"


async def test_the_folder_is_made_and_the_socket_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "run" / "clusterf" / "control.sock"
    async with serving(path):
        assert (await say(path, b"{}\n")) == {"heard": {}}
    assert list(path.parent.iterdir()) == []


async def test_the_socket_of_a_dead_daemon_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    async with serving(path):
        assert (await say(path, b"{}\n")) == {"heard": {}}


async def test_what_one_of_the_same_number_left_is_in_nobodys_way(path: Path) -> None:
    """In a container every clusterf has the same process id."""
    path.with_name(f".{os.getpid()}").touch()
    async with serving(path):
        assert (await say(path, b"{}\n")) == {"heard": {}}


async def test_a_living_daemon_keeps_its_socket(path: Path) -> None:
    async with serving(path):
        with pytest.raises(AlreadyRunning) as told:
            await listen(path)
        assert str(told.value).startswith(f"another clusterf is running at {path} (hint: ")
        assert told.value.exit_code == 75
        assert (await say(path, b"{}\n")) == {"heard": {}}
    assert not path.exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
async def test_what_is_no_socket_stays(path: Path, kind: str) -> None:
    """``control`` may name a file by mistake, such as the configuration itself."""
    target = path.with_name("precious")
    target.write_text("precious")
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(target)
    else:
        target.rename(path)
        target = path
    before = sorted(path.parent.iterdir())
    with pytest.raises(NoSocket) as told:
        await listen(path)
    assert f"control socket {path}: there is a file that is no socket" in str(told.value)
    assert told.value.exit_code == 78
    assert target.read_text() == "precious"
    assert sorted(path.parent.iterdir()) == before


async def test_a_path_as_long_as_a_socket_may_have(tmp_path: Path) -> None:
    """What ``check`` lets pass, 107 bytes, works."""
    folder = tmp_path / ("d" * (107 - len(os.fsencode(tmp_path)) - len("//control.sock")))
    path = folder / "control.sock"
    assert len(os.fsencode(path)) == 107
    async with serving(path):
        assert (await say(path, b"{}\n")) == {"heard": {}}


async def test_a_path_that_is_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSocket, match="too long"):
        await listen(tmp_path / ("d" * 100) / "control.sock")


async def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoSocket) as told:
        await listen(tmp_path / "file" / "control.sock")
    assert "hint: see control in [clusterf]" in str(told.value)


async def test_a_folder_of_another_user_is_told(tmp_path: Path) -> None:
    with somebody(tmp_path), pytest.raises(NotPermitted) as told:
        await listen(tmp_path / "control.sock")
    assert "Permission denied" in str(told.value)
    assert told.value.exit_code == 77
    assert list(tmp_path.iterdir()) == []


# --- talks ---------------------------------------------------------------------------------------


async def test_the_client_of_the_commands_is_understood(path: Path) -> None:
    async with serving(path):
        reply = await trio.to_thread.run_sync(ask, path, {"command": "x", "service": "é"})
    assert reply == {"heard": {"command": "x", "service": "é"}}


async def test_several_requests_over_one_connection(path: Path) -> None:
    async with serving(path), await connected(path) as stream:
        await stream.send_all(b'{"a":1}\n')
        assert await line(stream) == {"heard": {"a": 1}}
        await stream.send_all(b'{"a":2}\n{"a":3}\n{"a"')
        received = b""
        while received.count(b"\n") < 2:
            received += await stream.receive_some()
        assert [decode(one) for one in received.splitlines()] == [
            {"heard": {"a": 2}},
            {"heard": {"a": 3}},
        ]
        await stream.send_all(b":4}\n")
        assert await line(stream) == {"heard": {"a": 4}}


@pytest.mark.parametrize(
    "request_", [b"\n", b"status\n", b"\xff\xfe\n", b"[]\n", b"{" * 5000 + b"\n"]
)
async def test_nonsense_is_answered_and_the_talk_goes_on(path: Path, request_: bytes) -> None:
    async with serving(path), await connected(path) as stream:
        await stream.send_all(request_)
        reply = await line(stream)
        assert reply["error"].startswith("not ")
        await stream.send_all(b'{"a":1}\n')
        assert await line(stream) == {"heard": {"a": 1}}


async def test_a_request_of_the_longest_kind_is_answered(path: Path) -> None:
    padding = "x" * (LONGEST_REQUEST - len(encode({"a": ""})))
    async with serving(path):
        reply = await say(path, encode({"a": padding}))
    assert reply == {"heard": {"a": padding}}


async def test_a_line_without_end_is_refused_and_let_go(path: Path) -> None:
    async with serving(path), await connected(path) as stream:
        await stream.send_all(b"9" * (LONGEST_REQUEST + 1))
        assert await line(stream) == {"error": "the request is too long"}
        assert await stream.receive_some() == b""


async def test_two_at_once_do_not_wait_for_each_other(path: Path) -> None:
    gate = trio.Event()
    arrived = trio.Event()

    async def handle(request: JSON) -> JSON:
        if request["slow"]:
            arrived.set()
            await gate.wait()
        return request

    async with serving(path, handle), await connected(path) as slow:
        await slow.send_all(b'{"slow":true}\n')
        await arrived.wait()
        assert await say(path, b'{"slow":false}\n') == {"slow": False}
        gate.set()
        assert await line(slow) == {"slow": True}


async def test_one_that_goes_away_before_its_answer_hurts_nobody(path: Path) -> None:
    gate, arrived = trio.Event(), trio.Event()

    async def handle(request: JSON) -> JSON:
        if request.get("slow"):
            arrived.set()
            await gate.wait()
        # More than a socket takes at once.
        return {"much": "x" * 10_000_000} if request.get("slow") else request

    async with serving(path, handle):
        for request in (b"", b'{"half":', b"\n"):
            async with await connected(path) as stream:
                await stream.send_all(request)
        async with await connected(path) as stream:
            await stream.send_all(b'{"slow":true}\n')
            await arrived.wait()
        gate.set()
        assert await say(path, b'{"a":1}\n') == {"a": 1}


async def test_a_silent_one_is_let_go(path: Path, mock_clock: MockClock) -> None:
    async with serving(path), await connected(path) as stream:
        await stream.send_all(b"{}\n")
        await line(stream)
        await wait_all_tasks_blocked()
        mock_clock.jump(59)
        await stream.send_all(b"{}\n")
        await line(stream)
        await wait_all_tasks_blocked()
        mock_clock.jump(61)
        assert await stream.receive_some() == b""


async def test_one_that_takes_no_answer_is_let_go(path: Path, mock_clock: MockClock) -> None:
    async def at_length(_: JSON) -> JSON:
        await trio.lowlevel.checkpoint()
        return {"long": "x" * 4_000_000}

    async with serving(path, at_length), await connected(path) as stream:
        await stream.send_all(b"{}\n")
        await wait_all_tasks_blocked()
        mock_clock.jump(61)
        received = 0
        while chunk := await stream.receive_some(1_000_000):
            received += len(chunk)
        assert 0 < received < 4_000_000


# --- answers of the daemon -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (ClusterfError("no service x"), {"error": "no service x", "hint": ""}),
        (ClusterfError("no", hint="look"), {"error": "no", "hint": "look"}),
        (
            OutputUnavailable("no ip_vs", hint="modprobe ip_vs"),
            {"error": "no ip_vs", "hint": "modprobe ip_vs", "exit_code": 69},
        ),
        (NoSocket("x"), {"error": "x", "hint": "", "exit_code": 78}),
    ],
)
async def test_a_refusal_keeps_its_hint_and_its_exit_code(
    path: Path, error: ClusterfError, reply: JSON
) -> None:
    """A plain refusal has none: of the command that asked it is 1, and not that of a bug."""

    async def handle(_: JSON) -> JSON:
        raise error

    async with serving(path, handle):
        assert await say(path, b"{}\n") == reply


async def test_a_bug_ends_one_request_and_not_the_daemon(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(request: JSON) -> JSON:
        return {"done": request["missing"]}

    async with serving(path, handle):
        with caplog.at_level(logging.ERROR, "clusterf.control"):
            reply = await say(path, b"{}\n")
        assert reply == {"error": "a bug in clusterf: KeyError: 'missing'", "exit_code": 70}
        assert await say(path, b'{"missing":1}\n') == {"done": 1}
    [record] = caplog.records
    assert record.getMessage() == "request failed bug=true"
    assert record.exc_info is not None
