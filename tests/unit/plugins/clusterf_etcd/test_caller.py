from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from clusterf.testing import InstanceContext
from clusterf_etcd import answers
from clusterf_etcd.caller import Caller
from clusterf_etcd.failure import EtcdRefused, EtcdUnavailable, Unauthenticated
from clusterf_etcd.settings import ConnectionSettings
from tests.unit.plugins.clusterf_etcd.stub import (
    CLOSE,
    HANG,
    Answer,
    Asked,
    Stub,
    no,
    ok,
    raw,
    serving,
)

NO_LEADER = no(503, 14, "etcdserver: no leader")
TIMED_OUT = no(503, 14, "etcdserver: request timed out")
BAD_TOKEN = no(401, 16, "etcdserver: invalid auth token")
NOT_FOUND = raw(404, b"404 page not found\n")


@asynccontextmanager
async def calling(*stubs: Stub, **facts: Any) -> AsyncIterator[Caller]:
    settings = ConnectionSettings.model_validate(
        {"endpoints": [stub.url for stub in stubs], **facts}
    )
    caller = Caller(settings, InstanceContext("sources.x", folder=Path("/")))
    try:
        yield caller
    finally:
        with trio.CancelScope(shield=True):
            await caller.close()


async def call(caller: Caller, **how: Any) -> int:
    return await caller.call("/v3/kv/range", {"key": "YQ=="}, answers.read_revision, **how)


@asynccontextmanager
async def three(*answers: Answer) -> AsyncIterator[list[Stub]]:
    async with (
        serving(lambda _: answers[0]) as a,
        serving(lambda _: answers[1]) as b,
        serving(lambda _: answers[2]) as c,
    ):
        yield [a, b, c]


# --- endpoints -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [NO_LEADER, TIMED_OUT, NOT_FOUND, [CLOSE], raw(200, b"<html>")])
async def test_a_bad_endpoint_is_left_for_the_next(bad: Answer) -> None:
    async with three(bad, bad, ok()) as stubs, calling(*stubs) as caller:
        for _ in range(3):
            assert await call(caller) == 7
        # Each is tried once, and the one that works is stayed with.
        assert [len(stub.asked) for stub in stubs] == [1, 1, 3]


async def test_a_final_answer_is_final() -> None:
    denied = no(403, 7, "etcdserver: permission denied")
    async with three(denied, ok(), ok()) as stubs, calling(*stubs) as caller:
        with pytest.raises(EtcdRefused, match="permission denied"):
            await call(caller)
        assert [len(stub.asked) for stub in stubs] == [1, 0, 0]


async def test_where_none_answers_all_are_named() -> None:
    async with three(NO_LEADER, NOT_FOUND, [CLOSE]) as stubs, calling(*stubs) as caller:
        with pytest.raises(EtcdUnavailable) as caught:
            await call(caller)
        assert [len(stub.asked) for stub in stubs] == [1, 1, 1]
        for stub, says in zip(stubs, ("no leader", "answers 404", "disconnected"), strict=True):
            assert stub.url in str(caught.value)
            assert says in str(caught.value)


async def test_where_all_refuse_it_is_refused() -> None:
    async with three(NOT_FOUND, NOT_FOUND, NOT_FOUND) as stubs, calling(*stubs) as caller:
        with pytest.raises(EtcdRefused):
            await call(caller)


@pytest.mark.parametrize(
    ("bad", "again"), [(TIMED_OUT, 0), ([CLOSE], 0), (NO_LEADER, 1), (NOT_FOUND, 1)]
)
async def test_what_must_not_be_done_twice(bad: Answer, again: int) -> None:
    async with three(bad, ok(), ok()) as stubs, calling(*stubs) as caller:
        if again:
            await call(caller, twice=False)
        else:
            with pytest.raises(EtcdUnavailable) as caught:
                await call(caller, twice=False)
            assert caught.value.perhaps_done
        assert len(stubs[1].asked) == again
        # The next call begins with another one in any case.
        await call(caller)
        assert len(stubs[0].asked) == 1


async def test_who_gives_a_call_up_begins_elsewhere_next_time() -> None:
    async with three([HANG], ok(), ok()) as stubs, calling(*stubs) as caller:
        with trio.move_on_after(0.1):
            await call(caller)
        assert await call(caller) == 7
        assert [len(stub.asked) for stub in stubs] == [1, 1, 0]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"header":{}}', b'{"header":null}', b"{" * 9, b"\xff"]
)
async def test_nonsense_is_no_answer(body: bytes) -> None:
    async with serving(lambda _: raw(200, body)) as stub, calling(stub) as caller:
        with pytest.raises(EtcdUnavailable, match="not one of etcd") as caught:
            await call(caller)
        assert "etcd 3.4" in caught.value.hint


async def test_an_error_with_status_200() -> None:
    said = b'{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}}'
    async with serving(lambda _: raw(200, said)) as stub, calling(stub) as caller:
        with pytest.raises(EtcdUnavailable, match="no leader"):
            await call(caller)


# --- tokens --------------------------------------------------------------------------------------


class Guard:
    """An etcd with one user, whose tokens it forgets on command."""

    def __init__(self) -> None:
        self.given = 0
        self.good = ""
        self.refusal = BAD_TOKEN

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/v3/auth/authenticate":
            self.given += 1
            self.good = f"token-{self.given}"
            return ok({"token": self.good})
        return ok() if asked.headers.get("authorization") == self.good else self.refusal


@pytest.fixture
def user(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "password"
    path.write_text("s3cret\n", "utf-8")
    return {"user": "director", "password_file": path}


async def test_a_user_logs_in_first(user: dict[str, Any]) -> None:
    async with serving(Guard()) as stub, calling(stub, **user) as caller:
        assert await call(caller) == 7
        assert await call(caller) == 7
        assert stub.paths() == ["/v3/auth/authenticate", "/v3/kv/range", "/v3/kv/range"]
        assert stub.asked[0].message == {"name": "director", "password": "s3cret"}
        assert "authorization" not in stub.asked[0].headers


@pytest.mark.parametrize(
    "refusal",
    [
        BAD_TOKEN,
        no(400, 3, "etcdserver: revision of auth store is old"),
        no(400, 3, "etcdserver: user name is empty"),
    ],
)
async def test_a_token_that_is_refused_is_exchanged(user: dict[str, Any], refusal: Any) -> None:
    guard = Guard()
    guard.refusal = refusal
    async with serving(guard) as stub, calling(stub, **user) as caller:
        await call(caller)
        guard.good = "forgotten"
        assert await call(caller) == 7
        assert guard.given == 2


async def test_a_new_token_that_is_refused_is_the_end(user: dict[str, Any]) -> None:
    guard = Guard()

    def forgetful(asked: Asked) -> Answer:
        return guard(asked) if "auth" in asked.path else BAD_TOKEN

    async with serving(forgetful) as stub, calling(stub, **user) as caller:
        with pytest.raises(Unauthenticated):
            await call(caller)
        assert guard.given == 2
        assert len(stub.asked) == 4


async def test_many_calls_exchange_a_token_once(user: dict[str, Any]) -> None:
    guard = Guard()
    async with serving(guard) as stub, calling(stub, **user) as caller:
        await call(caller)
        guard.good = "forgotten"
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(call, caller)
        assert guard.given == 2


async def test_a_log_in_goes_to_the_next_endpoint_like_every_call(user: dict[str, Any]) -> None:
    guard = Guard()
    async with (
        serving(lambda _: NO_LEADER) as first,
        serving(guard) as second,
        calling(first, second, **user) as caller,
    ):
        assert await call(caller) == 7
        assert first.paths() == ["/v3/auth/authenticate"]


async def test_a_log_in_without_a_token(user: dict[str, Any]) -> None:
    async with serving(lambda _: ok()) as stub, calling(stub, **user) as caller:
        with pytest.raises(EtcdUnavailable, match="log-in without a token"):
            await call(caller)
