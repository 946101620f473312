"""Claims: which service keeps a VIP and port that several services ask for.

The earlier in the order of the configuration keeps it, whatever order things became known in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from clusterf.model.provenance import Refusal
from clusterf.model.table import ServiceKey, VirtualService

Order = tuple[int, int, str]

_NOTHING: tuple[Order, frozenset[ServiceKey]] = ((0, 0, ""), frozenset())


@dataclass(slots=True)
class Claims:
    """Holder of every claimed entry, and those who wait behind the holders.

    Only contested entries cost more than one mapping item.
    """

    _holder: dict[ServiceKey, str] = field(default_factory=dict)
    _waiting: dict[ServiceKey, set[str]] = field(default_factory=dict)
    _claims: dict[str, tuple[Order, frozenset[ServiceKey]]] = field(default_factory=dict)

    def claim(self, service: str, order: Order, keys: Iterable[ServiceKey]) -> set[str]:
        """State all that a service claims now; returns the other services to look at again."""
        wanted = frozenset(keys)
        _, before = self._claims.get(service, _NOTHING)
        if wanted:
            self._claims[service] = (order, wanted)
        else:
            self._claims.pop(service, None)
        again: set[str] = set()
        for key in before - wanted:
            if self._holder.get(key) == service:
                del self._holder[key]
                again |= self._promote(key)
            else:
                self._waiting[key].discard(service)
                if not self._waiting[key]:
                    del self._waiting[key]
        for key in wanted:
            if self._holder.setdefault(key, service) != service or key in self._waiting:
                again |= self._ask(service, key)
        again.discard(service)
        return again

    def holder(self, key: ServiceKey) -> str | None:
        """Service that keeps an entry."""
        return self._holder.get(key)

    def _ask(self, service: str, key: ServiceKey) -> set[str]:
        """Settle who holds a contested entry; returns who has to be looked at."""
        holder = self._holder[key]
        if holder == service:
            waiting = self._waiting[key]
            if self._order(service) <= min(map(self._order, waiting)):
                return set()
            # Its own place in the order has changed.
            waiting.add(service)
            return self._promote(key)
        if self._order(service) < self._order(holder):
            self._holder[key] = service
            self._waiting.setdefault(key, set()).discard(service)
            self._waiting[key].add(holder)
            return {holder}
        self._waiting.setdefault(key, set()).add(service)
        return set()

    def _order(self, service: str) -> Order:
        return self._claims[service][0]

    def _promote(self, key: ServiceKey) -> set[str]:
        """Give a free entry to the first of those who wait; returns who has to be looked at."""
        waiting = self._waiting.get(key)
        if not waiting:
            self._waiting.pop(key, None)
            return set()
        first = min(waiting, key=self._order)
        waiting.discard(first)
        if not waiting:
            del self._waiting[key]
        self._holder[key] = first
        return {first}


def taken(name: str, key: ServiceKey, holder: str, entry: VirtualService) -> Refusal:
    """Refuse an entry to a service: another one keeps it."""
    return Refusal(
        f"service {name}",
        "duplicate_vip",
        f"{key} belongs to service {holder}, which comes first in the configuration",
        entry.because if isinstance(entry.because, tuple) else None,  # type: ignore[arg-type]
        about=key,
    )
