"""The source: a list of everything, then every change from the next revision on.

Whatever goes wrong ends in a new list. What was known stays published until then, and for a grace
after it where living agents may have lost their leases in the meantime.
"""

from __future__ import annotations

from collections.abc import Mapping

import trio

from clusterf.model.counting import counted
from clusterf.model.provenance import Refusal
from clusterf.model.service import Backend, Record, Route
from clusterf.plugin import Context, ProbeResult, Publisher, SourceUnavailable
from clusterf_etcd.failure import EtcdError
from clusterf_etcd.following import at_once
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.mirror import Mirror
from clusterf_etcd.probe import probe
from clusterf_etcd.reading import agent_of, old_names, read
from clusterf_etcd.settings import EtcdSourceSettings
from clusterf_etcd.watch import Watch
from clusterf_etcd.wire import KeyValue, Listing

_LONGEST = 5.0
"""Seconds between two tries at most, so that a source is back well within its grace."""

_PULSE = 1.0
"""Seconds between two signs of life of etcd. A silence as long as the lease of an agent must be
noticed: while we hear nothing, it may hear nobody, and tell us of expired leases when it is back.
"""

_LOGGED = 20
"""Refusals of one message that are logged; ``clusterf status`` has all of them."""


class EtcdSource:
    """Implements `Source` and `Probe`."""

    def __init__(self, settings: EtcdSourceSettings, context: Context) -> None:
        self._settings = settings
        # Asked for with every key, and settings are slow to ask.
        self._prefix, self._own = settings.prefix, settings.agent
        self._context = context
        self._gateway = Gateway(settings, context)
        self._mirror = Mirror(self._read, settings.grace)
        self._interrupted = False
        self._spoken = False
        self._late: float | None = None
        self._refused: set[str] = set()
        self._grace_moved = trio.Event()

    async def run(self, publish: Publisher) -> None:
        """Follow etcd until cancelled.

        Raises:
            SourceUnavailable: no endpoint answers, or none lets us in.
        """
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._end_graces, publish)
                await self._follow(publish)
        finally:
            with trio.CancelScope(shield=True):
                await self._gateway.close()

    async def probe(self) -> list[ProbeResult]:
        """Ask for the prefix, as the source will."""
        return await probe(self._gateway, self._settings.prefix)

    # --- following ------------------------------------------------------------------------------

    async def _follow(self, publish: Publisher) -> None:
        prefix, log = self._settings.prefix, self._context.log
        while True:
            began = self._context.clock()
            try:
                listing = await self._gateway.list(prefix)
                self._take(listing, publish, slow=self._context.clock() > began + _PULSE)
                began = self._context.clock()
                async with self._gateway.watch(prefix, listing.revision + 1, pulse=_PULSE) as watch:
                    await self._listen(watch, publish)
            except EtcdError as failure:
                self._interrupted = True
                self._mirror.away(self._context.clock())
                if not at_once(failure, self._context.clock() - began):
                    raise _away(failure) from failure
                log.warning("interrupted reason=%r", str(failure))

    async def _listen(self, watch: Watch, publish: Publisher) -> None:
        """Follow a watch, until it is time for a full list."""
        relist = self._settings.relist or float("inf")
        with trio.move_on_after(relist):
            while True:
                changes = await watch.next()
                self._doubt(watch.late)
                difference = self._mirror.change(changes)
                if difference.put:
                    publish.put(*difference.put)
                if difference.drop:
                    publish.drop(*difference.drop)
                self._refuse(publish, difference.refusals)
                if self._mirror.until is not None:
                    self._tell_grace(publish)
        self._doubt(watch.late)

    def _take(self, listing: Listing, publish: Publisher, *, slow: bool) -> None:
        mirror, known = self._mirror, self._mirror.revision
        # A list that took long may have waited for an etcd that was away.
        interrupted = self._interrupted or (slow and self._spoken)
        if mirror.take(listing, self._context.clock(), interrupted=interrupted):
            self._context.log.warning(
                "restored revision=%d known=%d cluster=%s: etcd tells of another past",
                listing.revision,
                known,
                listing.cluster,
            )
        if self._interrupted:
            self._context.log.info(
                "back revision=%d keys=%d held=%d",
                listing.revision,
                len(listing.entries),
                mirror.held,
            )
        self._interrupted = False
        refusals: dict[str, Refusal | None] = dict.fromkeys(self._refused)
        refusals.update(mirror.refusals())
        self._refuse(publish, refusals)
        if mirror.until is None or self._spoken:
            self._spoken = True
            publish.replace(mirror.records())
        else:
            # After an outage that this program has not seen the beginning of, what is in the
            # kernel and not in etcd may belong to agents that are about to publish again.
            publish.put(*mirror.records())
        self._tell_grace(publish)
        self._move_grace()

    def _doubt(self, late: float | None) -> None:
        """Keep for the grace what was told to expire after etcd could not be heard for a while."""
        if late is not None and late != self._late:
            self._late = late
            self._context.log.warning("silence: etcd could not be heard for a while")
            self._mirror.doubt(late, self._context.clock())
            self._move_grace()

    def _move_grace(self) -> None:
        self._grace_moved.set()
        self._grace_moved = trio.Event()

    async def _end_graces(self, publish: Publisher) -> None:
        while True:
            moved = self._grace_moved
            until = self._mirror.until
            with trio.move_on_at(float("inf") if until is None else until):
                await moved.wait()
                continue
            held = self._mirror.held
            self._mirror.settle(self._context.clock())
            self._spoken = self._spoken or self._mirror.until is None
            if self._spoken:
                publish.replace(self._mirror.records())
            self._tell_grace(publish)
            self._context.log.info("settled dropped=%d", held - self._mirror.held)

    # --- telling --------------------------------------------------------------------------------

    def _tell_grace(self, publish: Publisher) -> None:
        until, held = self._mirror.until, self._mirror.held
        if until is None or (self._spoken and not held):
            publish.degraded(None)
            return
        left = max(0.0, until - self._context.clock())
        keys = counted(held, "key that it has no longer is", "keys that it has no longer are")
        what = keys if self._spoken else "what it may lack is"
        publish.degraded(f"etcd was away: {what} kept for another {left:.0f} s")

    def _refuse(self, publish: Publisher, refusals: Mapping[str, Refusal | None]) -> None:
        """Tell what is refused, and (None) what is not any more; log what is new of it."""
        new = []
        for key, refusal in refusals.items():
            publish.refuse(key, refusal)
            if refusal is None:
                self._refused.discard(key)
            elif key not in self._refused:
                self._refused.add(key)
                new.append(refusal)
        for refusal in new[:_LOGGED]:
            self._context.log.warning("refused reason=%s %s", refusal.reason, refusal)
        if len(new) > _LOGGED:
            self._context.log.warning("refused keys=%d more", len(new) - _LOGGED)

    def _read(self, entry: KeyValue) -> Record | Refusal | None:
        own, key, value = self._own, entry.key, entry.value
        item = read(key, value, self._prefix, self._context.name)
        if own is not None and isinstance(item, (Backend, Route)) and agent_of(value) == own:
            return None
        if isinstance(item, Route) and (old := old_names(value)):
            self._context.log.warning(
                "old names key=%s fields=%s: later versions of the original ignore them",
                key,
                ",".join(old),
            )
        return item


def _away(failure: EtcdError) -> SourceUnavailable:
    return SourceUnavailable(str(failure), hint=failure.hint, longest=_LONGEST)
