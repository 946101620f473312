"""The reconciler: takes the services that changed through the pipeline into the table.

One task owns all decisions. The cost of one change is the size of that service.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import trio

from clusterf.engine.board import Board
from clusterf.engine.statements import BoardStatements
from clusterf.model.address import Address
from clusterf.model.defaults import Defaults
from clusterf.model.provenance import Refusal
from clusterf.model.scope import Scope
from clusterf.model.service import Facts
from clusterf.model.table import AddressKey, DestinationKey, ServiceKey, VirtualService
from clusterf.pipeline.claims import Claims, taken
from clusterf.pipeline.decide import NamedPolicy, PolicyFailed, decide
from clusterf.pipeline.merge import merge
from clusterf.pipeline.override import Drained, override
from clusterf.pipeline.resolve import Resolution, resolve

log = logging.getLogger("clusterf.reconciler")

_SLICE = 200
"""Services between two checkpoints: about 2 ms each hundred, so that other tasks stay alive."""


@dataclass(slots=True)
class _Pass:
    """One pass: what it may know, the entries that changed, and those that changed hands."""

    facts: Facts
    changed: set[ServiceKey] = field(default_factory=set)
    moved: set[ServiceKey] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says of the way from records to the table.

    ``tabled`` is False where no output wants a table, on a host that only publishes: nothing is
    decided then, and nothing refused.
    """

    policies: Sequence[NamedPolicy] = ()
    defaults: Defaults = field(default_factory=Defaults)
    scope: Scope = field(default_factory=Scope)
    tabled: bool = True


class Reconciler:
    """Owns the table. ``changed`` is told which entries became different."""

    def __init__(self, board: Board, changed: Callable[[Collection[ServiceKey]], None]) -> None:
        self.table: dict[ServiceKey, VirtualService] = {}
        self.refusals: dict[str, tuple[Refusal, ...]] = {}
        self.failures: dict[str, PolicyFailed] = {}
        self.drained: dict[Drained, str] = {}
        self.passes = 0
        self.unspoken: list[str] = []
        """Sources whose records the table cannot have: silent when the last pass began."""
        self.statements = BoardStatements(board, lambda: self.drained)
        self._board = board
        self._changed = changed
        self._rules = Rules()
        self._claims = Claims()
        self._entries: dict[str, tuple[ServiceKey, ...]] = {}
        self._by_address: dict[Address, set[ServiceKey]] = {}
        self._undecided: dict[str, None] = {}
        self._departed: set[tuple[ServiceKey, DestinationKey | None]] = set()

    # --- what others may ask ---------------------------------------------------------------

    def service_of(self, key: ServiceKey) -> str | None:
        """Name of the service that an entry of the table belongs to."""
        return self._claims.holder(key)

    def entries_of(self, service: str) -> tuple[ServiceKey, ...]:
        """Entries of the table that belong to a service."""
        return self._entries.get(service, ())

    def entries_at(self, address: Address) -> Collection[ServiceKey]:
        """Entries of the table at a VIP."""
        return self._by_address.get(address, ())

    def departed(self, key: ServiceKey, target: DestinationKey | None) -> bool:
        """Whether this left the table since the start, while there was something unknown."""
        return (key, target) in self._departed

    @property
    def unknown(self) -> str | None:
        """What the table may lack, so that nothing it does not know may be removed; or None.

        A source that speaks is known only after the pass that took its records.
        """
        if silent := list(dict.fromkeys([*self._board.unsynced(), *self.unspoken])):
            return f"{', '.join(silent)} {'has' if len(silent) == 1 else 'have'} not spoken yet"
        for name in self._undecided:
            return str(self.failures[name])
        return None

    @property
    def tabled(self) -> bool:
        """Whether any output wants a table."""
        return self._rules.tabled

    # --- work ------------------------------------------------------------------------------

    def configure(self, rules: Rules) -> None:
        """Take new rules; every service is looked at again."""
        self._rules = rules
        self._board.mark_all()
        self._board.mark(*self._entries)

    async def reconcile(self, services: Iterable[str]) -> set[ServiceKey]:
        """Bring the table up to date for these services; returns the entries that changed."""
        facts = Facts(
            routes=self._board.routes(),
            method=self._rules.defaults.method,
            now=trio.current_time(),
        )
        run = _Pass(facts)
        unspoken = self._board.unsynced()
        queue = deque(dict.fromkeys(services))
        done = 0
        while queue:
            queue.extend(self._reconcile_one(queue.popleft(), run))
            done += 1
            if done % _SLICE == 0:
                await trio.lowlevel.checkpoint()
        self._bury(run)
        self.unspoken = unspoken
        if self.unknown is None:
            self._departed.clear()
        self.passes += 1
        if run.changed:
            self._changed(run.changed)
        return run.changed

    def _reconcile_one(self, name: str, run: _Pass) -> set[str]:
        """One service; returns others whose claims are touched by it."""
        try:
            order, resolution = self._through_pipeline(name, run.facts)
        except PolicyFailed as failure:
            self._fail(name, failure, failure.__cause__)
            return set()
        except Exception as error:  # noqa: BLE001 - what a plugin made breaks here; it is told
            self._fail(name, PolicyFailed("records", name), error)
            return set()
        self.failures.pop(name, None)
        self._undecided.pop(name, None)
        entries, refusals = resolution
        again = self._claims.claim(name, order, entries)
        kept: dict[ServiceKey, VirtualService] = {}
        for key, entry in entries.items():
            holder = self._claims.holder(key)
            if holder == name:
                kept[key] = entry
            else:
                refusals = (*refusals, taken(name, key, holder or "", entry))
        self._tell(name, refusals)
        self._store(name, kept, run)
        return again

    def _through_pipeline(self, name: str, facts: Facts) -> tuple[tuple[int, int, str], Resolution]:
        service = merge(name, self._board.contributions(name)) if self._rules.tabled else None
        if service is None:
            return (0, 0, name), Resolution({})
        # An order names what sources know. Before the policies, since one may split a backend
        # under other ids; after them too, for it beats what they say.
        service = override(service, self.drained)
        outcome = decide(service, self._rules.policies, facts)
        if isinstance(outcome, Refusal):
            return service.order, Resolution({}, (*service.refusals, outcome))
        overridden = override(outcome, self.drained)
        return service.order, resolve(overridden, self._rules.defaults, self._rules.scope)

    def _fail(self, name: str, failure: PolicyFailed, cause: BaseException | None) -> None:
        """The service stays as it was, and the others go on."""
        if str(failure) != str(self.failures.get(name)):
            log.error("policy failed service=%s", name, exc_info=cause)
        self.failures[name] = failure
        if name not in self._entries:
            # It may be in the kernel since before a restart.
            self._undecided[name] = None

    def _tell(self, name: str, refusals: tuple[Refusal, ...]) -> None:
        """Log refusals that are new, once each."""
        if not refusals:
            self.refusals.pop(name, None)
            return
        before = set(self.refusals.get(name, ()))
        for refusal in refusals:
            if refusal not in before:
                log.warning("refused reason=%s %s", refusal.reason, refusal)
        self.refusals[name] = refusals

    def _store(self, name: str, kept: Mapping[ServiceKey, VirtualService], run: _Pass) -> None:
        for key in self._entries.get(name, ()):
            if key in kept:
                continue
            if self._claims.holder(key) is None:
                self._remove(key, run)
            else:
                # A claim that moved to another service is that service's to change.
                run.moved.add(key)
        for key, entry in kept.items():
            before = self.table.get(key)
            # Also when it is equal: the reasons in it may have changed.
            self.table[key] = entry
            if before is None:
                self._index(key, present=True)
                run.changed.add(key)
            elif before != entry:
                self._depart(key, before, entry)
                run.changed.add(key)
        if kept:
            self._entries[name] = tuple(kept)
        else:
            self._entries.pop(name, None)

    def _bury(self, run: _Pass) -> None:
        """Remove the entries that changed hands and were not taken up by their new holder."""
        for key in run.moved:
            if key not in self._entries.get(self._claims.holder(key) or "", ()):
                self._remove(key, run)

    def _remove(self, key: ServiceKey, run: _Pass) -> None:
        self._depart(key, self.table.pop(key, None), None)
        self._index(key, present=False)
        run.changed.add(key)

    def _depart(
        self, key: ServiceKey, before: VirtualService | None, after: VirtualService | None
    ) -> None:
        """While there is something unknown, remember what left: that much is certain."""
        if before is None or self.unknown is None:
            return
        if after is None:
            self._departed.add((key, None))
        left = before.destinations.keys() - (after.destinations if after is not None else {})
        self._departed.update((key, target) for target in left)

    def _index(self, key: ServiceKey, *, present: bool) -> None:
        if not isinstance(key, AddressKey):
            return
        if present:
            self._by_address.setdefault(key.address, set()).add(key)
        elif (keys := self._by_address.get(key.address)) is not None:
            keys.discard(key)
            if not keys:
                del self._by_address[key.address]
