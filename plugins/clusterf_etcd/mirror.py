"""What etcd has, and what is published of it: the same, but for a while after an interruption.

While nobody could reach etcd the leases of living agents ran out too. So what has vanished when it
is back is kept for a grace, in which they publish again. And a store that went back in time, to a
backup, says nothing new until then: only what is written from now on counts.

A grace is time in which agents can publish: while etcd is away again, it stands still.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from clusterf.model.provenance import Refusal
from clusterf.model.service import Record, Ref
from clusterf_etcd.wire import Changes, KeyValue, Listing

Read = Callable[[KeyValue], Record | Refusal | None]
"""From a key and its value to a record, or why it is none; None: it is not of our concern."""

_LONGEST = 2.0
"""Graces that follow one another keep a key twice as long as one at most: staleness has a bound."""

_ROUNDING = 1e-6


class Kept(NamedTuple):
    """One key: the revision of its value, its lease, the last record that could be read."""

    revision: int
    lease: int = 0
    record: Record | None = None
    refusal: Refusal | None = None


class Held(NamedTuple):
    """A key that is published as it was, and since when."""

    kept: Kept
    since: float


_NOTHING = Kept(0)
_as_kept: Callable[[tuple[int, int, Record | None, Refusal | None]], Kept] = partial(
    tuple.__new__, Kept
)


@dataclass(slots=True)
class Difference:
    """What changes in what is published. ``refusals``: None takes one back."""

    put: list[Record] = field(default_factory=list)
    drop: list[Ref] = field(default_factory=list)
    refusals: dict[str, Refusal | None] = field(default_factory=dict)

    def add(self, key: str, was: Kept, now: Kept) -> None:
        """One key that is published otherwise than before."""
        if now.record is not None:
            self.put.append(now.record)
        elif was.record is not None:
            self.drop.append(was.record.ref)
        if was.refusal is not None or now.refusal is not None:
            self.refusals[key] = now.refusal


class Mirror:
    """All keys below the prefix.

    Time is given as seconds of the engine's clock. Inside it is counted in seconds in which etcd
    was there: those that are called *by then* and *since*.
    """

    def __init__(self, read: Read, grace: float) -> None:
        self.revision = 0
        self.until: float | None = None
        """When to `settle`; None: there is no grace, or etcd is away."""
        self._read = read
        self._grace = grace
        self._there: float | None = None
        self._counted = 0.0
        """Seconds in which etcd was there, before ``_there``."""
        self._doubted: float | None = None
        """Since when the grace runs."""
        self._restored: float | None = None
        """Since when the store is known to be of another past."""
        self._cluster = ""
        self._store: dict[str, Kept] = {}
        self._held: dict[str, Held] = {}
        """Published in place of what the store has or no longer has."""
        self._hidden: dict[str, float] = {}
        """In the store and not published yet: since when."""

    # --- what is published ----------------------------------------------------------------------

    @property
    def held(self) -> int:
        """How many keys are published as they were, for the grace."""
        return len(self._held)

    def records(self) -> Iterator[Record]:
        """Everything that is published now."""
        for kept in self._view().values():
            if kept.record is not None:
                yield kept.record

    def refusals(self) -> dict[str, Refusal]:
        """Every refusal that stands, by its key."""
        return {key: kept.refusal for key, kept in self._store.items() if kept.refusal is not None}

    def _view(self) -> dict[str, Kept]:
        if not self._held and not self._hidden:
            return self._store
        view = self._store | {key: held.kept for key, held in self._held.items()}
        for key in self._hidden:
            view.pop(key, None)
        return view

    # --- what happens ---------------------------------------------------------------------------

    def take(self, listing: Listing, now: float, *, interrupted: bool) -> bool:
        """Go over to a list of everything. ``interrupted``: changes may have been missed.

        Returns whether it is of another past than what is known: a backup, an emptied store.
        """
        if self._there is None:
            self._there = now
        before = self._view()
        store = None if self._is_older(listing) else self._kept_of(listing, before, self._store)
        if other_past := store is None:
            store = self._kept_of(listing, before, None)
            self._restored = self._by(now)
        if interrupted or other_past:
            self._doubted = self._by(now)
        self._store = store or {}
        self.revision, self._cluster = listing.revision, listing.cluster
        if self._doubted is not None:
            self._keep(before, self._by(now))
            self.settle(now)
        return other_past

    def change(self, changes: Changes) -> Difference:
        """Take in what the watch told; of several events of one key the last one counts."""
        before: dict[str, Kept | None] = {}
        for event in changes.events:
            key = event.key
            published = self._published(key)
            before.setdefault(key, published)
            self._held.pop(key, None)
            self._hidden.pop(key, None)
            if isinstance(event, KeyValue):
                self._store[key] = self._kept(event, published)
            else:
                self._store.pop(key, None)
        if self.until is not None:
            self._hold_expired(before)
        self.revision = max(self.revision, changes.revision)
        difference = Difference()
        for key, was in before.items():
            now = self._published(key)
            if now is not was:
                difference.add(key, was or _NOTHING, now or _NOTHING)
        return difference

    def doubt(self, moment: float, now: float) -> None:
        """Begin a grace at a moment: until then etcd was silent, as in an outage."""
        if now < moment + self._grace:
            self._doubted = max(self._doubted or 0.0, self._by(moment))
            self._plan(now)

    def away(self, now: float) -> None:
        """Have the grace stand still until there is a list again."""
        self._counted, self._there = self._by(now), None
        self.until = None

    def settle(self, now: float) -> None:
        """Publish of every key whose time has come what the store has."""
        by_now = self._by(now) + _ROUNDING
        self._held = {key: one for key, one in self._held.items() if self._end(one.since) > by_now}
        self._hidden = {key: one for key, one in self._hidden.items() if self._end(one) > by_now}
        if self._end(by_now) <= by_now:
            self._doubted = self._restored = None
        self._plan(now)

    # --- steps ------------------------------------------------------------------------------------

    def _by(self, moment: float) -> float:
        """For how long etcd was there, up to a moment."""
        return self._counted + (0.0 if self._there is None else moment - self._there)

    def _end(self, since: float) -> float:
        """When a key is published as the store has it."""
        if self._doubted is None:
            return since
        return min(self._doubted + self._grace, since + _LONGEST * self._grace)

    def _plan(self, now: float) -> None:
        """Find out when to settle."""
        self.until = None
        if self._doubted is not None:
            sinces = {*self._hidden.values(), *(one.since for one in self._held.values())}
            ends = [self._doubted + self._grace, *map(self._end, sinces)]
            self.until = now + min(ends) - self._by(now)

    def _is_older(self, listing: Listing) -> bool:
        return bool(self._cluster) and (
            listing.cluster != self._cluster or listing.revision < self.revision
        )

    def _kept_of(
        self, listing: Listing, before: dict[str, Kept], known: dict[str, Kept] | None
    ) -> dict[str, Kept] | None:
        """Everything in a list; None if not all of it can be of the past that is known.

        A backup may have been written to so much that it is ahead again. But of what is not newer
        than what is known, all is known.
        """
        past = self.revision if known is not None else 0
        store: dict[str, Kept] = {}
        for entry in listing.entries:
            key, revision, lease = entry.key, entry.mod_revision, entry.lease
            # Unchanged values are not read again: most of a list has been here before.
            kept = None if known is None else known.get(key)
            if kept is None or kept.revision != revision or kept.lease != lease:
                if revision <= past:
                    return None
                kept = self._kept(entry, before.get(key))
            store[key] = kept
        return store

    def _keep(self, before: dict[str, Kept], by_now: float) -> None:
        """Publish what was published before, where the store does not count yet."""
        store, held, hidden = self._store, self._held, self._hidden
        backup = self._restored is not None and by_now < self._restored + self._grace
        self._held = {
            key: held.get(key) or Held(kept, by_now)
            for key, kept in before.items()
            if kept.record is not None
            and (key not in store or (backup and store[key].record != kept.record))
        }
        if backup:
            self._hidden = {key: hidden.get(key, by_now) for key in store.keys() - before.keys()}
        else:
            self._hidden = {key: since for key, since in hidden.items() if key in store}

    def _published(self, key: str) -> Kept | None:
        if key in self._hidden:
            return None
        held = self._held.get(key)
        return self._store.get(key) if held is None else held.kept

    def _kept(self, entry: KeyValue, before: Kept | None) -> Kept:
        """Read a value; one that turned bad leaves the last good one in place."""
        item = self._read(entry)
        if isinstance(item, Refusal):
            last = None if before is None else before.record
            return Kept(entry.mod_revision, entry.lease, last, item)
        return _as_kept((entry.mod_revision, entry.lease, item, None))

    def _hold_expired(self, before: dict[str, Kept | None]) -> None:
        """Hold what a lease that ran out took with it.

        It takes all its keys at one revision; where others of one lease are still there, somebody
        who is alive has deleted this one.
        """
        since = self._doubted or 0.0
        alive = {0, *(kept.lease for kept in self._store.values())}
        for key, was in before.items():
            if was is None or was.record is None or key in self._store:
                continue
            if was.lease not in alive:
                self._held[key] = Held(was, since)
