"""Messages of a watch put together: what one revision changed is never told in two parts. Pure.

etcd cuts a large message into fragments between any two events (etcdserver/api/v3rpc/watch.go,
sendFragments). Its events are in the order of their revisions.
"""

from __future__ import annotations

from clusterf_etcd.answers import WatchMessage
from clusterf_etcd.wire import Changes, Deleted, Event

HELD_MAX = 256 * 2**20
"""Bytes of keys and values of one revision that are kept until it is complete."""


class RevisionTooLarge(Exception):
    """One revision changed more than `HELD_MAX`."""


class Fragments:
    """Collects the events of a revision whose end has not come yet."""

    def __init__(self, held_max: int = HELD_MAX) -> None:
        self._held: list[Event] = []
        self._held_max = held_max

    def add(self, message: WatchMessage) -> Changes | None:
        """Everything that is complete with this message; None if nothing is.

        Raises:
            RevisionTooLarge: nothing can be added any more.
        """
        events = [*self._held, *message.events] if self._held else message.events
        if not message.fragment:
            self._held = []
            # Not the revision of the message: that is where the store is, and a watch that
            # catches up is told of the rest in a later one. Without events it is a promise.
            return Changes(events, events[-1].mod_revision if events else message.revision)
        last = events[-1].mod_revision if events else 0
        cut = next((n for n, one in enumerate(events) if one.mod_revision == last), 0)
        complete, self._held = events[:cut], events[cut:]
        if sum(_size(one) for one in self._held) > self._held_max:
            raise RevisionTooLarge
        return Changes(complete, complete[-1].mod_revision) if complete else None


def joined(parts: list[Changes]) -> Changes:
    """Several changes, one after the other, as one."""
    if len(parts) == 1:
        return parts[0]
    return Changes([event for part in parts for event in part.events], parts[-1].revision)


def _size(event: Event) -> int:
    return len(event.key) + (0 if isinstance(event, Deleted) else len(event.value))
