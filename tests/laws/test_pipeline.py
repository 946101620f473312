"""Laws of the pure part: plans, drains, claims, merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from clusterf.model.address import Address
from clusterf.model.defaults import Defaults
from clusterf.model.operation import (
    DeleteDestination,
    DeleteService,
    EditDestination,
    Operation,
    Plan,
    steps,
)
from clusterf.model.service import Backend, Service, ServiceSpec
from clusterf.model.table import (
    WEIGHT_MAX,
    DestinationKey,
    Method,
    Protocol,
    ServiceKey,
    VirtualService,
)
from clusterf.pipeline.claims import Claims
from clusterf.pipeline.destinations import Tally, destinations_of, target_of
from clusterf.pipeline.merge import Contribution, merge
from clusterf.pipeline.resolve import resolve
from clusterf.pipeline.settings import Settings, settle
from tests import strategies
from tests.model_kernel import RULES, Kernel, KernelOutput, Pair, Wanted
from tests.strategies import MANAGED

Table = dict[ServiceKey, VirtualService]

worlds = strategies.tables(strategies.managed_keys | strategies.foreign_keys, max_size=6)
"""What may be in a kernel: managed entries and foreign ones."""


def managed(kernel: Kernel) -> Table:
    return {key: have for key, have in kernel.services.items() if MANAGED.owns(key)}


def foreign(kernel: Kernel) -> Table:
    return {key: have for key, have in kernel.services.items() if not MANAGED.owns(key)}


def busy(draw: st.DrawFn, world: Mapping[ServiceKey, VirtualService]) -> dict[Pair, int]:
    pairs = [(key, one) for key, have in world.items() for one in have.destinations]
    return dict.fromkeys(draw(st.sets(st.sampled_from(pairs))) if pairs else (), 1)


@st.composite
def kernels(draw: st.DrawFn) -> Kernel:
    world = draw(worlds)
    return Kernel(services=world, connections=busy(draw, world))


def converge(output: KernelOutput, wanted: Wanted, now: float = 0.0) -> float:
    """Run as the engine does until nothing is left to do; the moment at which that was."""
    for _ in range(1000):
        output.look()
        plan = output.plan(wanted, None, now)
        outcomes = output.act(plan.operations)
        assert not any(outcome.error for outcome in outcomes), outcomes
        if not plan.operations and not plan.wake:
            return now
        if plan.wake:
            now = max(now, min(plan.wake.values()))
    raise AssertionError("does not converge")


def first_plan(output: KernelOutput, wanted: Wanted, now: float = 0.0) -> Plan:
    output.look()
    return output.plan(wanted, None, now)


# --- plan ----------------------------------------------------------------------------------------


@given(strategies.tables())
def test_a_table_needs_nothing_to_become_itself(table: Table) -> None:
    output = KernelOutput(Kernel(services=dict(table)))
    plan = first_plan(output, Wanted(table))
    assert (list(plan.operations), plan.wake, plan.held) == ([], {}, {})


@given(kernels(), strategies.tables())
def test_carrying_out_a_plan_makes_the_kernel_equal_to_the_table(
    kernel: Kernel, table: Table
) -> None:
    before = foreign(kernel)
    converge(KernelOutput(kernel), Wanted(table))
    assert managed(kernel) == table
    assert foreign(kernel) == before


@given(kernels(), strategies.tables(), st.integers(0, 12))
def test_after_a_crash_in_the_middle_of_a_plan_it_converges(
    kernel: Kernel, table: Table, prefix: int
) -> None:
    output = KernelOutput(kernel)
    output.act(list(steps(first_plan(output, Wanted(table)).operations))[:prefix])
    converge(KernelOutput(kernel), Wanted(table), now=7.0)
    assert managed(kernel) == table


@given(kernels(), strategies.tables())
def test_no_operation_touches_what_is_not_managed(kernel: Kernel, table: Table) -> None:
    output = KernelOutput(kernel)
    mine = set(managed(kernel)) | set(table)
    for operation in first_plan(output, Wanted(table)).operations:
        assert operation.subject in mine


@given(kernels(), strategies.tables())
def test_every_operation_of_a_first_plan_changes_something_and_succeeds(
    kernel: Kernel, table: Table
) -> None:
    output = KernelOutput(kernel)
    for operation in steps(first_plan(output, Wanted(table)).operations):
        before = dict(kernel.services)
        assert kernel.write(operation) == ""
        assert kernel.services != before


@given(kernels(), strategies.tables())
def test_what_is_made_comes_before_what_is_removed(kernel: Kernel, table: Table) -> None:
    stages = [one.stage for one in first_plan(KernelOutput(kernel), Wanted(table)).operations]
    assert stages == sorted(stages)


@given(kernels(), strategies.tables())
def test_every_operation_says_what_it_does(kernel: Kernel, table: Table) -> None:
    for operation in steps(first_plan(KernelOutput(kernel), Wanted(table)).operations):
        assert operation.describe().startswith("-")


@given(kernels(), strategies.tables())
def test_an_edit_or_a_removal_says_why(kernel: Kernel, table: Table) -> None:
    for operation in first_plan(KernelOutput(kernel), Wanted(table)).operations:
        assert operation.stage == 0 or operation.reason()


def removes(operation: Operation, table: Table) -> list[Pair | tuple[ServiceKey, None]]:
    """What an operation takes away from clients."""
    match operation:
        case DeleteService():
            return [(operation.subject, None)]
        case DeleteDestination():
            return [(operation.subject, operation.key)]
        case EditDestination() if operation.key not in _wanted(table, operation.subject):
            return [(operation.subject, operation.key)]
    return []


def _wanted(table: Table, key: ServiceKey) -> Mapping[DestinationKey, object]:
    return table[key].destinations if key in table else {}


@given(st.data(), kernels(), strategies.tables())
def test_while_something_is_unknown_only_what_certainly_left_is_removed(
    data: st.DataObject, kernel: Kernel, table: Table
) -> None:
    candidates: list[tuple[ServiceKey, DestinationKey | None]] = [
        (key, one) for key, have in kernel.services.items() for one in (None, *have.destinations)
    ]
    gone = data.draw(st.sets(st.sampled_from(candidates))) if candidates else set()
    before = dict(kernel.services)
    output = KernelOutput(kernel)
    wanted = Wanted(table, "sources.etcd has not spoken yet", gone)
    for now in (0.0, 400.0, 800.0):
        output.look()
        plan = output.plan(wanted, None, now)
        for operation in plan.operations:
            for key, one in removes(operation, table):
                if one is None:
                    assert {(key, each) for each in before[key].destinations} <= gone
                    assert before[key].destinations or (key, None) in gone
                else:
                    assert (key, one) in gone
        output.act(plan.operations)


# --- drain ---------------------------------------------------------------------------------------


@given(kernels(), strategies.tables(), st.floats(0, 1e6))
def test_no_connection_is_lost_before_the_deadline_and_every_drain_ends_at_it(
    kernel: Kernel, table: Table, start: float
) -> None:
    """The connections of this kernel never end by themselves."""
    output, wanted, now = KernelOutput(kernel), Wanted(table), start
    alive = set(kernel.connections)
    while now < start + RULES.deadline:
        output.look()
        plan = output.plan(wanted, None, now)
        output.act(plan.operations)
        for key, one in alive - set(kernel.connections):
            assert getattr(key, "protocol", None) is Protocol.UDP, (key, one)
        now += 50.0
    converge(output, wanted, start + RULES.deadline)
    assert managed(kernel) == table


@given(kernels(), strategies.tables())
def test_a_drain_without_connections_ends_at_its_first_look(kernel: Kernel, table: Table) -> None:
    kernel.connections.clear()
    assert converge(KernelOutput(kernel), Wanted(table)) <= RULES.poll


# --- claims --------------------------------------------------------------------------------------

keys = st.sampled_from([strategies.tcp(port=port) for port in (80, 81, 82)])
claimants = st.tuples(st.sampled_from("abcd"), st.integers(0, 2), st.frozensets(keys, max_size=3))


@given(st.lists(claimants, max_size=30))
def test_who_holds_an_entry_depends_on_the_order_of_the_configuration_alone(
    history: list[tuple[str, int, frozenset[ServiceKey]]],
) -> None:
    claims = Claims()
    for name, place, wanted in history:
        claims.claim(name, (place, 0, name), wanted)
    latest = {name: ((place, 0, name), wanted) for name, place, wanted in history}
    for key in {key for _, _, wanted in history for key in wanted}:
        asking = [order for order, wanted in latest.values() if key in wanted]
        assert claims.holder(key) == (min(asking)[2] if asking else None)


@given(st.lists(claimants, max_size=30))
def test_whoever_gains_or_loses_an_entry_is_looked_at_again(
    history: list[tuple[str, int, frozenset[ServiceKey]]],
) -> None:
    claims = Claims()
    every = {key for _, _, wanted in history for key in wanted}
    for name, place, wanted in history:
        before = {key: claims.holder(key) for key in every}
        again = claims.claim(name, (place, 0, name), wanted)
        moved = {key for key in every if claims.holder(key) != before[key]}
        touched = {before[key] for key in moved} | {claims.holder(key) for key in moved}
        assert touched - {None, name} <= again
        assert name not in again


# --- merge and resolve

web = st.just("web")


contributions = st.lists(
    st.tuples(
        st.none() | strategies.specs(web),
        st.lists(strategies.backends(web), max_size=4, unique_by=lambda b: b.id),
    ),
    min_size=1,
    max_size=3,
)


def merged(said: Sequence[tuple[ServiceSpec | None, list[Backend]]]) -> Service:
    parts = [
        Contribution(index, one, {backend.id: backend for backend in known})
        for index, (one, known) in enumerate(said)
    ]
    found = merge("web", parts)
    assert found is not None
    return found


@given(st.data(), contributions)
def test_nothing_depends_on_the_order_in_which_backends_became_known(
    data: st.DataObject, said: list[tuple[ServiceSpec | None, list[Backend]]]
) -> None:
    tables = []
    shuffled = [(one, data.draw(st.permutations(known))) for one, known in said]
    for order in (said, shuffled):
        service = merged(order)
        tables.append((service, resolve(service, Defaults(), MANAGED)))
    assert tables[0] == tables[1]
    assert list(tables[0][0].backends) == list(tables[1][0].backends)


def one_by_one(service: Service, key: ServiceKey, settings: Settings) -> dict[str, int]:
    """Weights of destinations as they are without runs: each backend for itself."""
    weights: dict[str, int] = {}
    for backend in service.backends.values():
        where = target_of(backend, key, backend.method or settings.method)
        if isinstance(where, DestinationKey):
            weight = settings.weight if backend.weight is None else backend.weight
            weight = 0 if backend.quiesced else weight
            weights[str(where)] = min(weights.get(str(where), 0) + weight, WEIGHT_MAX)
    return weights


@given(contributions, strategies.managed_keys)
def test_a_run_of_backends_leads_where_its_backends_lead_one_by_one(
    said: list[tuple[ServiceSpec | None, list[Backend]]], key: ServiceKey
) -> None:
    service = merged(said)
    settings = settle(service.spec, Defaults(), [])
    tally = Tally(service.name)
    found = destinations_of(service, key, settings, tally)
    weights = one_by_one(service, key, settings)
    assert list(weights.items()) == [(str(target), one.weight) for target, one in found.items()]
    where = {
        identity: target_of(backend, key, backend.method or settings.method)
        for identity, backend in service.backends.items()
    }
    assert tally.used == {b for b, found in where.items() if isinstance(found, DestinationKey)}
    assert tally.refused == {b for b, found in where.items() if isinstance(found, str)}


@given(contributions)
def test_what_resolves_is_managed_and_can_work(
    said: list[tuple[ServiceSpec | None, list[Backend]]],
) -> None:
    service = merge(
        "web", [Contribution(i, s, {b.id: b for b in k}) for i, (s, k) in enumerate(said)]
    )
    assert service is not None
    for key, entry in resolve(service, Defaults(), MANAGED).entries.items():
        assert MANAGED.owns(key)
        for target, destination in entry.destinations.items():
            tunnelled = destination.method is Method.TUNNEL
            assert tunnelled or target.address.family is key.family
            assert (destination.tunnel is not None) == tunnelled
            if destination.method is not Method.MASQ:
                assert target.port == getattr(key, "port", 0)


@given(contributions)
def test_every_backend_is_used_or_its_refusal_is_told(
    said: list[tuple[ServiceSpec | None, list[Backend]]],
) -> None:
    service = merge(
        "web", [Contribution(i, s, {b.id: b for b in k}) for i, (s, k) in enumerate(said)]
    )
    assert service is not None
    resolution = resolve(service, Defaults(), MANAGED)
    if not any(MANAGED.owns(key) for key in resolution.entries):
        return
    addresses: set[Address] = {
        target.address for entry in resolution.entries.values() for target in entry.destinations
    }
    for identity, backend in service.backends.items():
        told = any(f"backend {identity}" in refusal.subject for refusal in resolution.refusals)
        reached = {backend.ipv4, backend.ipv6, backend.gateway} & addresses
        assert told or reached
