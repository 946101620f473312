"""The source: threads that read and ask, states that fold, one board that is told.

Subscribe first, list then, follow after that: what happens during the list is in the stream.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import trio

from clusterf.model.counting import counted
from clusterf.model.service import Route
from clusterf.plugin import Context, ProbeResult, Publisher, Severity, SourceUnavailable
from clusterf_docker import event
from clusterf_docker.changes import Changes, Published
from clusterf_docker.records import Decider
from clusterf_docker.routes import Routes
from clusterf_docker.settings import DockerSettings
from clusterf_docker.state import State

if TYPE_CHECKING:
    # Importing it imports the SDK, which takes longer than the rest of the start.
    from clusterf_docker.api import Engine, EventStream

_INSPECTORS = 2
"""Inspections at once: one container that hangs must not hold up the others."""


class DockerSource:
    """Backends from the labelled containers of one engine, routes to its networks if asked for."""

    def __init__(self, settings: DockerSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        # Outlives a run: what is known stays known while the engine is away.
        self._state = State(Decider(settings, context.name))
        self._routes = Routes(settings.routes, context.name) if settings.routes else None

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
            if self._routes is not None:
                await self._context.run_blocking(engine.networks)
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
            stream = await self._context.run_blocking(
                engine.events, networks=self._routes is not None
            )
            try:
                self._context.log.info(
                    "connected host=%s version=%s api=%s",
                    engine.host,
                    engine.version,
                    engine.api_version,
                )
                await _Following(
                    self._context, self._settings, self._state, self._routes, publish
                ).run(engine, stream)
            finally:
                stream.close()
        finally:
            engine.close()


class _Following:
    """One connection's life."""

    def __init__(
        self,
        context: Context,
        settings: DockerSettings,
        state: State,
        routes: Routes | None,
        publish: Publisher,
    ) -> None:
        self._context = context
        self._settings = settings
        self._state = state
        self._routes = routes
        self._publish = publish
        self._woken = trio.Event()
        self._other_networks = trio.Event()
        self._listing_networks = trio.Lock()
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
            if self._routes is not None:
                nursery.start_soon(guarded, lambda: self._follow_networks(engine))
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
            if isinstance(happened, event.NetworksChanged):
                self._other_networks.set()
            elif happened is not None:
                self._state.happened(happened, self._context.clock())
                self._tell()

    async def _list(self, engine: Engine) -> None:
        while True:
            await self._list_networks(engine)
            ids = await self._context.run_blocking(engine.ours)
            self._state.listed(ids, self._context.clock())
            self._replace_due = True
            self._tell()
            await trio.sleep(self._settings.relist)

    async def _list_networks(self, engine: Engine) -> None:
        if self._routes is None:
            return
        # One after the other: an older list must not be taken after a newer one.
        async with self._listing_networks:
            self._routes.listed(await self._context.run_blocking(engine.networks))

    async def _follow_networks(self, engine: Engine) -> None:
        while True:
            await self._other_networks.wait()
            self._other_networks = trio.Event()
            await self._list_networks(engine)
            self._tell()

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
        self._tell_changes(self._state.changes())
        if self._routes is not None:
            self._tell_changes(self._routes.changes())
        if self._replace_due and self._state.settled():
            self._replace_due = False
            routes = () if self._routes is None else self._routes.records()
            self._publish.replace([*self._state.records(), *routes])
            self._publish.degraded(_kept(self._state.kept()))
        self._woken.set()
        self._woken = trio.Event()

    def _tell_changes(self, changes: Changes) -> None:
        for left in changes.drops.values():
            self._context.log.info("left %s", _told(left))
        for known in changes.puts.values():
            self._context.log.info("known %s", _told(known))
        for key, refusal in changes.refusals.items():
            if refusal is not None:
                self._context.log.warning("refused reason=%s %s", refusal.reason, refusal)
            self._publish.refuse(key, refusal)
        # A network that is made anew has the same prefix under another name.
        if changes.puts:
            self._publish.put(*changes.puts.values())
        if changes.drops:
            self._publish.drop(*changes.drops)


def _told(record: Published) -> str:
    """A backend or a route for the log."""
    facts: dict[str, object]
    if isinstance(record, Route):
        facts = {
            "route": record.name,
            "network": repr(record.provenance.place),
            "prefix": record.prefix,
            "method": record.method,
            "gateway": record.gateway,
        }
    else:
        facts = {
            "service": record.service,
            "container": repr(record.provenance.place),
            "ipv4": record.ipv4,
            "ipv6": record.ipv6,
            **record.ports._asdict(),
            "weight": record.weight,
            "quiesced": record.quiesced,
        }
    return " ".join(f"{name}={value}" for name, value in facts.items() if value is not None)


def _kept(count: int) -> str | None:
    containers = counted(count, "container keeps its", "containers keep their")
    return f"{containers} last known state" if count else None
