from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from clusterf.testing import InstanceContext
from clusterf_etcd.failure import EtcdRefused, EtcdUnavailable, TooLarge
from clusterf_etcd.settings import ConnectionSettings
from clusterf_etcd.transport import Transport
from clusterf_etcd.wire import ANSWER_MAX
from tests.unit.plugins.clusterf_etcd.stub import (
    CLOSE,
    HANG,
    LAST,
    Answer,
    Asked,
    Stub,
    ok,
    raw,
    serving,
    stream,
)


@asynccontextmanager
async def connecting(url: str, **facts: Any) -> AsyncIterator[Transport]:
    settings = ConnectionSettings.model_validate({"endpoints": [url], **facts})
    transport = Transport(settings, InstanceContext("sources.x", folder=Path("/")))
    try:
        yield transport
    finally:
        with trio.CancelScope(shield=True):
            await transport.close()


async def post(transport: Transport, stub: Stub) -> tuple[int, bytes]:
    return await transport.post(stub.url, "/v3/x", b"{}", {})


async def test_what_is_sent_and_what_comes_back() -> None:
    async with serving(lambda _: raw(418, b"tea")) as stub, connecting(stub.url) as transport:
        answer = await transport.post(stub.url, "/v3/x", b'{"a":1}', {"authorization": "token"})
        assert answer == (418, b"tea")
    [asked] = stub.asked
    assert asked.path == "/v3/x"
    assert asked.message == {"a": 1}
    assert asked.headers["authorization"] == "token"
    assert asked.headers["grpc-metadata-hasleader"] == "true"
    assert "cookie" not in asked.headers


async def test_one_connection_serves_one_call_after_the_other() -> None:
    async with serving(lambda _: ok()) as stub, connecting(stub.url) as transport:
        for _ in range(5):
            await post(transport, stub)
        assert stub.connections == 1


async def test_the_kernel_looks_after_connections() -> None:
    async with (
        serving(lambda _: stream(b"x")) as stub,
        connecting(stub.url) as transport,
    ):
        with trio.CancelScope() as scope:
            body = await transport.stream(stub.url, "/v3/watch", b"{}", {}, scope)
        connection = body._response.extensions["network_stream"].get_extra_info("socket")
        for level, option, value in (
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3),
            (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
            (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 15_000),
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        ):
            assert connection.getsockopt(level, option) == value
        await body.close()


async def test_an_answer_that_keeps_its_reader_waiting() -> None:
    def answer(_: Asked) -> Answer:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
        for _ in range(100):
            # Each byte is in time, and all of them are not.
            yield b"x"
            later = trio.Event()
            trio.lowlevel.current_trio_token().run_sync_soon(later.set)
            yield later
            yield _after(0.02)

    async with serving(answer) as stub, connecting(stub.url, timeout=0.2) as transport:
        began = trio.current_time()
        with pytest.raises(EtcdUnavailable, match=r"no answer within 0\.2 s") as caught:
            await post(transport, stub)
        assert 0.2 <= trio.current_time() - began < 1
        assert caught.value.perhaps_done


def _after(seconds: float) -> trio.Event:
    event = trio.Event()
    trio.lowlevel.spawn_system_task(_set, event, seconds)
    return event


async def _set(event: trio.Event, seconds: float) -> None:
    await trio.sleep(seconds)
    event.set()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([HANG], "no answer within"),
        ([b"HTTP/1.1 200 OK\r\n", HANG], "no answer within"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", HANG], "no answer within"),
        ([CLOSE], "disconnected without"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", CLOSE], "peer closed"),
        (stream(b"x", end=CLOSE), "peer closed"),
        ([b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", HANG], "illegal status line"),
        ([b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50_000, HANG], "receive buffer too long"),
    ],
    ids=lambda one: str(one)[:50],
)
async def test_answers_that_are_none(answer: Answer, says: str) -> None:
    async with (
        serving(lambda _: answer) as stub,
        connecting(stub.url, timeout=0.3) as transport,
    ):
        with pytest.raises(EtcdUnavailable, match=says) as caught:
            await post(transport, stub)
        assert str(caught.value).startswith(stub.url)
        assert caught.value.perhaps_done
        await trio.testing.wait_all_tasks_blocked(0.02)
        assert stub.open == 0


@pytest.mark.parametrize("where", ["length", "chunks"])
async def test_an_answer_larger_than_it_may_be_is_not_read_to_its_end(where: str) -> None:
    part = bytes(2**20)

    def answer(_: Asked) -> Answer:
        if where == "length":
            yield b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (100 * len(part))
        else:
            yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for _ in range(100):
            yield part if where == "length" else b"%x\r\n%s\r\n" % (len(part), part)

    async with serving(answer) as stub, connecting(stub.url) as transport:
        with pytest.raises(TooLarge, match="more than 64 MB"):
            await post(transport, stub)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert stub.open == 0


async def test_an_answer_as_large_as_it_may_be_is_read() -> None:
    async with (
        serving(lambda _: raw(200, bytes(ANSWER_MAX))) as stub,
        connecting(stub.url) as transport,
    ):
        _, body = await post(transport, stub)
        assert len(body) == ANSWER_MAX


async def test_a_call_that_is_given_up_takes_its_connection_with_it() -> None:
    async with serving(lambda _: stream(b"x")) as stub, connecting(stub.url) as transport:
        with trio.move_on_after(0.1):
            await post(transport, stub)
        await trio.testing.wait_all_tasks_blocked(0.02)
        assert stub.open == 0


async def test_a_stream_has_a_connection_of_its_own_and_ends_with_it() -> None:
    def answer(asked: Asked) -> Answer:
        return stream(b"one", b"two") if asked.path == "/v3/watch" else ok()

    async with serving(answer) as stub, connecting(stub.url) as transport:
        await post(transport, stub)
        with trio.CancelScope() as scope:
            body = await transport.stream(stub.url, "/v3/watch", b"{}", {}, scope)
        read = await body.read()
        assert read.startswith(b"one")
        await post(transport, stub)
        assert stub.connections == 2
        # Half read: its generators must not be left lying about.
        await body.close()
        await body.close()
        await trio.testing.wait_all_tasks_blocked(0.02)
        assert stub.open == 1
        await post(transport, stub)
        assert stub.connections == 2


async def test_a_stream_that_ends_gives_nothing_more() -> None:
    async with (
        serving(lambda _: stream(b"one", end=LAST)) as stub,
        connecting(stub.url) as transport,
    ):
        with trio.CancelScope() as scope:
            body = await transport.stream(stub.url, "/v3/watch", b"{}", {}, scope)
        assert await body.read() == b"one"
        assert await body.read() == b""
        assert await body.read() == b""
        await body.close()


async def test_a_stream_gets_a_deadline_for_its_beginning_only_once_it_is_connected() -> None:
    async with serving(lambda _: [HANG]) as stub, connecting(stub.url, timeout=0.1) as transport:
        with trio.CancelScope() as scope:
            await transport.stream(stub.url, "/v3/watch", b"{}", {}, scope)
        assert scope.cancelled_caught


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with connecting(url) as transport:
        with pytest.raises(EtcdUnavailable, match="connection refused") as caught:
            await transport.post(url, "/v3/x", b"{}", {})
        assert not caught.value.perhaps_done


async def test_nobody_shakes_hands() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        async with connecting(url, timeout=0.2) as transport:
            with pytest.raises(EtcdUnavailable, match="no answer within") as caught:
                await transport.post(url, "/v3/x", b"{}", {})
            assert not caught.value.perhaps_done


async def test_a_name_that_nobody_knows() -> None:
    async with connecting("http://etcd.invalid") as transport:
        with pytest.raises(EtcdUnavailable) as caught:
            await transport.post("http://etcd.invalid:2379", "/v3/x", b"{}", {})
        assert not caught.value.perhaps_done


async def test_a_closed_transport_lets_the_calls_under_way_end() -> None:
    gate = trio.Event()
    async with (
        serving(lambda _: [gate, *ok()]) as stub,
        connecting(stub.url) as transport,
        trio.open_nursery() as nursery,
    ):
        found: list[tuple[int, bytes]] = []

        async def call() -> None:
            found.append(await post(transport, stub))

        nursery.start_soon(call)
        await trio.testing.wait_all_tasks_blocked(0.02)
        await transport.close()
        gate.set()
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert [status for status, _ in found] == [200]
        assert stub.open == 0


async def test_certificates_are_named_when_they_cannot_be_read(tmp_path: Path) -> None:
    for name in ("ca", "cert"):
        path = tmp_path / f"{name}.pem"
        path.write_text("nothing of the kind", "utf-8")
    for tls, says in (
        ({"ca": tmp_path / "none.pem"}, f"tls.ca {tmp_path}/none.pem: no such file"),
        ({"ca": tmp_path / "ca.pem"}, f"tls.ca {tmp_path}/ca.pem: "),
        ({"cert": tmp_path / "cert.pem", "key": tmp_path / "cert.pem"}, "tls.cert"),
    ):
        async with connecting("https://192.0.2.1", tls=tls) as transport:
            with pytest.raises(EtcdRefused, match=says):
                await transport.post("https://192.0.2.1:2379", "/v3/x", b"{}", {})


async def test_plain_http_loads_no_authorities() -> None:
    async with serving(lambda _: ok()) as stub, connecting(stub.url) as transport:
        await post(transport, stub)
        assert transport._pool is not None
        assert transport._pool.secure.cert_store_stats()["x509"] == 0
