"""Whatever table is desired: carried out and looked at again it is there, and nothing is left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusterf.model.address import Family, Network
from clusterf.model.operation import count
from clusterf.model.table import (
    Destination,
    DestinationKey,
    Method,
    Persistence,
    Tunnel,
    TunnelType,
    VirtualService,
)
from clusterf.testing import InstanceContext
from clusterf_ipvs.attributes import message
from clusterf_ipvs.constants import Command
from clusterf_ipvs.output import IpvsOutput
from clusterf_ipvs.settings import IpvsSettings
from tests.strategies import EXAMPLES, hosts4, hosts6, ip, managed_keys, ports, tcp, weights

if TYPE_CHECKING:
    from clusterf.model.address import Address
    from clusterf.model.table import ServiceKey, Table
    from clusterf.plugin import Desired
    from tests.conformance.conftest import World

FLUSH = message(Command.FLUSH)

thresholds = st.sampled_from([(0, 0), (100, 0), (100, 50), (100, 100)])
tunnels = st.builds(
    Tunnel,
    st.sampled_from([TunnelType.IPIP, TunnelType.GRE]),
    st.sampled_from([0, 6080]),
    st.sampled_from(["nocsum", "csum", "remcsum"]),
) | st.builds(Tunnel, st.just(TunnelType.GUE), st.sampled_from([1, 6080]), st.just("csum"))
schedulers = st.sampled_from(
    [
        ("rr", frozenset[str]()),
        ("wlc", frozenset({"ops"})),
        ("dh", frozenset[str]()),
        ("sh", frozenset({"sh-fallback", "sh-port"})),
        ("mh", frozenset({"mh-fallback"})),
    ]
)


@st.composite
def destinations(draw: st.DrawFn, family: Family) -> tuple[DestinationKey, Destination]:
    """One that the kernel takes."""
    upper, lower = draw(thresholds)
    method = draw(st.sampled_from(Method))
    tunnel = draw(tunnels) if method is Method.TUNNEL else None
    same = hosts4 if family is Family.INET else hosts6
    address = draw(hosts4 | hosts6 if method is Method.TUNNEL else same)
    target = DestinationKey(address, draw(ports))
    return target, Destination(draw(weights), method, upper, lower, tunnel)


@st.composite
def services(draw: st.DrawFn, key: ServiceKey) -> VirtualService:
    scheduler, flags = draw(schedulers)
    sticky = st.builds(Persistence, st.sampled_from([60, 300]), st.sampled_from([16, 32]))
    return VirtualService(
        scheduler,
        flags,
        draw(st.none() | sticky),
        dict(draw(st.lists(destinations(key.family), max_size=4))),
    )


@st.composite
def tables(draw: st.DrawFn) -> dict[ServiceKey, VirtualService]:
    chosen = draw(st.lists(managed_keys, unique=True, max_size=4))
    return {key: draw(services(key)) for key in chosen}


def law(examples: int) -> settings:
    """All examples of a law meet one kernel, and empty it first."""
    slow = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, suppress_health_check=slow)


@dataclass
class Wish:
    """The engine's side: all sources have spoken."""

    table: Table
    hold: str | None = None

    def departed(self, _key: ServiceKey, _target: DestinationKey | None = None) -> bool:
        return True

    def serving(self, _address: Address) -> bool:
        return True

    def held(self, _address: Address) -> bool:
        return False


def wish(table: Table) -> Desired:
    return cast("Desired", Wish(table))


def make_output(world: World) -> IpvsOutput:
    context = InstanceContext(
        "outputs.kernel",
        folder=Path(),
        managed=[Network.parse("192.0.2.0/24"), Network.parse("2001:db8:1::/64")],
        managed_fwmarks=range(1, 9),
    )
    # Without drains what is not wanted goes at once.
    return IpvsOutput(IpvsSettings(drain=0.0), context, world.kernel)


async def reach(output: IpvsOutput, table: Table) -> int:
    """Plan and carry out once; the number of entries that were edited."""
    plan = output.plan(wish(table), None, 0.0)
    outcomes = await output.carry_out(plan.operations)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    return count(outcome.operation for outcome in outcomes)


@law(EXAMPLES)
@given(first=tables(), second=tables())
async def test_any_table_is_reached_from_any_other(
    world: World, first: Table, second: Table
) -> None:
    await world.do(FLUSH)
    output = make_output(world)
    await output.observe(None)
    for table in (first, second):
        await reach(output, table)
        assert output.observed() == table
        assert await reach(output, table) == 0

        fresh = make_output(world)
        await fresh.observe(None)
        assert fresh.observed() == table
        assert await reach(fresh, table) == 0


@law(EXAMPLES // 2)
@given(wanted=tables(), drifted=tables())
async def test_whatever_a_stranger_does_is_repaired(
    world: World, wanted: Table, drifted: Table
) -> None:
    await world.do(FLUSH)
    output, stranger = make_output(world), make_output(world)
    await output.observe(None)
    await reach(output, wanted)
    await stranger.observe(None)
    await reach(stranger, {**drifted})
    await output.observe(None)
    await reach(output, wanted)
    assert output.observed() == wanted
    fresh = make_output(world)
    await fresh.observe(None)
    assert fresh.observed() == wanted


@law(EXAMPLES // 2)
@given(believed=tables(), actual=tables(), wanted=tables())
async def test_a_belief_that_is_wrong_is_mended_by_the_kernels_answers(
    world: World, believed: Table, actual: Table, wanted: Table
) -> None:
    """Somebody edits between our look and our edits: a few rounds later all is as wanted."""
    await world.do(FLUSH)
    output, stranger = make_output(world), make_output(world)
    await output.observe(None)
    await reach(output, believed)
    await stranger.observe(None)
    await reach(stranger, actual)
    for _ in range(3):
        await output.carry_out(output.plan(wish(wanted), None, 0.0).operations)
    await output.observe(None)
    await output.carry_out(output.plan(wish(wanted), None, 0.0).operations)
    fresh = make_output(world)
    await fresh.observe(None)
    assert fresh.observed() == wanted


async def test_equal_services_get_their_destinations_in_one_order(world: World) -> None:
    """The order of insertion decides the table of mh."""
    targets = [DestinationKey(ip(f"198.51.100.{number}"), 80) for number in (3, 1, 4, 2)]
    key = tcp()
    found = []
    for order in (targets, targets[::-1]):
        await world.do(FLUSH)
        output = make_output(world)
        await output.observe(None)
        wanted = {target: Destination(10, Method.MASQ) for target in order}
        await reach(output, {key: VirtualService("mh", destinations=wanted)})
        found.append(list(await world.destinations(key)))
    assert found[0] == found[1] == sorted(targets, reverse=True)
