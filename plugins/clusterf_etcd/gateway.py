"""The client of etcd's v3 JSON gateway: calls, on whichever endpoint answers; a watch.

etcd-io/etcd Documentation/dev-guide/api_grpc_gateway.md and api_reference_v3.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from clusterf.plugin import Context
from clusterf_etcd import answers, wire
from clusterf_etcd.caller import Caller
from clusterf_etcd.failure import Compacted, EtcdRefused, FutureRevision, LeaseGone, TooLarge
from clusterf_etcd.fragments import HELD_MAX
from clusterf_etcd.settings import ConnectionSettings
from clusterf_etcd.watch import Watch, watching
from clusterf_etcd.wire import KeyValue, Listing, Message, TransactionResult

__all__ = ["Gateway", "Watch"]

_TRIES = 3
"""How often a list is begun before it is given up because the store changes under it."""


class Gateway:
    """etcd, as long as one of its endpoints answers.

    Every call asks one endpoint, and each further one at most once if that fails; then it raises
    `EtcdUnavailable`, or `EtcdRefused` where an answer is final. Calls may run at the same time.
    """

    def __init__(self, settings: ConnectionSettings, context: Context) -> None:
        self._caller = Caller(settings, context)

    # --- keys --------------------------------------------------------------------------------

    async def list(self, prefix: str, *, page: int = 1000) -> Listing:
        """All keys below ``prefix`` and a slash, at one revision, read in pages of so many keys.

        The first page is linearizable: nothing that was acknowledged before the call is missing.
        A revision older than one seen before means that a backup came back.

        Raises:
            Compacted: it happened under the list, several times.
        """
        for number in range(_TRIES):
            try:
                return await self._listed(prefix, page)
            except (Compacted, FutureRevision):
                if number == _TRIES - 1:
                    raise
        raise AssertionError

    async def get(self, key: str) -> KeyValue | None:
        """A key, or None."""
        answer = await self._caller.call(
            "/v3/kv/range", {"key": wire.text64(key)}, answers.read_range
        )
        return answer.entries[0] if answer.entries else None

    async def put(self, key: str, value: bytes, *, lease: int = 0) -> int:
        """Write a key; the revision of the store after it.

        Raises:
            LeaseGone: there is no such lease.
        """
        message = wire.put_request(key, value, lease)
        return await self._caller.call("/v3/kv/put", message, answers.read_revision)

    async def delete(self, key: str) -> int:
        """Delete a key, if it exists; the revision of the store after it."""
        message = {"key": wire.text64(key)}
        return await self._caller.call("/v3/kv/deleterange", message, answers.read_revision)

    async def transaction(
        self,
        compare: Sequence[Message],
        success: Sequence[Message],
        failure: Sequence[Message] = (),
    ) -> TransactionResult:
        """Do ``success`` if all of ``compare`` hold, else ``failure``, at one revision.

        Not tried at another endpoint when it may have been carried out already: then
        `EtcdUnavailable` has ``perhaps_done``.

        Raises:
            LeaseGone: a key was to be put under a lease that does not exist.
        """
        message = wire.transaction_request(compare, success, failure)
        return await self._caller.call("/v3/kv/txn", message, answers.read_transaction, twice=False)

    # --- leases ------------------------------------------------------------------------------

    async def grant(self, ttl: int, id: int = 0) -> tuple[int, int]:  # noqa: A002 - etcd's word
        """Make a lease of so many seconds; its id and the time to live that etcd gave it.

        Raises:
            LeaseExists: the id is taken.
        """
        message = {"TTL": str(ttl), "ID": str(id)}
        return await self._caller.call("/v3/lease/grant", message, answers.read_lease, twice=not id)

    async def keep_alive(self, id: int) -> int:  # noqa: A002
        """Give a lease its whole time again; how many seconds that is, 0 if it is gone."""
        answer = await self._caller.call("/v3/lease/keepalive", {"ID": str(id)}, answers.read_lease)
        return answer[1]

    async def time_to_live(self, id: int) -> int:  # noqa: A002
        """How many seconds a lease still lives, without giving it more; below 0: it is gone."""
        message = {"ID": str(id)}
        answer = await self._caller.call("/v3/lease/timetolive", message, answers.read_lease)
        return answer[1]

    async def revoke(self, id: int) -> None:  # noqa: A002
        """End a lease, and delete the keys under it. One that is gone is fine."""
        try:
            await self._caller.call("/v3/lease/revoke", {"ID": str(id)}, answers.read_revision)
        except LeaseGone:
            return

    # --- watch -------------------------------------------------------------------------------

    def watch(
        self, prefix: str, start: int, *, pulse: float = 10.0, held_max: int = HELD_MAX
    ) -> AbstractAsyncContextManager[Watch]:
        """Follow all keys below ``prefix`` and a slash from revision ``start`` on; 0: from now on.

        Entering returns once etcd said that the watch is there. ``pulse``: how many seconds of
        silence make it ask the member that it is on for a sign of life; `Watch.late` tells when
        none came for twice as long. ``held_max`` bounds the bytes of a revision that is not whole.

        Raises:
            Compacted: ``start`` is gone.
            WatchEnded: the store has not come that far: a backup came back.
        """
        return watching(self._caller, prefix, start, pulse, held_max)

    async def close(self) -> None:
        """End all connections that are not in use. The next call makes new ones."""
        await self._caller.close()

    async def _listed(self, prefix: str, page: int) -> Listing:
        found: list[KeyValue] = []
        revision, cluster = 0, ""
        # How many keys fit into one answer is seen when they do not.
        limit, most, after = page, page, None
        while True:
            message = wire.range_request(prefix, limit, after=after, revision=revision)
            try:
                part = await self._caller.call("/v3/kv/range", message, answers.read_range)
            except TooLarge:
                if limit == 1:
                    raise
                most = max(1, limit // 2)
                limit = max(1, limit // 32)
                continue
            if cluster not in {"", part.cluster}:
                raise EtcdRefused(
                    f"endpoints of different clusters: {cluster} and {part.cluster}",
                    hint="all endpoints are members of one etcd cluster",
                )
            # The newest revision there is; of the first page it is the one that is asked for.
            revision, cluster = revision or part.revision, part.cluster
            found += part.entries
            if not part.more or not part.entries:
                return Listing(found, revision, cluster)
            after = part.entries[-1].key
            limit = min(most, 2 * limit)
