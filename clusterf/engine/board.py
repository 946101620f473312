"""The board: what every source knows now, by key, and which services changed.

Publishing never blocks and never queues: a record is exchanged in place, its service is marked,
and what changes twice before the reconciler looks is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import trio

from clusterf.model.provenance import Refusal
from clusterf.model.service import (
    Backend,
    BackendRef,
    Record,
    Ref,
    Route,
    RouteRef,
    ServiceRef,
    ServiceSpec,
)
from clusterf.pipeline.merge import Contribution


class Holdings(dict[str, Contribution]):
    """What one source says, by service; a service that is asked for begins with nothing said.

    ``index`` is the source's place in the configuration.
    """

    def __init__(self, index: int = 0) -> None:
        super().__init__()
        self.index = index

    def __missing__(self, service: str) -> Contribution:
        said = self[service] = Contribution(self.index, None, {})
        return said


@dataclass(slots=True)
class Slot:
    """All that one source has published."""

    services: Holdings = field(default_factory=Holdings)
    routes: dict[str, Route] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    synced: bool = False
    degraded: str | None = None


class Board:
    """Records of all sources. Services are marked by name until `take` is called."""

    def __init__(self) -> None:
        self.slots: dict[str, Slot] = {}
        self.changed = trio.Event()
        self._marked: dict[str, None] = {}
        self._routes: tuple[Route, ...] | None = None

    def arrange(self, names: Sequence[str]) -> None:
        """State which sources there are, in the order of the configuration.

        What a source that stays has published is kept; the records of one that goes are dropped.
        """
        before = list(self.slots)
        gone = [name for name in before if name not in names]
        for name in gone:
            self.mark(*self.slots[name].services)
        if [name for name in before if name not in gone] != [n for n in names if n in before]:
            self.mark_all()
        had_routes = any(self.slots[name].routes for name in gone)
        self.slots = {name: self.slots.get(name) or Slot() for name in names}
        for index, slot in enumerate(self.slots.values()):
            slot.services.index = index
            for contribution in slot.services.values():
                contribution.index = index
        self._routes = None
        if had_routes:
            self.mark_all()
        # Also without marks: who was waited for may be gone.
        self.poke()

    def publisher(self, name: str, spoke: Callable[[], None]) -> BoardPublisher:
        """The publishing end for a new source; ``spoke`` is called when it publishes records.

        The records of a predecessor stay until it has spoken, but not what that one said of itself.
        """
        slot = self.slots[name]
        slot.refusals, slot.degraded = {}, None
        return BoardPublisher(self, slot, spoke)

    def unsynced(self) -> list[str]:
        """Sources that have not spoken yet: what they may own is unknown, not empty."""
        return [name for name, slot in self.slots.items() if not slot.synced]

    def contributions(
        self, service: str, among: Callable[[str], bool] | None = None
    ) -> list[Contribution]:
        """What the sources, or some of them, say of a service, in the configuration's order.

        The mappings inside are alive: use them before the next await.
        """
        return [
            slot.services[service]
            for name, slot in self.slots.items()
            if service in slot.services and (among is None or among(name))
        ]

    def services(self) -> set[str]:
        """Names of all services that any source knows."""
        return {name for slot in self.slots.values() for name in slot.services}

    def routes(self) -> tuple[Route, ...]:
        """All routes: by the order of the sources, then by name. Of two with one name the first."""
        if self._routes is None:
            self._routes = self.routes_of(lambda _: True)
        return self._routes

    def routes_of(self, among: Callable[[str], bool]) -> tuple[Route, ...]:
        """The routes of some sources, in the same order."""
        routes: dict[str, Route] = {}
        for source, slot in self.slots.items():
            if among(source):
                for name in sorted(slot.routes):
                    routes.setdefault(name, slot.routes[name])
        return tuple(routes.values())

    def mark(self, *services: str) -> None:
        """Have services looked at again."""
        if services:
            self._marked.update(dict.fromkeys(services))
            self.changed.set()

    def mark_all(self) -> None:
        """Have every service looked at again."""
        self.mark(*self.services())

    def routes_changed(self) -> None:
        """A route touches every service: the one exception to the cost of a change."""
        self._routes = None
        self.mark_all()
        # Also where there is no service yet: outputs may publish routes.
        self.poke()

    def poke(self) -> None:
        """Wake the reconciler without marking anything: a source has spoken, or is gone."""
        self.changed.set()

    def take(self) -> list[str]:
        """Return the marked services and forget the marks."""
        taken = list(self._marked)
        self._marked.clear()
        self.changed = trio.Event()
        return taken


class BoardPublisher:
    """Implements `clusterf.plugin.Publisher` for one source.

    ``spoken``: whether this source has stated all that it knows, once at least.
    """

    def __init__(self, board: Board, slot: Slot, spoke: Callable[[], None]) -> None:
        self.spoken = False
        self._board = board
        self._slot = slot
        self._spoke = spoke

    def put(self, *records: Record) -> None:
        """Add records or exchange those under the same refs."""
        self._spoke()
        for record in records:
            if isinstance(record, Backend):
                backends = self._slot.services[record.service].backends
                if backends.get(record.id) != record:
                    backends[record.id] = record
                    self._board.mark(record.service)
            elif isinstance(record, ServiceSpec):
                holding = self._slot.services[record.name]
                if holding.spec != record:
                    holding.spec = record
                    self._board.mark(record.name)
            elif self._slot.routes.get(record.name) != record:
                self._slot.routes[record.name] = record
                self._board.routes_changed()

    def drop(self, *refs: Ref) -> None:
        """Remove records; unknown refs are ignored."""
        self._spoke()
        services = self._slot.services
        for ref in refs:
            if isinstance(ref, RouteRef):
                if self._slot.routes.pop(ref.name, None) is not None:
                    self._board.routes_changed()
                continue
            name = ref.service if isinstance(ref, BackendRef) else ref.name
            holding = services.get(name)
            if holding is None:
                continue
            if isinstance(ref, ServiceRef):
                if holding.spec is None:
                    continue
                holding.spec = None
            elif holding.backends.pop(ref.id, None) is None:
                continue
            if holding.spec is None and not holding.backends:
                del services[name]
            self._board.mark(name)

    def replace(self, records: Iterable[Record]) -> None:
        """State all that the source knows; only what differs is marked."""
        self._spoke()
        services = Holdings(self._slot.services.index)
        routes: dict[str, Route] = {}
        for record in records:
            if isinstance(record, Backend):
                services[record.service].backends[record.id] = record
            elif isinstance(record, ServiceSpec):
                services[record.name].spec = record
            else:
                routes[record.name] = record
        before = self._slot.services
        for name, holding in services.items():
            if name in before and before[name] == holding:
                services[name] = before[name]
            else:
                self._board.mark(name)
        self._board.mark(*(name for name in before if name not in services))
        self._slot.services = services
        if routes != self._slot.routes:
            self._slot.routes = routes
            self._board.routes_changed()
        self.spoken = True
        if not self._slot.synced:
            self._slot.synced = True
            self._board.poke()

    def refuse(self, key: str, refusal: Refusal | None) -> None:
        """Report a reasoned "no" about an object of the source; None takes it back."""
        if refusal is None:
            self._slot.refusals.pop(key, None)
        else:
            self._slot.refusals[key] = refusal

    def degraded(self, reason: str | None) -> None:
        """Say that the source works on what it last knew."""
        self._slot.degraded = reason
