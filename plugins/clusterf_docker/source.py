"""The source: threads that read and ask, one state that folds, one board that is told.

Subscribe first, list then, follow after that: what happens during the list is in the stream.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import trio

from clusterf.model.service import Backend
from clusterf.plugin import Context, ProbeResult, Publisher, Severity, SourceUnavailable
from clusterf_docker import event
from clusterf_docker.records import Decider
from clusterf_docker.settings import DockerSettings
from clusterf_docker.state import State

if TYPE_CHECKING:
    # Importing it imports the SDK, which takes longer than the rest of the start.
    from clusterf_docker.api import Engine, EventStream

_INSPECTORS = 2
"""Inspections at once: one container that hangs must not hold up the others."""


class DockerSource:
    """Backends from the labelled containers of one engine."""

    def __init__(self, settings: DockerSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        # Outlives a run: what is known stays known while the engine is away.
        self._state = State(Decider(settings, context.name))

    async def run(self, publish: Publisher) -> None:
        """Publish until cancelled.

        Raises:
            SourceUnavailable: the engine is away or talks nonsense.
        """
        try:
            await self._connected(publish)
        except SourceUnavailable as error:
            self._state.lost()
            publish.degraded(str(error))
            raise

    async def probe(self) -> Iterable[ProbeResult]:
        """Connect and list, as `run` does; events are left out."""
        try:
            engine = await self._context.run_blocking(self._connect)
        except SourceUnavailable as error:
            return [ProbeResult(Severity.ERROR, error.args[0], error.hint)]
        try:
            await self._context.run_blocking(engine.ours)
        except SourceUnavailable as error:
            return [ProbeResult(Severity.ERROR, error.args[0], error.hint)]
        finally:
            engine.close()
        return []

    def _connect(self) -> Engine:
        """Import the SDK and connect. Blocks."""
        from clusterf_docker.api import Engine, TLSFiles  # noqa: PLC0415 - see TYPE_CHECKING

        settings, tls = self._settings, None
        if settings.tls is not None:
            paths = (settings.tls.ca, settings.tls.cert, settings.tls.key)
            tls = TLSFiles(*(self._context.path(one) if one else None for one in paths))
        return Engine(settings.host, tls, settings.timeout)

    async def _connected(self, publish: Publisher) -> None:
        engine = await self._context.run_blocking(self._connect)
        try:
            stream = await self._context.run_blocking(engine.events)
            try:
                self._context.log.info(
                    "connected host=%s version=%s api=%s",
                    engine.host,
                    engine.version,
                    engine.api_version,
                )
                await _Following(self._context, self._settings, self._state, publish).run(
                    engine, stream
                )
            finally:
                stream.close()
        finally:
            engine.close()


class _Following:
    """One connection's life."""

    def __init__(
        self, context: Context, settings: DockerSettings, state: State, publish: Publisher
    ) -> None:
        self._context = context
        self._settings = settings
        self._state = state
        self._publish = publish
        self._woken = trio.Event()
        self._replace_due = False
        self._failure: SourceUnavailable | None = None

    async def run(self, engine: Engine, stream: EventStream) -> None:
        """Follow until the stream ends or anything fails.

        Raises:
            SourceUnavailable: for the first reason.
        """
        self._state.connected()
        send, receive = trio.open_memory_channel[object](math.inf)
        # Unbounded: folding an event is a few operations on dictionaries, and never waits.
        token = trio.lowlevel.current_trio_token()

        def deliver(answer: object) -> None:
            token.run_sync_soon(send.send_nowait, answer)

        async with trio.open_nursery() as nursery:

            async def guarded(task: Callable[[], Awaitable[None]]) -> None:
                try:
                    await task()
                except SourceUnavailable as error:
                    self._failure = self._failure or error
                    nursery.cancel_scope.cancel()

            async def read() -> None:
                await self._context.run_blocking_until_closed(
                    lambda: stream.read(deliver), stream.close
                )

            nursery.start_soon(guarded, read)
            nursery.start_soon(guarded, lambda: self._fold(receive))
            nursery.start_soon(guarded, lambda: self._list(engine))
            nursery.start_soon(guarded, self._watch_deadlines)
            for _ in range(_INSPECTORS):
                nursery.start_soon(guarded, lambda: self._inspect(engine))
        if self._failure is not None:
            raise self._failure

    async def _fold(self, receive: trio.MemoryReceiveChannel[object]) -> None:
        async for answer in receive:
            try:
                happened = event.read(answer)
            except event.NotAnEvent as error:
                raise SourceUnavailable(
                    f"docker engine {self._settings.host}: events: {error}"
                ) from error
            if happened is not None:
                self._state.happened(happened, self._context.clock())
                self._tell()

    async def _list(self, engine: Engine) -> None:
        while True:
            ids = await self._context.run_blocking(engine.ours)
            self._state.listed(ids, self._context.clock())
            self._replace_due = True
            self._tell()
            await trio.sleep(self._settings.relist)

    async def _inspect(self, engine: Engine) -> None:
        while True:
            task = self._state.take()
            if task is None:
                await self._woken.wait()
                continue
            result = await self._context.run_blocking(engine.inspect, task[0])
            self._state.inspected(*task, result, self._context.clock())
            self._tell()

    async def _watch_deadlines(self) -> None:
        while True:
            deadline = self._state.deadline()
            woken = self._woken
            with trio.move_on_after(
                math.inf if deadline is None else max(0.0, deadline - self._context.clock())
            ):
                await woken.wait()
                continue
            self._state.passed(self._context.clock())
            self._tell()

    def _tell(self) -> None:
        """Publish what changed and wake whoever may have something to do."""
        changes = self._state.changes()
        for ref, left in changes.drops.items():
            self._context.log.info("left service=%s %s", ref.service, _told(left))
        for ref, backend in changes.puts.items():
            self._context.log.info("known service=%s %s", ref.service, _told(backend))
        for key, refusal in changes.refusals.items():
            if refusal is not None:
                self._context.log.warning("refused reason=%s %s", refusal.reason, refusal)
            self._publish.refuse(key, refusal)
        if changes.drops:
            self._publish.drop(*changes.drops)
        if changes.puts:
            self._publish.put(*changes.puts.values())
        if self._replace_due and self._state.settled():
            self._replace_due = False
            self._publish.replace(self._state.records())
            kept = self._state.kept()
            self._publish.degraded(
                f"{kept} containers keep their last known state" if kept else None
            )
        self._woken.set()
        self._woken = trio.Event()


def _told(backend: Backend) -> str:
    """A backend for the log."""
    facts = {
        "container": repr(backend.provenance.place),
        "ipv4": backend.ipv4,
        "ipv6": backend.ipv6,
        **backend.ports._asdict(),
        "weight": backend.weight,
        "quiesced": backend.quiesced,
    }
    return " ".join(f"{name}={value}" for name, value in facts.items() if value is not None)
