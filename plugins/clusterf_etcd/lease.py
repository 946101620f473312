"""The lease of an agent: all its keys live as long as it does."""

from __future__ import annotations

import trio

from clusterf.plugin import Context
from clusterf_etcd.failure import EtcdUnavailable
from clusterf_etcd.gateway import Gateway

KEEP_ALIVES = 3
"""In the lifetime of a lease: two may get lost."""


class Lease:
    """One lease after another. ``id`` is 0 while there is none."""

    def __init__(self, gateway: Gateway, ttl: int, context: Context) -> None:
        self.id = 0
        self.granted = 0
        """Revision of the store when it was granted, for all that is known; 0: not known yet."""
        self._gateway = gateway
        self._ttl = ttl
        self._context = context
        self._held = trio.Event()

    @property
    def interval(self) -> float:
        """Seconds from one keepalive to the next."""
        return self._ttl / KEEP_ALIVES

    async def hold(self) -> None:
        """Have one: the last one if it lives, else a new one.

        Raises:
            EtcdError: as the gateway.
        """
        if not self.id or not await self._alive():
            self.id, ttl = await self._gateway.grant(self._ttl)
            self.granted = 0
            self._context.log.info("lease granted id=%x ttl=%ds", self.id, ttl)
        self._held.set()

    def seen_at(self, revision: int) -> None:
        """Take the revision of the first list after the grant for that of the grant."""
        self.granted = self.granted or revision

    async def keep(self) -> None:
        """Keep it alive; returns when it is lost.

        Raises:
            EtcdError: as the gateway.
        """
        await self._held.wait()
        while True:
            await trio.sleep(self.interval)
            if not await self._alive():
                break
        self._context.log.warning("lease lost id=%x", self.id)
        self._held = trio.Event()

    async def revoke(self) -> None:
        """Give it back, and all its keys go with it.

        Raises:
            EtcdError: as the gateway.
        """
        if self.id:
            await self._gateway.revoke(self.id)
            self.id = 0

    async def _alive(self) -> bool:
        """Ask to keep it alive.

        An answer that takes longer than an interval is none: there is another endpoint to ask.
        """
        with trio.move_on_after(self.interval):
            return await self._gateway.keep_alive(self.id) > 0
        raise EtcdUnavailable(f"no answer to a keepalive within {self.interval:.1f} s")
