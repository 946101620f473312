"""The daemon: an engine, its admin socket, its signals, and its reload: all or nothing."""

from __future__ import annotations

import gc
import logging
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import trio

from clusterf import __version__
from clusterf.config.configuration import Configuration
from clusterf.control.notify import ServiceManager
from clusterf.control.protocol import JSON
from clusterf.control.server import listen, serve
from clusterf.control.standing import Standing, first_round
from clusterf.control.status import picture
from clusterf.engine.engine import Engine
from clusterf.model.errors import ClusterfError
from clusterf.pipeline.override import Drained, matching

log = logging.getLogger("clusterf.daemon")

Load = Callable[[], tuple[Configuration | None, Sequence[str]]]
"""Reads the configuration anew: a checked one, or None with the rendered problems."""


class ReloadRefused(ClusterfError):
    """The file is at fault: everything is as it was."""

    exit_code = 78


class Daemon:
    """One running clusterf. ``load`` reads the configuration anew for a reload."""

    def __init__(
        self, configuration: Configuration, load: Load, manager: ServiceManager | None = None
    ) -> None:
        """Make every instance, start none.

        Raises:
            ClusterfError: an instance could not be made.
        """
        self.engine = Engine(configuration)
        self.reload_problems: Sequence[str] = ()
        self.standing = Standing(self.engine, manager or ServiceManager())
        self._load = load
        self._reloading = trio.Lock()

    async def run(self, socket: Path) -> None:
        """Run until SIGTERM or SIGINT. What is in the kernel stays.

        Raises:
            ClusterfError: the socket is taken, or an instance failed at its start.
        """
        listener = await listen(socket)
        # The first load makes a large number of objects that live for ever.
        gc.disable()
        # Outermost: an order to stop may come for the second time, and must not cut the end short.
        # What nobody has taken of the receiver when it closes would be raised then.
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            async with trio.open_nursery() as listening:
                listening.start_soon(self._signals, signals)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(serve, listener, socket, self._handle)
                    nursery.start_soon(self._tune)
                    nursery.start_soon(self.standing.tell)
                    await self.engine.run()
                    nursery.cancel_scope.cancel()
                log.info("stopped kernel=kept")
                listening.cancel_scope.cancel()

    async def _tune(self) -> None:
        await self.engine.started.wait()
        log.info(
            "started services=%d sources=%d outputs=%d",
            len(self.engine.reconciler.table),
            len(self.engine.sources),
            len(self.engine.configuration.outputs),
        )
        await first_round(self.engine)
        gc.freeze()
        gc.enable()

    async def _signals(self, signals) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - trio does not export the receiver's type
        stopping = False
        async for number in signals:
            if stopping:
                continue
            if number != signal.SIGHUP:
                stopping = True
                log.info("stopping signal=%s", signal.Signals(number).name)
                await self.standing.stopping()
                self.engine.stop()
                continue
            try:
                await self.reload()
            except ClusterfError as error:
                log.error("reload refused error=%r", str(error))  # noqa: TRY400 - not a bug

    async def reload(self) -> None:
        """Read the configuration again and go over to it, all or nothing.

        Raises:
            ReloadRefused: the file is at fault; `reload_problems` has the rendered problems.
            ClusterfError: an instance could not be made; everything is as it was.
        """
        async with self._reloading, self.standing.reloading():
            configuration, problems = await trio.to_thread.run_sync(self._load)
            if configuration is None:
                self.reload_problems = problems
                raise ReloadRefused("\n".join(problems), hint="everything is as it was")
            try:
                await self.engine.exchange(configuration)
            except ClusterfError as error:
                self.reload_problems = [str(error)]
                raise
            self.reload_problems = ()

    # --- requests ------------------------------------------------------------------------------

    async def _handle(self, request: JSON) -> JSON:
        match request.get("command"):
            case "status":
                service = request.get("service")
                shown = await picture(
                    self.engine, service=None if service is None else str(service)
                )
                return {**shown, "reload_problems": list(self.reload_problems)}
            case "reload":
                await self.reload()
                return {"done": f"{self.engine.configuration.path} is in force"}
            case "drain":
                return self._drain(self._order(request))
            case "undrain":
                return self._undrain(Drained(*self._named(request)))
            case "names":
                return {"names": self._names(request)}
            case other:
                return {
                    "error": f"clusterf {__version__} runs here and does not know {other!r}",
                    "hint": "it is of another version than this command: restart it",
                }

    def _names(self, request: JSON) -> list[str]:
        """Names of services, or of the backends of one; with ``drained`` what can be undrained.

        Nothing but names, so that a shell that completes a word has them at once.
        """
        service = request.get("service")
        if request.get("drained"):
            orders = self.engine.reconciler.drained
            if service is None:
                return sorted({order.service for order in orders})
            return sorted(
                order.backend for order in orders if order.service == service and order.backend
            )
        board = self.engine.board
        if service is None:
            return sorted(board.services())
        return sorted({name for one in board.contributions(service) for name in one.backends})

    def _named(self, request: JSON) -> tuple[str, str]:
        return str(request.get("service", "")), str(request.get("backend", ""))

    def _order(self, request: JSON) -> Drained:
        """Check that what is named exists, and give the backend its full id."""
        service, backend = self._named(request)
        contributions = self.engine.board.contributions(service)
        if not contributions:
            raise ClusterfError(f"no service {service}", hint="clusterf status lists them")
        if not backend:
            return Drained(service)
        known = {name: None for one in contributions for name in one.backends}
        found = matching(known, backend)
        if not found:
            raise ClusterfError(
                f"service {service} has no backend {backend}, or several that begin so",
                hint=f"its backends: {', '.join(known) or 'none'}",
            )
        return Drained(service, found[0])

    def _drain(self, order: Drained) -> JSON:
        self.engine.drain(order, "drained by operator")
        return {"done": f"{_words(order)} gets no new connections"}

    def _undrain(self, order: Drained) -> JSON:
        orders = self.engine.reconciler.drained
        candidates = {one.backend: None for one in orders if one.service == order.service}
        if order.backend and order.backend not in candidates:
            found = matching({name: None for name in candidates if name}, order.backend)
            order = Drained(order.service, found[0] if found else order.backend)
        if not self.engine.undrain(order):
            raise ClusterfError(f"{_words(order)} is not drained by an operator")
        return {"done": f"{_words(order)} takes connections again"}


def _words(order: Drained) -> str:
    return f"service {order.service}" + (f" backend {order.backend}" if order.backend else "")
