"""The output ``addresses``: what it remembers of the host, and how the parts work together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from clusterf.model.operation import Operation, Outcome, Plan
from clusterf.model.scope import Scope
from clusterf.model.table import ServiceKey
from clusterf.plugin import Context, Desired, OutputReport, OutputUnavailable, ProbeResult
from clusterf_addresses.host import Host, ThisHost
from clusterf_addresses.needs import Feature, Wrong, features, needs, wrong
from clusterf_addresses.operations import SetSysctl
from clusterf_addresses.planning import Rules, plan_addresses
from clusterf_addresses.probe import findings, unusable
from clusterf_addresses.settings import AddressesSettings
from clusterf_addresses.tunnels import modules, report
from clusterf_addresses.tunnels.planning import TunnelPlan, TunnelRules, plan_tunnels
from clusterf_addresses.tunnels.receiving import Receiving
from clusterf_addresses.world import World, after


class AddressesOutput:
    """Implements `Output` and `Probe`. Keeps nothing open between two calls."""

    def __init__(
        self, settings: AddressesSettings, context: Context, host: Host | None = None
    ) -> None:
        self._settings = settings
        self._context = context
        self._host: Host = host or ThisHost()
        self._rules = Rules(settings.interface, Scope(context.managed), settings.create)
        self._tunnels = TunnelRules(
            tuple(settings.tunnels), settings.underlay, settings.mss, tuple(context.managed)
        )
        self._world: World | None = None
        self._features: set[Feature] = set()
        self._wrong: list[Wrong] = []
        self._unset: set[str] = set()

    # --- Output ----------------------------------------------------------------------------

    async def observe(
        self,
        subjects: Collection[ServiceKey] | None,  # noqa: ARG002 - one dump shows everything
    ) -> None:
        """Look at everything: that costs no more than looking at some of it.

        Raises:
            OutputUnavailable: the kernel does not tell, or the interface is not there.
        """
        world = await self._look(self._tunnels.wanted)
        if (problem := unusable(self._settings, world)) is not None:
            raise OutputUnavailable(problem.message, hint=problem.hint)
        self._world = world
        self._unset.clear()

    def plan(
        self,
        desired: Desired,
        subjects: Collection[ServiceKey] | None,
        now: float,  # noqa: ARG002 - nothing here waits for a moment
    ) -> Plan:
        """Sysctls first, then the interface, additions, removals."""
        if self._world is None:
            raise RuntimeError("plan comes after observe")
        tunnels = TunnelPlan([], [])
        if subjects is None:
            self._features = features(desired.table.items())
            tunnels = plan_tunnels(self._tunnels, self._world.tunnels)
        else:
            # What a subject no longer has stays until the next look at everything.
            table = desired.table
            self._features |= features((key, table[key]) for key in subjects if key in table)
        self._wrong = self._now_wrong(self._world)
        operations: list[Operation] = [
            SetSysctl(one.name, one.need.wanted, one.need.why)
            for one in self._wrong
            if one.name not in self._unset
            and (self._settings.sysctls == "set" or self._tunnels.makes(one.name))
        ]
        operations += tunnels.first
        operations += plan_addresses(self._rules, self._world, desired, subjects)
        operations += tunnels.last
        return Plan(operations)

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Carry out in one worker thread, and take over what became of it.

        Raises:
            OutputUnavailable: the kernel does not listen.
        """
        carried = await self._context.run_blocking(self._host.carry_out, operations)
        world = self._world
        for index, outcome in enumerate(carried.outcomes):
            operation = outcome.operation
            if world is not None and not outcome.error:
                world = after(world, operation, found=index in carried.found)
            elif isinstance(operation, SetSysctl):
                # Not again before the next look: it would fail with every change of the table.
                self._unset.add(operation.name)
        self._world = world
        if world is not None:
            self._wrong = self._now_wrong(world)
        return carried.outcomes

    def report(self) -> OutputReport:
        """What ``clusterf status`` shows."""
        if self._world is None:
            return OutputReport("this host has not been looked at yet")
        interface = self._settings.interface
        ours = others = 0
        for found in self._world.addresses.values():
            if any(one.ours for one in found):
                ours += 1
            else:
                others += 1
        parts = [f"{ours} VIPs on {interface}"]
        if others:
            parts.append(f"{others} managed addresses of this host are not ours and stay")
        parts += report.detail(self._tunnels, self._world.tunnels)
        problems = [f"{one} (hint: {one.command})" for one in self._wrong]
        problems += report.problems(self._tunnels, self._world.tunnels)
        return OutputReport("; ".join(parts), problems)

    # --- Probe -----------------------------------------------------------------------------

    async def probe(self) -> Iterable[ProbeResult]:
        """Tell what is missing on this host."""
        found = modules.Modules()
        if self._settings.tunnels:
            found = await self._context.run_blocking(modules.read)
        world = await self._look(self._tunnels.asking(found))
        return [
            *findings(self._settings, world, self._features),
            *report.findings(self._tunnels, world.tunnels, found),
        ]

    async def _look(self, tunnels: Receiving) -> World:
        return await self._context.run_blocking(
            self._host.look, self._settings.interface, self._rules.managed, tunnels
        )

    def _now_wrong(self, world: World) -> list[Wrong]:
        receivers = self._tunnels.receivers(world.tunnels)
        asked = needs(self._features, self._settings.arp, world.kernel, receivers)
        return wrong(asked, world.sysctls)
