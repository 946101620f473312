"""What the output knows of etcd: all keys as they were last seen, listed or told by a watch."""

from __future__ import annotations

import trio

from clusterf_etcd.wire import Changes, Deleted, KeyValue, Listing


class Tree:
    """Keys with the revisions of their values. What is older than what is known changes nothing.

    Three tell it: lists, the watch, and the answers to the output's own edits; in any order.
    """

    def __init__(self) -> None:
        self.entries: dict[str, KeyValue] = {}
        self.revision = 0
        """Of the last list."""
        self.lists = 0
        self._listed = trio.Event()

    def take(self, listing: Listing) -> None:
        """Go over to a list of everything."""
        self.entries = {entry.key: entry for entry in listing.entries}
        self.revision = listing.revision
        self.lists += 1
        self._listed.set()
        self._listed = trio.Event()

    def change(self, changes: Changes) -> list[KeyValue]:
        """Take in what a watch told; returns what the changed keys had or have."""
        return [entry for event in changes.events if (entry := self._event(event)) is not None]

    def put(self, entry: KeyValue) -> None:
        """Take in an edit of our own."""
        known = self.entries.get(entry.key)
        if known is None or known.mod_revision < entry.mod_revision:
            self.entries[entry.key] = entry

    def delete(self, key: str, revision: int) -> KeyValue | None:
        """Take in a deletion; returns what the key had."""
        known = self.entries.get(key)
        if known is None or known.mod_revision > revision:
            return None
        return self.entries.pop(key)

    async def listed(self, lists: int = 0) -> int:
        """Wait until there were more than so many lists; returns how many there were."""
        while self.lists <= lists:
            await self._listed.wait()
        return self.lists

    def _event(self, event: KeyValue | Deleted) -> KeyValue | None:
        if event.mod_revision <= self.revision:
            return None
        if isinstance(event, Deleted):
            return self.delete(event.key, event.mod_revision)
        known = self.entries.get(event.key)
        if known is not None and known.mod_revision >= event.mod_revision:
            return None
        self.entries[event.key] = event
        return event
