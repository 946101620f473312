"""A director's life, at random: sources, policies, strangers, failures, connections, restarts.

The pure parts are driven as the engine drives them, over a model of the kernel. What a director
promises holds after every step; once the world is quiet the kernel is what the sources say.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from zlib import crc32

import pytest
import trio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clusterf.engine.board import Board
from clusterf.engine.desired import EngineDesired
from clusterf.engine.reconciler import Reconciler, Rules
from clusterf.model.operation import (
    DeleteDestination,
    DeleteService,
    EditDestination,
    Operation,
    steps,
)
from clusterf.model.provenance import Refusal
from clusterf.model.service import Facts, Record, Ref, Service, ServiceRef
from clusterf.model.table import AddressKey, DestinationKey, Protocol, ServiceKey, VirtualService
from clusterf.pipeline.decide import NamedPolicy
from clusterf.pipeline.override import Drained
from tests import strategies
from tests.model_kernel import RULES, Kernel, KernelOutput, Pair
from tests.strategies import EXAMPLES, MANAGED

SOURCES = ("s1", "s2", "s3")

source_names = st.sampled_from(SOURCES)
some_records = st.lists(strategies.records, max_size=6)
lucky = st.integers(0, 10_000)
"""Chooses among what there is, whatever that is."""


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Moody:
    """A policy that raises for some services."""

    def __init__(self) -> None:
        self.broken: set[str] = set()

    def apply(self, service: Service, facts: Facts) -> Service | Refusal:
        del facts
        if service.name in self.broken:
            raise ZeroDivisionError(service.name)
        return service


class Life:
    """What a restart ends: everything that clusterf remembers."""

    def __init__(self, kernel: Kernel, policy: Moody, drained: dict[Drained, str]) -> None:
        self.board = Board()
        self.board.arrange(SOURCES)
        self.changed: set[ServiceKey] = set()
        self.reconciler = Reconciler(self.board, self.changed.update)
        self.reconciler.drained = drained
        self.reconciler.configure(Rules([NamedPolicy("policies[0]", policy)], scope=MANAGED))
        self.output = KernelOutput(kernel)
        self.desired = EngineDesired(self.reconciler, lambda: [self.output], lambda: True)
        self.ends = {name: self.board.publisher(name, lambda: None) for name in SOURCES}
        self.ever: set[Pair] = set()
        """Destinations that were in the table."""
        self.unwanted: dict[Pair, float] = {}
        """Since when a destination of the kernel has been in nobody's table."""
        self.looked = False
        self.held_everything = True
        self.heard: set[str] = set()
        """Sources whose records the table has."""
        self.decided: set[str] = set()
        """Services that the policies have let through since the start."""
        # Outputs start after the first pass, whoever has spoken by then.
        self.reconcile()

    def reconcile(self) -> None:
        marked = self.board.take()
        trio.run(self.reconciler.reconcile, marked)
        self.ever |= pairs(self.reconciler.table)
        self.heard |= set(SOURCES) - set(self.board.unsynced())
        self.decided |= set(marked) - set(self.reconciler.failures)

    def uncertain(self) -> bool:
        """Whether there may be entries that somebody wants and the table lacks."""
        return self.heard < set(SOURCES) or not self.decided.issuperset(self.reconciler.failures)

    def tell_what_changed(self) -> None:
        if self.desired.hold is None and self.held_everything:
            self.changed.update(self.output.known)
        self.held_everything = self.desired.hold is not None


def pairs(table: dict[ServiceKey, VirtualService]) -> set[Pair]:
    return {(key, target) for key, entry in table.items() for target in entry.destinations}


class Director(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = Kernel()
        self.policy = Moody()
        self.drained: dict[Drained, str] = {}
        self.now = 0.0
        self.truth: dict[str, dict[tuple[type, Ref], Record]] = {name: {} for name in SOURCES}
        self.foreign: dict[ServiceKey, VirtualService] = {}
        self.life = Life(self.kernel, self.policy, self.drained)

    @initialize(
        left=strategies.tables(max_size=3),
        foreign=strategies.tables(strategies.foreign_keys, max_size=2),
        said=st.lists(st.tuples(source_names, strategies.records), max_size=12),
    )
    def find_a_kernel_in_use(
        self,
        left: dict[ServiceKey, VirtualService],
        foreign: dict[ServiceKey, VirtualService],
        said: list[tuple[str, Record]],
    ) -> None:
        self.foreign = dict(foreign)
        self.kernel.services.update({**left, **foreign})
        for name, record in said:
            self.put(name, record)
        for name in SOURCES:
            self.speak(name)
        self.reconcile()
        self.look_at_everything()

    # --- sources -------------------------------------------------------------------------------

    @rule(name=source_names, record=strategies.records)
    def put(self, name: str, record: Record) -> None:
        self.truth[name][type(record.ref), record.ref] = record
        self.life.ends[name].put(record)

    @rule(name=source_names, choice=lucky)
    def drop(self, name: str, choice: int) -> None:
        if known := self.truth[name]:
            where = sorted(known, key=str)[choice % len(known)]
            del known[where]
            self.life.ends[name].drop(where[1])

    @rule(name=source_names)
    def speak(self, name: str) -> None:
        self.life.ends[name].replace(self.truth[name].values())

    @rule()
    def all_speak_and_an_output_looks_before_they_are_heard(self) -> None:
        for name in SOURCES:
            self.speak(name)
        self.look_at_everything()

    @rule(name=source_names, records=some_records)
    def replace(self, name: str, records: list[Record]) -> None:
        self.truth[name] = {(type(record.ref), record.ref): record for record in records}
        self.speak(name)

    @rule()
    def reconcile(self) -> None:
        self.life.reconcile()
        self.life.tell_what_changed()

    @rule(names=st.sets(strategies.service_names, min_size=1))
    def services_are_given_up(self, names: set[str]) -> None:
        for source, known in self.truth.items():
            for name in names:
                if known.pop((ServiceRef, ServiceRef(name)), None):
                    self.life.ends[source].drop(ServiceRef(name))
        self.reconcile()
        self.look_at_everything()

    @rule(name=strategies.service_names, broken=st.booleans())
    def a_policy_breaks_or_mends(self, name: str, *, broken: bool) -> None:
        (self.policy.broken.add if broken else self.policy.broken.discard)(name)
        self.life.board.mark(name)

    @rule(name=strategies.service_names, identity=strategies.backend_ids | st.just(""))
    def an_operator_drains_or_undrains(self, name: str, identity: str) -> None:
        order = Drained(name, identity)
        if self.drained.pop(order, None) is None:
            self.drained[order] = "drained by operator"
        self.life.board.mark(name)

    # --- the kernel ----------------------------------------------------------------------------

    @rule(choice=lucky, key=strategies.managed_keys)
    def a_stranger_edits_what_is_ours(self, choice: int, key: ServiceKey) -> None:
        services = self.kernel.services
        mine = sorted((k for k in services if MANAGED.owns(k)), key=str)
        kind = choice % 5
        if kind == 0 or not mine:
            services.setdefault(key, strategies.entry(1, 2))
            return
        key = mine[choice % len(mine)]
        have = services[key]
        if kind == 1 or not have.destinations:
            del services[key]
            self._forget_connections(key)
            return
        target = sorted(have.destinations)[choice % len(have.destinations)]
        destinations = dict(have.destinations)
        if kind == 2:
            del destinations[target]
            self.kernel.connections.pop((key, target), None)
        elif kind == 3:
            weight = destinations[target].weight
            destinations[target] = replace(destinations[target], weight=5 if weight == 0 else 0)
        else:
            destinations[strategies.target(9)] = strategies.destination(3)
        services[key] = replace(have, destinations=destinations, scheduler="rr")

    @rule()
    def a_stranger_clears_the_table(self) -> None:
        self.kernel.services.clear()
        self.kernel.services.update(self.foreign)
        self.kernel.connections.clear()

    def _forget_connections(self, key: ServiceKey) -> None:
        for pair in [pair for pair in self.kernel.connections if pair[0] == key]:
            del self.kernel.connections[pair]

    @rule()
    def clients_come(self) -> None:
        self.kernel.connections.update(dict.fromkeys(pairs(self.kernel.services), 1))

    @rule(choice=lucky)
    def one_client_comes(self, choice: int) -> None:
        every = sorted(pairs(self.kernel.services), key=str)
        if every:
            self.kernel.connections[every[choice % len(every)]] = 1

    @rule()
    def clients_go(self) -> None:
        self.kernel.connections.clear()

    @rule(seconds=st.sampled_from([0.5, 90.0, 200.0, 299.0, 1000.0]))
    def time_passes(self, seconds: float) -> None:
        """An output wakes up for its drains; how late does not matter."""
        self.now += seconds
        if self.life.looked:
            self.look_at_everything()

    @rule(choice=lucky)
    def the_kernel_refuses_some_operations(self, choice: int) -> None:
        def fails(operation: Operation) -> str:
            return "ENOMEM" if crc32(operation.describe().encode()) % 3 == choice % 3 else ""

        self.life.output.fails = fails

    @rule()
    def the_kernel_takes_everything_again(self) -> None:
        self.life.output.fails = lambda _: ""

    # --- clusterf ------------------------------------------------------------------------------

    @rule(spoken=st.sets(source_names), broken=st.sets(strategies.service_names, max_size=1))
    def restart(self, spoken: set[str], broken: set[str]) -> None:
        self.policy.broken = set(broken)
        self.life = Life(self.kernel, self.policy, self.drained)
        for name in spoken:
            self.speak(name)
        self.reconcile()
        self.look_at_everything()

    @rule()
    def look_at_everything(self) -> None:
        self.life.output.look()
        self.life.looked = True
        self._apply(None)

    @precondition(lambda self: self.life.looked and self.life.changed)
    @rule()
    def follow_what_changed(self) -> None:
        subjects = set(self.life.changed)
        self.life.changed.clear()
        self._apply(subjects)

    def _apply(self, subjects: set[ServiceKey] | None) -> list[Operation]:
        """One round of an output, watched."""
        life = self.life
        self._note_unwanted()
        table, lost = life.reconciler.table, len(self.kernel.lost)
        plan = life.output.plan(life.desired, subjects, self.now)
        for operation in plan.operations:
            if life.uncertain():
                for pair in taken_away(operation, table, life.output.known):
                    assert pair in life.ever, operation.describe()
        if subjects is None:
            self._wrote_only_what_differs(plan.operations)
        known = pairs(life.output.known)
        life.output.act(plan.operations)
        for key, target in self.kernel.lost[lost:]:
            if (key, target) not in known:
                # A stranger made it since the last look: it went with its whole service.
                continue
            udp = isinstance(key, AddressKey) and key.protocol is Protocol.UDP
            since = life.unwanted[key, target]
            assert udp or self.now - since >= RULES.deadline, (key, target)
        return list(plan.operations)

    def _note_unwanted(self) -> None:
        wanted, there = pairs(self.life.reconciler.table), pairs(self.kernel.services)
        self.life.unwanted = {
            pair: self.life.unwanted.get(pair, self.now) for pair in there - wanted
        }

    def _wrote_only_what_differs(self, operations: Iterable[Operation]) -> None:
        """After a look at everything each operation changes what it touches."""
        scratch = Kernel(services=dict(self.kernel.services))
        for operation in steps(operations):
            before = dict(scratch.services)
            assert scratch.write(operation) == "", operation.describe()
            assert scratch.services != before, operation.describe()

    # --- promises ------------------------------------------------------------------------------

    @invariant()
    def what_is_foreign_is_never_touched(self) -> None:
        foreign = {k: have for k, have in self.kernel.services.items() if not MANAGED.owns(k)}
        assert foreign == self.foreign

    @invariant()
    def the_reconciler_s_books_agree(self) -> None:
        reconciler = self.life.reconciler
        owners = {
            key: name
            for name in {*self.life.board.services(), *strategies_names()}
            for key in reconciler.entries_of(name)
        }
        assert owners.keys() == reconciler.table.keys()
        for key in reconciler.table:
            assert MANAGED.owns(key)
            if isinstance(key, AddressKey):
                assert key in reconciler.entries_at(key.address)

    @rule()
    def all_becomes_quiet(self) -> None:
        """Everybody speaks, nothing fails, time passes: the kernel is what the sources say."""
        self.policy.broken.clear()
        self.life.output.fails = lambda _: ""
        for name in SOURCES:
            self.speak(name)
        self.life.board.mark_all()
        self.life.reconcile()
        for _ in range(4):
            self.look_at_everything()
            self.now += RULES.deadline
        assert self.life.reconciler.table == self._from_scratch()
        services = self.kernel.services
        mine = {key: have for key, have in services.items() if MANAGED.owns(key)}
        assert mine == self.life.reconciler.table
        assert self._apply(None) == []
        assert not self.life.output.drains

    def _from_scratch(self) -> dict[ServiceKey, VirtualService]:
        fresh = Life(Kernel(), self.policy, self.drained)
        for name in SOURCES:
            # In another order: what was first known first must not show.
            fresh.ends[name].replace(reversed(self.truth[name].values()))
        fresh.reconcile()
        return fresh.reconciler.table

    def teardown(self) -> None:
        self.all_becomes_quiet()


def strategies_names() -> list[str]:
    return ["api", "dns", "web"]


def taken_away(
    operation: Operation,
    table: dict[ServiceKey, VirtualService],
    known: dict[ServiceKey, VirtualService],
) -> list[Pair]:
    """Destinations that an operation removes or begins to drain."""
    key = operation.subject
    assert key is not None
    wanted: Iterable[DestinationKey] = table[key].destinations if key in table else ()
    match operation:
        case DeleteService():
            return [(key, target) for target in known[key].destinations]
        case DeleteDestination():
            return [(key, operation.key)]
        case EditDestination() if operation.key not in wanted:
            return [(key, operation.key)]
    return []


TestDirector = pytest.mark.timeout(120)(Director.TestCase)
TestDirector.settings = settings(max_examples=3 * EXAMPLES, stateful_step_count=40, deadline=None)
