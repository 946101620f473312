"""What hears a source in a test: the board, which tells what it was told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import trio

from clusterf.engine.board import Board, BoardPublisher
from clusterf.model.provenance import Refusal
from clusterf.model.service import Backend, Record, Ref, Route, ServiceSpec
from clusterf.testing.records import SOURCE


class RecordingPublisher:
    """The board with one source on it, that tells what it was told.

    ``said`` lists the calls in order: ``("put", refs)``, ``("drop", refs)``,
    ``("replace", refs)``; ``moments`` are Trio's clock at each of them. ``unavailable`` is why its
    world is away, until it speaks again: see `clusterf.testing.running`.
    """

    def __init__(self, board: Board | None = None) -> None:
        self.said: list[tuple[str, tuple[Ref, ...]]] = []
        self.moments: list[float] = []
        self.unavailable: str | None = None
        self._board = Board() if board is None else board
        self._board.arrange([SOURCE])
        self._end: BoardPublisher = self._board.publisher(SOURCE, lambda: None)
        self._told = trio.Event()

    # --- the publishing end --------------------------------------------------------------------

    def put(self, *records: Record) -> None:
        """As `Publisher.put`."""
        self._end.put(*records)
        self._note("put", (record.ref for record in records))

    def drop(self, *refs: Ref) -> None:
        """As `Publisher.drop`."""
        self._end.drop(*refs)
        self._note("drop", refs)

    def replace(self, records: Iterable[Record]) -> None:
        """As `Publisher.replace`."""
        listed = list(records)
        self._end.replace(listed)
        self._note("replace", (record.ref for record in listed))

    def refuse(self, key: str, refusal: Refusal | None) -> None:
        """As `Publisher.refuse`."""
        self._end.refuse(key, refusal)
        self._wake()

    def degraded(self, reason: str | None) -> None:
        """As `Publisher.degraded`."""
        self._end.degraded(reason)
        self._wake()

    # --- what a test looks at ------------------------------------------------------------------

    @property
    def synced(self) -> bool:
        """Whether the source has said all that it knows, at least once."""
        return self._board.slots[SOURCE].synced

    @property
    def degradation(self) -> str | None:
        """The reason last given to `degraded`."""
        return self._board.slots[SOURCE].degraded

    @property
    def refusals(self) -> Mapping[str, Refusal]:
        """Refusals that stand, by key."""
        return self._board.slots[SOURCE].refusals

    def services(self) -> set[str]:
        """Names of the services that the source knows anything of."""
        return self._board.services()

    def backends(self, service: str) -> Mapping[str, Backend]:
        """Backends of one service, by id."""
        holding = self._board.slots[SOURCE].services.get(service)
        return {} if holding is None else dict(holding.backends)

    def spec(self, service: str) -> ServiceSpec | None:
        """What the source says of a service itself."""
        holding = self._board.slots[SOURCE].services.get(service)
        return None if holding is None else holding.spec

    def routes(self) -> Mapping[str, Route]:
        """Routes by name."""
        return dict(self._board.slots[SOURCE].routes)

    def marked(self) -> list[str]:
        """Services that changed since the last call."""
        return self._board.take()

    async def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait until a condition holds; it is looked at after each call, and each failure.

        Raises:
            trio.TooSlowError: it did not hold in time.
        """
        with trio.fail_after(seconds):
            while not condition():
                await self._told.wait()

    def failed(self, reason: str) -> None:
        """The world of the source is away: told by who runs it."""
        self.unavailable = reason
        self._wake()

    def _note(self, what: str, refs: Iterable[Ref]) -> None:
        self.unavailable = None
        self.said.append((what, tuple(refs)))
        self.moments.append(trio.current_time())
        self._wake()

    def _wake(self) -> None:
        self._told.set()
        self._told = trio.Event()
