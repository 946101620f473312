"""What real etcd does not do on command; the rest is in tests/etcd/test_watch.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio

from clusterf_etcd.failure import (
    Compacted,
    EtcdRefused,
    EtcdUnavailable,
    PermissionDenied,
    Unauthenticated,
    WatchEnded,
)
from clusterf_etcd.watch import Watch
from clusterf_etcd.wire import Changes, KeyValue
from tests.unit.plugins.clusterf_etcd.stub import (
    CLOSE,
    HANG,
    HEADER,
    LAST,
    Answer,
    Asked,
    Step,
    line,
    no,
    ok,
    serving,
    stream,
)
from tests.unit.plugins.clusterf_etcd.test_gateway import gateway_to

CREATED = line({"created": True})
NO_LEADER = b'{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}}'


def put(revision: int, **more: Any) -> bytes:
    kv = {"key": "L2NsdXN0ZXJmL2E=", "mod_revision": str(revision), "value": "MQ=="}
    return line({"events": [{"kv": kv}], **more})


def found(*revisions: int) -> list[KeyValue]:
    return [KeyValue("/clusterf/a", b"1", revision, 0) for revision in revisions]


async def told(watch: Watch, revision: int) -> list[Changes]:
    changes = [await watch.next()]
    while changes[-1].revision < revision:
        changes.append(await watch.next())
    return changes


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
async def test_however_the_stream_is_cut_it_tells_the_same(size: int) -> None:
    data = CREATED + put(8) + put(9, fragment=True) + put(9) + line({}) + put(10)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    async with serving(lambda _: stream(*pieces)) as stub, gateway_to(stub) as gateway:
        async with gateway.watch("/clusterf", 8) as watch:
            assert (watch.revision, watch.cluster, watch.endpoint) == (7, "11", stub.url)
            parts = await told(watch, 10)
            assert [event for part in parts for event in part.events] == found(8, 9, 9, 10)
        assert stub.asked[0].path == "/v3/watch"


async def test_what_came_before_an_end_is_told_before_it() -> None:
    data = CREATED + put(8) + line({"canceled": True, "compact_revision": "9"})
    async with (
        serving(lambda _: stream(data)) as stub,
        gateway_to(stub) as gateway,
        gateway.watch("/clusterf", 8) as watch,
    ):
        assert await watch.next() == (found(8), 8)
        with pytest.raises(Compacted) as caught:
            await watch.next()
        assert caught.value.revision == 9


@pytest.mark.parametrize(
    ("piece", "end", "says"),
    [
        (NO_LEADER, LAST, "no leader"),
        (NO_LEADER + b"\n", LAST, "no leader"),
        (NO_LEADER + b"\n", HANG, "no leader"),
        (b"", LAST, "the connection was closed"),
        (b'{"result"', LAST, "not one of etcd"),
        (b'{"result"', CLOSE, "peer closed"),
        (b"<html>\n", HANG, "not one of etcd"),
        (b'{"result":7}\n', HANG, "not one of etcd"),
        (b'{"result":{"events":7}}\n', HANG, "not one of etcd"),
        (line({"canceled": True}), HANG, "cancelled: no reason given"),
        (line({"canceled": True, "cancel_reason": "a\nb"}), HANG, "cancelled: a b"),
    ],
)
async def test_ends(piece: bytes, end: Step, says: str) -> None:
    pieces = [CREATED, put(8), *([piece] if piece else [])]
    async with (
        serving(lambda _: stream(*pieces, end=end)) as stub,
        serving(lambda _: stream(CREATED)) as other,
        gateway_to(stub, other) as gateway,
    ):
        async with gateway.watch("/clusterf", 8) as watch:
            assert await watch.next() == (found(8), 8)
            for _ in range(2):
                with trio.fail_after(5), pytest.raises(WatchEnded, match=says):
                    await watch.next()
        await trio.testing.wait_all_tasks_blocked(0.02)
        assert stub.open == 0
        # And the next one begins elsewhere.
        async with gateway.watch("/clusterf", 8) as watch:
            assert watch.endpoint == other.url


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (stream(put(8)), EtcdUnavailable, "not created"),
        (stream(NO_LEADER, end=LAST), EtcdUnavailable, "no leader"),
        (stream(end=LAST), WatchEnded, "closed"),
        ([HANG], EtcdUnavailable, r"no answer within 0\.3 s"),
        (stream(), EtcdUnavailable, r"no answer within 0\.3 s"),
        (stream(CREATED[:-1]), EtcdUnavailable, r"no answer within 0\.3 s"),
        (no(403, 7, "etcdserver: permission denied"), PermissionDenied, "permission denied"),
        (no(503, 14, "etcdserver: no leader"), EtcdUnavailable, "no leader"),
    ],
)
async def test_beginnings_that_fail(answer: Answer, kind: type[Exception], says: str) -> None:
    async with serving(lambda _: answer) as stub, gateway_to(stub, timeout=0.3) as gateway:
        with trio.fail_after(5), pytest.raises(kind, match=says):
            async with gateway.watch("/clusterf", 8):
                raise AssertionError
        await trio.testing.wait_all_tasks_blocked(0.02)
        assert stub.open == 0


async def test_a_refused_watch_says_created_too_and_is_refused() -> None:
    refused = line(
        {
            "created": True,
            "canceled": True,
            "watch_id": "-1",
            "cancel_reason": "rpc error: code = PermissionDenied desc = etcdserver: permission "
            "denied",
        }
    )
    async with serving(lambda _: stream(refused)) as stub, gateway_to(stub) as gateway:
        with trio.fail_after(5), pytest.raises(PermissionDenied):
            async with gateway.watch("/clusterf", 8):
                raise AssertionError
        assert len(stub.asked) == 1


@pytest.mark.parametrize("reason", ["PermissionDenied desc = etcdserver: permission denied", None])
async def test_with_a_user_a_refused_watch_is_tried_with_a_new_token(
    tmp_path: Path, reason: str | None
) -> None:
    (tmp_path / "password").write_text("x", "utf-8")
    text = reason or "Unauthenticated desc = etcdserver: invalid auth token"
    refused = line(
        {"created": True, "canceled": True, "cancel_reason": f"rpc error: code = {text}"}
    )
    tokens: list[str] = []

    def answer(asked: Asked) -> Answer:
        if "auth" in asked.path:
            tokens.append(f"t{len(tokens)}")
            return ok({"token": tokens[-1]})
        good = asked.headers["authorization"] == "t1"
        return stream(CREATED if good and enough else refused)

    user = {"user": "a", "password_file": tmp_path / "password"}
    enough = True
    async with serving(answer) as stub, gateway_to(stub, **user) as gateway:
        async with gateway.watch("/clusterf", 8) as watch:
            assert watch.revision == 7
        assert len(tokens) == 2
    # And if that does not help, not for ever.
    enough = False
    tokens.clear()
    async with serving(answer) as stub, gateway_to(stub, **user) as gateway:
        with pytest.raises(PermissionDenied if reason else Unauthenticated):
            async with gateway.watch("/clusterf", 8):
                raise AssertionError
        assert len(tokens) == 2


@pytest.mark.parametrize(("revision", "stays"), [("7", False), ("11", True), ("12", True)])
async def test_a_member_that_is_behind_only_lags_if_it_comes_after(
    revision: str,
    stays: bool,  # noqa: FBT001
) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/v3/watch":
            return stream(CREATED)
        return ok({"header": {**HEADER, "revision": revision}})

    async with serving(answer) as stub, gateway_to(stub) as gateway:
        if stays:
            async with gateway.watch("/clusterf", 12):
                assert stub.paths() == ["/v3/watch", "/v3/kv/range"]
        else:
            with pytest.raises(WatchEnded, match="revision 7, before 12"):
                async with gateway.watch("/clusterf", 12):
                    raise AssertionError


async def test_a_line_too_long_to_read_ends_it() -> None:
    part = b"x" * 2**20

    def answer(_: Asked) -> Answer:
        yield from stream(CREATED)[:-1]
        while True:
            yield b"%x\r\n%s\r\n" % (len(part), part)

    async with (
        serving(answer) as stub,
        gateway_to(stub) as gateway,
        gateway.watch("/clusterf", 8) as watch,
    ):
        with trio.fail_after(30), pytest.raises(WatchEnded, match="too large to read"):
            await watch.next()


async def test_a_silent_member_is_asked_and_one_that_talks_is_not(
    autojump_clock: trio.testing.MockClock,
) -> None:
    gates = [trio.Event() for _ in range(3)]

    def answer(asked: Asked) -> Answer:
        if asked.path != "/v3/watch":
            return ok()
        steps = stream(CREATED)[:-1]
        for number, gate in enumerate(gates):
            chunk = put(8 + number)
            steps += [gate, b"%x\r\n%s\r\n" % (len(chunk), chunk)]
        return [*steps, HANG]

    autojump_clock.autojump_threshold = float("inf")
    async with (
        serving(answer) as stub,
        gateway_to(stub) as gateway,
        gateway.watch("/clusterf", 8, pulse=10) as watch,
    ):
        for gate in gates:
            autojump_clock.jump(6)
            await trio.testing.wait_all_tasks_blocked(0)
            gate.set()
            await watch.next()
        assert stub.paths() == ["/v3/watch"]
        autojump_clock.jump(11)
        with trio.move_on_after(20):
            while len(stub.asked) < 2:
                await trio.lowlevel.checkpoint()
        assert stub.paths() == ["/v3/watch", "/v3/kv/range"]


@pytest.mark.parametrize(
    "answer",
    [
        no(503, 14, "etcdserver: no leader"),
        no(403, 7, "etcdserver: permission denied"),
        [CLOSE],
        [HANG],
    ],
    ids=["unavailable", "refused", "broken", "hangs"],
)
async def test_a_member_that_gives_no_sign_of_life_is_given_up(answer: Answer) -> None:
    def answers(asked: Asked) -> Answer:
        return stream(CREATED) if asked.path == "/v3/watch" else answer

    async with (
        serving(answers) as stub,
        gateway_to(stub, timeout=0.2) as gateway,
        gateway.watch("/clusterf", 8, pulse=0.05) as watch,
    ):
        with trio.fail_after(5), pytest.raises(WatchEnded, match="watch given up"):
            await watch.next()


async def test_a_silence_that_was_too_long_and_ended_is_remembered() -> None:
    gate = trio.Event()

    def answer(asked: Asked) -> Answer:
        return stream(CREATED) if asked.path == "/v3/watch" else [gate, *ok()]

    async with (
        serving(answer) as stub,
        gateway_to(stub) as gateway,
        gateway.watch("/clusterf", 8, pulse=0.1) as watch,
    ):
        began = trio.current_time()
        while len(stub.asked) < 2:
            await trio.testing.wait_all_tasks_blocked(0.01)
        assert watch.late is None
        with trio.move_on_after(0.2):
            await watch.next()
        gate.set()
        with trio.move_on_after(0.05):
            await watch.next()
        assert watch.late is not None
        assert watch.late >= began + 0.15


async def test_a_revision_larger_than_can_be_held_ends_it() -> None:
    pieces = [CREATED, *[put(8, fragment=True)] * 5]
    async with (
        serving(lambda _: stream(*pieces)) as stub,
        gateway_to(stub) as gateway,
        gateway.watch("/clusterf", 8, held_max=20) as watch,
    ):
        with trio.fail_after(5), pytest.raises(WatchEnded, match="too large to hold"):
            await watch.next()


async def test_the_request_of_a_watch() -> None:
    async with serving(lambda _: stream(CREATED)) as stub, gateway_to(stub) as gateway:
        async with gateway.watch("/clusterf", 8):
            pass
        create = json.loads(json.dumps(stub.asked[0].message))["create_request"]
        assert create["fragment"]
        assert create["progress_notify"]


async def test_a_watch_on_what_is_no_etcd() -> None:
    async with (
        serving(lambda _: [b"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nwhat"]) as stub,
        gateway_to(stub) as gateway,
    ):
        with pytest.raises(EtcdRefused, match="answers 404: what"):
            async with gateway.watch("/clusterf", 8):
                raise AssertionError
