from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from clusterf.engine.context import InstanceContext
from clusterf_etcd.commands import v2_client
from clusterf_etcd.commands.v2_client import NoTree, fetch
from clusterf_etcd.commands.v2_tree import V2Key
from clusterf_etcd.failure import (
    EtcdError,
    EtcdRefused,
    EtcdUnavailable,
    PermissionDenied,
    TooLarge,
)
from clusterf_etcd.settings import ConnectionSettings

TREE = b'{"action":"get","node":{"key":"/c","dir":true,"nodes":[{"key":"/c/x","value":"1"}]}}'


class Server:
    """A member that answers one request as it is told, and keeps what it was asked."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.asked = b""

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            while not self.asked.endswith(b"\r\n\r\n"):
                self.asked += await stream.receive_some()
            if self.answer:
                await stream.send_all(self.answer)
            else:
                await trio.sleep_forever()

    @asynccontextmanager
    async def open(self, prefix: str = "/c") -> AsyncIterator[ConnectionSettings]:
        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
                nursery.start_soon(trio.serve_listeners, self.serve, [listener])
                port = listener.socket.getsockname()[1]
                yield ConnectionSettings(
                    endpoints=[f"http://127.0.0.1:{port}"], prefix=prefix, timeout=0.2
                )
                nursery.cancel_scope.cancel()


def http(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + body


async def asked(settings: ConnectionSettings) -> list[V2Key]:
    return await fetch(settings, InstanceContext("etcd v2", folder=Path("/")))


async def test_the_whole_tree_is_asked_for_as_a_quorum_has_it() -> None:
    server = Server(http(200, TREE))
    async with server.open() as settings:
        assert await asked(settings) == [V2Key("x", b"1", None)]
    assert server.asked.startswith(b"GET /v2/keys/c?recursive=true&quorum=true HTTP/1.1\r\n")


async def test_a_prefix_may_have_any_characters() -> None:
    server = Server(http(200, TREE.replace(b"/c", b"/a b?")))
    async with server.open("/a b?") as settings:
        assert await asked(settings) == [V2Key("x", b"1", None)]
    assert server.asked.startswith(b"GET /v2/keys/a%20b%3F?recursive")


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (404, b"404 page not found\n", EtcdRefused, "the v2 API is not served"),
        (
            404,
            b'{"errorCode":100,"message":"Key not found","cause":"/c","index":1}',
            NoTree,
            "Key not found: /c",
        ),
        (401, b'{"message":"Insufficient credentials"}', PermissionDenied, "not for everybody"),
        (
            401,
            b'{"errorCode":110,"message":"The request requires user authentication","cause":""}',
            PermissionDenied,
            "not for everybody",
        ),
        (
            500,
            b'{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: no leader"}',
            EtcdUnavailable,
            "Raft Internal Error: etcdserver: no leader",
        ),
        (
            400,
            b'{"errorCode":209,"message":"Invalid field","cause":"x","index":1}',
            EtcdRefused,
            "Invalid field: x",
        ),
        (503, b"busy", EtcdUnavailable, "answers 503: busy"),
        (302, b"", EtcdRefused, "answers 302: nothing"),
        (200, b"<html>", EtcdUnavailable, "the answer is not one of etcd"),
    ],
)
async def test_other_answers(status: int, body: bytes, kind: type[EtcdError], told: str) -> None:
    async with Server(http(status, body)).open() as settings:
        with pytest.raises(kind, match=told) as failure:
            await asked(settings)
    assert type(failure.value) is kind
    assert str(failure.value).startswith(settings.endpoints[0])


async def test_silence_has_a_bound() -> None:
    async with Server(b"").open() as settings:
        with pytest.raises(EtcdUnavailable, match=r"no answer within 0\.2 s"):
            await asked(settings)


@pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n", http(200, TREE)[:-10]])
async def test_what_breaks_off_is_unavailable(answer: bytes) -> None:
    async with Server(answer).open() as settings:
        with pytest.raises(EtcdUnavailable):
            await asked(settings)


async def test_an_endless_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v2_client, "ANSWER_MAX", 2**16)
    async with Server(http(200, b"x" * 2**17)).open() as settings:
        with pytest.raises(TooLarge):
            await asked(settings)
