"""The output: tells the cluster which backends this host has, as long as this agent lives."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence

import trio

from clusterf.model.counting import counted
from clusterf.model.operation import Operation, Outcome, Plan
from clusterf.model.service import Ref, ServiceRef
from clusterf.plugin import (
    Again,
    Among,
    Context,
    Desired,
    OutputReport,
    OutputUnavailable,
    ProbeResult,
)
from clusterf_etcd.carrying import carry_out
from clusterf_etcd.failure import EtcdError
from clusterf_etcd.following import at_once
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.keys import KeyFault, key_of, ref_of
from clusterf_etcd.lease import Lease
from clusterf_etcd.planning import Agent, Sheet, plan_keys
from clusterf_etcd.probe import probe
from clusterf_etcd.reading import agent_of
from clusterf_etcd.settings import EtcdOutputSettings
from clusterf_etcd.tree import Tree
from clusterf_etcd.wire import KeyValue
from clusterf_etcd.wishes import Wishes


class EtcdOutput:
    """Implements `Output`, `Attending`, `Withdrawing`, `Closing` and `Probe`.

    It publishes: its subjects are services and, when an operation failed, their records.
    """

    def __init__(self, settings: EtcdOutputSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._name = settings.agent or os.uname().nodename
        self._gateway = Gateway(settings, context)
        self._lease = Lease(self._gateway, int(settings.ttl), context)
        self._tree = Tree()
        among = Among(settings.sources)
        self._wishes = Wishes(settings.prefix, self._name, among, routes=settings.routes)
        self._conflicts: dict[str, str] = {}
        self._unknown: str | None = None

    # --- observe, plan, carry out ---------------------------------------------------------------

    async def observe(self, subjects: Collection[Ref] | None) -> None:  # noqa: ARG002 - one look
        """See all keys, whatever is asked for: one request either way.

        Raises:
            OutputUnavailable: no endpoint answers, or none lets us in.
        """
        try:
            await self._lease.hold()
            listing = await self._gateway.list(self._settings.prefix)
        except EtcdError as failure:
            raise self._away(failure) from failure
        self._lease.seen_at(listing.revision)
        self._tree.take(listing)

    def plan(self, desired: Desired, subjects: Collection[Ref] | None, now: float) -> Plan:  # noqa: ARG002 - nothing here is a matter of time
        """Compare what the sources say with what etcd has."""
        self._unknown = self._wishes.unknown(desired.statements)
        if subjects is None:
            self._wishes.rebuild(desired.statements)
            self._conflicts.clear()
            sheet = self._plan({*self._wishes.want, *self._tree.entries})
        else:
            keys: set[str] = set()
            for ref in subjects:
                if isinstance(ref, ServiceRef):
                    keys |= self._wishes.update(ref.name, desired.statements)
                else:
                    # From a failed edit or a watch, so it has a key.
                    keys.add(key_of(ref, self._settings.prefix))
            sheet = self._plan(keys)
        for key in sheet.conflicts.keys() - self._conflicts.keys():
            self._context.log.warning("conflict %s", sheet.conflicts[key])
        self._conflicts.update(sheet.conflicts)
        return Plan(sheet.operations)

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Write, in as few transactions as can be.

        Raises:
            OutputUnavailable: as `observe`; or the lease has run out meanwhile.
        """
        try:
            return await carry_out(self._gateway, self._lease.id, operations, self._tree)
        except EtcdError as failure:
            raise self._away(failure) from failure

    def report(self) -> OutputReport:
        """Say how much is published, and what is not."""
        own = sum(entry.lease == self._lease.id for entry in self._tree.entries.values())
        detail = f"{counted(own, 'key')} as agent {self._name}"
        if self._unknown is not None:
            detail += f", what it had before is kept: {self._unknown}"
        return OutputReport(detail, [*self._conflicts.values(), *self._wishes.faults.values()])

    # --- between plans ----------------------------------------------------------------------------

    async def attend(self, again: Again) -> None:
        """Keep the lease alive, and hear of what others do to our keys.

        Raises:
            OutputUnavailable: as `observe`.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_alive, again)
            nursery.start_soon(self._listen, again)

    async def _keep_alive(self, again: Again) -> None:
        try:
            while True:
                await self._lease.keep()
                again(None)
        except EtcdError as failure:
            raise self._away(failure) from failure

    async def _listen(self, again: Again) -> None:
        # Not the list of an earlier run: etcd may have come back from a backup since.
        prefix, tree, lists = self._settings.prefix, self._tree, self._tree.lists
        while True:
            lists = await tree.listed(lists)
            began = self._context.clock()
            try:
                async with self._gateway.watch(prefix, tree.revision + 1) as watch:
                    while True:
                        changed = tree.change(await watch.next())
                        if ours := self._ours(changed):
                            again(ours)
            except EtcdError as failure:
                if not at_once(failure, self._context.clock() - began):
                    raise self._away(failure) from failure
                self._context.log.warning("interrupted reason=%r", str(failure))
            again(None)

    # --- steps ------------------------------------------------------------------------------------

    def _plan(self, keys: Iterable[str]) -> Sheet:
        keys = list(keys)
        for key in keys:
            self._conflicts.pop(key, None)
        agent = Agent(self._name, self._lease.id, self._lease.granted, self._unknown)
        return plan_keys(
            keys,
            self._wishes.want,
            self._tree.entries,
            agent,
            author=agent_of,
            ref_of=self._ref,
        )

    def _ref(self, key: str) -> Ref | None:
        """The record of a key that an agent may have written."""
        try:
            ref = ref_of(key, self._settings.prefix)
        except KeyFault:
            return None
        return None if isinstance(ref, ServiceRef) else ref

    def _ours(self, changed: Iterable[KeyValue]) -> list[Ref]:
        """Records whose keys were changed by somebody else, as far as they are our concern."""
        refs = (
            self._ref(entry.key)
            for entry in changed
            if entry.key in self._wishes.want or entry.lease == self._lease.id
        )
        return [ref for ref in refs if ref is not None]

    def _away(self, failure: EtcdError) -> OutputUnavailable:
        return OutputUnavailable(str(failure), hint=failure.hint, longest=self._lease.interval)

    # --- the end ----------------------------------------------------------------------------------

    async def withdraw(self) -> None:
        """Give the lease back if that is asked for, and all its keys go with it."""
        if self._settings.on_stop == "withdraw":
            await self._lease.revoke()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._gateway.close()

    async def probe(self) -> list[ProbeResult]:
        """Ask for the prefix, as the output will."""
        return await probe(self._gateway, self._settings.prefix)
