"""A watch: one connection on which etcd tells what changes, and what ends it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, NamedTuple

import trio

from clusterf_etcd import answers, failure, wire
from clusterf_etcd.answers import WatchMessage
from clusterf_etcd.caller import Caller
from clusterf_etcd.failure import (
    EtcdError,
    EtcdUnavailable,
    PermissionDenied,
    Unauthenticated,
    WatchEnded,
)
from clusterf_etcd.fragments import Fragments, RevisionTooLarge, joined
from clusterf_etcd.lines import Lines, LineTooLong
from clusterf_etcd.wire import ANSWER_MAX, Changes

if TYPE_CHECKING:
    from clusterf_etcd.transport import Body

AHEAD_MAX = 16 * 2**20
"""Bytes that are read before somebody asks for what they say: then etcd waits."""

_LATE = 2.0
"""Pulses without a sign of life that are a silence."""


class Watch:
    """What happens below a prefix.

    ``endpoint`` is the member that it is on, ``cluster`` the id of its cluster, and ``revision``
    where its store was when the watch began.
    """

    def __init__(self, endpoint: str, created: WatchMessage, signs: _Signs) -> None:
        self.endpoint = endpoint
        self.cluster = created.cluster
        self.revision = created.revision
        self._signs = signs
        self._news: list[Changes] = []
        self._held = 0
        self._stirred = trio.Event()
        self._room = trio.Event()
        self._failure: EtcdError | None = None

    @property
    def late(self) -> float | None:
        """When etcd was last heard again after a silence that was too long; on Trio's clock.

        What had happened in it may be told from then on, as if it happened now.
        """
        return self._signs.late

    async def next(self) -> Changes:
        """Wait for what changed since the last call, in the order in which it did.

        One call returns everything that has arrived. Changes without events say that nothing
        happened up to their revision. A cancelled call loses nothing.

        Raises:
            Compacted: etcd has forgotten what would have come next.
            WatchEnded: it is over for another reason.
            EtcdRefused: and a new one will not be granted.
        """
        await trio.lowlevel.checkpoint()
        while not self._news:
            if self._failure is not None:
                raise self._failure
            self._stirred = trio.Event()
            await self._stirred.wait()
        news, self._news, self._held = self._news, [], 0
        self._room.set()
        return joined(news)

    async def tell(self, changes: Changes, size: int) -> None:
        """Hand over what was read from so many bytes; waits while too much was not asked for."""
        self._news.append(changes)
        self._held += size
        self._stirred.set()
        while self._held > AHEAD_MAX:
            self._room = trio.Event()
            await self._room.wait()

    def end(self, error: EtcdError) -> None:
        """What was handed over is still told, then this error; the first one counts."""
        if self._failure is None:
            self._failure = error
            self._stirred.set()


class _Signs:
    """Signs of life of a member: there should be one every ``pulse`` seconds."""

    def __init__(self, pulse: float) -> None:
        self.pulse = pulse
        self.last = trio.current_time()
        self.late: float | None = None

    def hear(self) -> None:
        """There is one."""
        now = trio.current_time()
        if now > self.last + _LATE * self.pulse:
            self.late = now
        self.last = now


class _Stream:
    """Messages of a watch, as they come out of a connection. ``size``: how many bytes were read."""

    def __init__(self, endpoint: str, body: Body, signs: _Signs) -> None:
        self.endpoint = endpoint
        self.body = body
        self.signs = signs
        self.size = 0
        self._lines = Lines(ANSWER_MAX)
        self._end: EtcdError | None = None

    async def messages(self) -> list[WatchMessage]:
        """Wait for news, at least one message.

        Raises:
            EtcdError: the connection broke, or etcd said that it ends, and why.
        """
        messages: list[WatchMessage] = []
        while not messages:
            if self._end is not None:
                raise self._end
            try:
                for line in await self._read():
                    messages.append(self._message(line))  # noqa: PERF401 - keeps those before
            except EtcdError as error:
                self._end = error
        return messages

    async def _read(self) -> list[bytes]:
        piece = await self.body.read()
        self.signs.hear()
        self.size += len(piece)
        try:
            if piece:
                return self._lines.feed(piece)
        except LineTooLong:
            raise WatchEnded(f"{self.endpoint}: watch: a message too large to read") from None
        # The last words, an error, come without a line end.
        if rest := self._lines.rest():
            return [rest]
        raise WatchEnded(f"{self.endpoint}: watch: the connection was closed")

    def _message(self, line: bytes) -> WatchMessage:
        try:
            answer = answers.parse(line)
            if error := failure.error_in(self.endpoint, answer):
                raise error
            message = answers.read_watch(answer)
        except answers.Nonsense as error:
            raise failure.nonsense(self.endpoint, str(error)) from error
        if message.canceled:
            # Looked at first: one that is refused says "created" in the same message.
            raise failure.cancelled(self.endpoint, message.reason, message.compact_revision)
        return message


class _Opened(NamedTuple):
    stream: _Stream
    watch: Watch
    early: list[WatchMessage]


@contextlib.asynccontextmanager
async def watching(
    caller: Caller, prefix: str, start: int, pulse: float, held_max: int
) -> AsyncIterator[Watch]:
    """See `Gateway.watch`."""
    # From now on, and not from its first message: what is watched is known up to now.
    signs = _Signs(pulse)
    stream, watch, early = await caller.anywhere(
        lambda endpoint: caller.as_user(
            endpoint,
            lambda headers: _open(caller, endpoint, headers, prefix, start, signs),
            # etcd may call a token that has expired a lack of permission (etcd #12385).
            doubted=(Unauthenticated, PermissionDenied),
        )
    )
    raised: Exception | None = None
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_follow, caller, stream, watch, early, Fragments(held_max))
            nursery.start_soon(_feel, caller, stream, watch, prefix)
            try:
                yield watch
            except Exception as error:  # noqa: BLE001 - so that no group is made of it
                raised = error
            nursery.cancel_scope.cancel()
    finally:
        await stream.body.close()
    if raised is not None:
        raise raised


async def _open(
    caller: Caller, endpoint: str, headers: dict[str, str], prefix: str, start: int, signs: _Signs
) -> _Opened:
    """Begin a watch at one endpoint."""
    request = wire.body(wire.watch_request(prefix, start))
    transport = await caller.transport()
    with trio.CancelScope() as scope:
        body = await transport.stream(endpoint, "/v3/watch", request, headers, scope)
        try:
            return await _created(caller, _Stream(endpoint, body, signs), prefix, start)
        except BaseException:
            await body.close()
            raise
    raise failure.no_answer(endpoint, caller.timeout)


async def _created(caller: Caller, stream: _Stream, prefix: str, start: int) -> _Opened:
    """Read how a watch begins."""
    endpoint, body = stream.endpoint, stream.body
    if body.status != 200:
        raise failure.refused_by(endpoint, body.status, await body.all())
    created, *early = await stream.messages()
    if not created.created:
        raise failure.nonsense(endpoint, "a watch that was not created")
    if created.revision < start - 1:
        # etcd would keep silent until the store comes that far. A member that only lags has come
        # by the time that it answers a linearizable read.
        revision = await caller.ask(endpoint, *_sign_of_life(prefix))
        if revision < start - 1:
            raise WatchEnded(
                f"{endpoint}: watch: the store is at revision {revision}, before {start}"
            )
    return _Opened(stream, Watch(endpoint, created, stream.signs), early)


async def _follow(
    caller: Caller,
    stream: _Stream,
    watch: Watch,
    messages: list[WatchMessage],
    fragments: Fragments,
) -> None:
    """Read until it ends."""
    told = 0
    try:
        while True:
            news = [one for one in map(fragments.add, messages) if one is not None]
            if news:
                size, told = stream.size - told, stream.size
                await watch.tell(joined(news), size)
            messages = await stream.messages()
    except RevisionTooLarge:
        watch.end(WatchEnded(f"{stream.endpoint}: watch: a revision too large to hold"))
    except Unauthenticated as error:
        watch.end(WatchEnded(str(error)))
    except (EtcdUnavailable, WatchEnded) as error:
        caller.endpoints.failed(stream.endpoint)
        watch.end(WatchEnded(str(error), hint=error.hint))
    except EtcdError as error:
        watch.end(error)


async def _feel(caller: Caller, stream: _Stream, watch: Watch, prefix: str) -> None:
    """Ask a member that keeps silent for a sign of life.

    TCP finds a member whose host is gone. It does not find one that hangs.
    """
    signs = stream.signs
    while True:
        await trio.sleep_until(signs.last + signs.pulse)
        if trio.current_time() < signs.last + signs.pulse:
            continue
        try:
            await caller.ask(stream.endpoint, *_sign_of_life(prefix))
        except EtcdError as error:
            caller.endpoints.failed(stream.endpoint)
            watch.end(WatchEnded(f"{error}: watch given up", hint=error.hint))
            return
        signs.hear()


def _sign_of_life(prefix: str) -> tuple[str, wire.Message, Callable[[wire.Message], int]]:
    """A cheap question that only a member with a leader answers: for a key that is not there.

    Permission for the keys below ``prefix`` is enough for it.
    """
    return "/v3/kv/range", {"key": wire.text64(f"{prefix}/")}, answers.read_revision
