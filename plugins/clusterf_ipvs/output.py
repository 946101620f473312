"""The output ``ipvs``: keeps the kernel's virtual services as desired.

Deciding is elsewhere: what to do in `clusterf.plugin.plan_table`, what the kernel's answers mean
in `runs`. Here is what is believed of the kernel, and how the parts work together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import cast

from clusterf.model.counting import counted
from clusterf.model.operation import (
    EditDestination,
    KernelOperation,
    Operation,
    Outcome,
    Plan,
)
from clusterf.model.scope import Scope
from clusterf.model.table import Connections, DestinationKey, ServiceKey, VirtualService
from clusterf.plugin import (
    Context,
    Desired,
    DrainRules,
    OutputReport,
    OutputUnavailable,
    ProbeResult,
    plan_table,
)
from clusterf_ipvs import probe
from clusterf_ipvs.carry_out import Carried, Carrier
from clusterf_ipvs.constants import NO_SCHEDULER
from clusterf_ipvs.kernel import Kernel
from clusterf_ipvs.netlink import NetlinkKernel
from clusterf_ipvs.observe import Observer, Seen
from clusterf_ipvs.runs import holds
from clusterf_ipvs.settings import IpvsSettings

_PROBLEMS = 100
"""Sentences in a report; with more failures than that their number says enough."""


class IpvsOutput:
    """Implements `Output`, `DataPlane`, `Surveying`, `Probe` and `Closing`."""

    def __init__(
        self, settings: IpvsSettings, context: Context, kernel: Kernel | None = None
    ) -> None:
        self._context = context
        self._scope = Scope(context.managed, context.managed_fwmarks)
        self._kernel = kernel or NetlinkKernel(settings.batch, settings.deadline)
        self._observer = Observer(self._kernel, self._scope)
        self._rules = DrainRules(settings.drain, settings.drain_poll)
        self._observed: dict[ServiceKey, VirtualService] = {}
        self._carrier = Carrier(
            self._kernel, self._observed, self._scope.owns, context.log, batch=settings.batch
        )
        self._adopted = False
        # Counters that were read when the destination already had weight 0.
        self._connections: dict[tuple[ServiceKey, DestinationKey], Connections] = {}
        self._drains: dict[tuple[ServiceKey, DestinationKey], float] = {}
        self._failures: dict[ServiceKey, dict[DestinationKey | None, str]] = {}
        self._kernel_says = ""

    # --- Output ----------------------------------------------------------------------------

    async def observe(self, subjects: Collection[ServiceKey] | None) -> None:
        """Look at the kernel; the first look always is at everything managed."""
        if subjects is not None and self._adopted:
            self._believe(await self._observer.these(subjects, self._observed), subjects)
            return
        seen = await self._observer.everything(self._observed if self._adopted else None)
        self._believe(seen, None)
        if not self._adopted:
            info = await self._observer.info()
            self._kernel_says = (
                f"IPVS {info.version}, connection table of {info.connection_table_size}"
            )
            self._adopted = True
            self._context.log.info(
                "adopted services=%d destinations=%d", len(self._observed), self._size()
            )

    def plan(self, desired: Desired, subjects: Collection[ServiceKey] | None, now: float) -> Plan:
        """Compare with what was observed last."""
        plan = plan_table(
            desired, self._observed, self._connections, self._drains, self._rules, subjects, now
        )
        touched = _subjects(plan)
        self._share(desired, subjects, touched)
        if self._failures:
            for key in self._failures.keys() & (self._failures if subjects is None else subjects):
                if key not in touched:
                    del self._failures[key]
        return plan

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Edit the kernel, and look again where its answers were not as expected."""
        if self._connections:
            for operation in operations:
                if isinstance(operation, EditDestination):
                    # What was counted before the edit says nothing about the drain.
                    self._connections.pop((operation.subject, operation.key), None)
        carried = await self._carrier.carry_out(cast("Sequence[KernelOperation]", operations))
        if carried.unsure:
            await self._make_sure(carried)
        self._remember_failures(carried.outcomes)
        return carried.outcomes

    def report(self) -> OutputReport:
        """What ``clusterf status`` shows."""
        detail = self._kernel_says or "the kernel has not been looked at yet"
        if self._adopted:
            services = counted(len(self._observed), "virtual service")
            detail += f"; {services}, {counted(self._size(), 'destination')}"
        problems = [words for failures in self._failures.values() for words in failures.values()]
        if len(problems) > _PROBLEMS:
            rest = len(problems) - _PROBLEMS
            more = counted(rest, "more operation has", "more operations have")
            problems = [*problems[:_PROBLEMS], f"and {more} failed"]
        now = self._context.clock()
        draining = {
            (key, target): self._drain_sentence(key, target, began, now)
            for (key, target), began in self._drains.items()
        }
        return OutputReport(detail, problems, draining)

    # --- DataPlane -------------------------------------------------------------------------

    def serving(self, key: ServiceKey) -> bool:
        """Whether the kernel has a destination for a new connection to this entry."""
        service = self._observed.get(key)
        return service is not None and service.scheduler != NO_SCHEDULER and service.serves

    def entries(self) -> Collection[ServiceKey]:
        """Managed virtual services in the kernel."""
        return self._observed.keys()

    async def connections(self) -> Mapping[tuple[ServiceKey, DestinationKey], Connections]:
        """Counters of all managed destinations."""
        return await self._observer.connections(list(self._observed))

    def observed(self) -> Mapping[ServiceKey, VirtualService]:
        """The managed part of the kernel's table as last seen."""
        return self._observed

    async def survey(self) -> Collection[ServiceKey]:
        """List the managed virtual services; the engine has them observed in slices."""
        return await self._observer.listed()

    # --- Probe and Closing -----------------------------------------------------------------

    async def probe(self) -> Iterable[ProbeResult]:
        """Tell what is missing on this host."""
        known = self._observed if self._adopted else None
        return await self._context.run_blocking(probe.examine, probe.THIS_HOST, known)

    async def close(self) -> None:
        """Close the socket; the kernel keeps its table."""
        await self._kernel.close()

    # --- what is believed ------------------------------------------------------------------

    def _believe(self, seen: Seen, subjects: Collection[ServiceKey] | None) -> None:
        """Take in what a look showed; it is all there is to know of the subjects."""
        scope = list(self._observed) if subjects is None else subjects
        for key in scope:
            if key not in seen.services:
                self._observed.pop(key, None)
        self._observed.update(seen.services)
        if subjects is None:
            self._connections.clear()
        elif self._connections:
            about = set(subjects)
            for pair in [pair for pair in self._connections if pair[0] in about]:
                del self._connections[pair]
        for key, counters in seen.quiesced.items():
            for target, connections in counters.items():
                self._connections[key, target] = connections

    async def _make_sure(self, carried: Carried) -> None:
        """Look where the kernel may hold something else than we believe."""
        try:
            seen = await self._observer.these(carried.unsure, self._observed)
        except OutputUnavailable as error:
            self._context.log.warning("look failed error=%s", error)
            return
        self._believe(seen, carried.unsure)
        for index in carried.unknown:
            operation = cast("KernelOperation", carried.outcomes[index].operation)
            if holds(operation, self._observed.get(operation.subject)):
                carried.outcomes[index] = Outcome(operation)

    def _share(
        self,
        desired: Desired,
        subjects: Collection[ServiceKey] | None,
        touched: Collection[ServiceKey],
    ) -> None:
        """Let what is as desired be the desired object: half the memory, equal at a glance."""
        table, observed = desired.table, self._observed
        if not observed:
            return
        for key in table if subjects is None else subjects:
            want, have = table.get(key), observed.get(key)
            if want is not have and want is not None and have is not None and key not in touched:
                observed[key] = want

    def _remember_failures(self, outcomes: Sequence[Outcome]) -> None:
        failures = self._failures
        if not failures and not any(map(attrgetter("error"), outcomes)):
            return
        for outcome in outcomes:
            operation = cast("KernelOperation", outcome.operation)
            target: DestinationKey | None = getattr(operation, "key", None)
            if outcome.error:
                failures.setdefault(operation.subject, {})[target] = outcome.error
            elif operation.subject in failures:
                failures[operation.subject].pop(target, None)

    def _drain_sentence(
        self, key: ServiceKey, target: DestinationKey, began: float, now: float
    ) -> str:
        left = max(0.0, began + self._rules.deadline - now)
        counters = self._connections.get((key, target))
        if counters is None:
            return f"ends within {left:.0f}s"
        return (
            f"{counters.active} active and {counters.inactive} inactive connections,"
            f" ends within {left:.0f}s"
        )

    def _size(self) -> int:
        return sum(len(service.destinations) for service in self._observed.values())


def _subjects(plan: Plan) -> set[ServiceKey]:
    """Virtual services that a plan has something to say about."""
    touched = {*plan.wake, *plan.held, *map(attrgetter("subject"), plan.operations)}
    return touched - {None}
