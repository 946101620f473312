"""Laws of the way from records to the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import trio
from hypothesis import given
from hypothesis import strategies as st

from clusterf.engine.board import Board
from clusterf.engine.reconciler import Reconciler, Rules
from clusterf.model.service import Record, Ref
from tests import strategies
from tests.strategies import MANAGED

SOURCES = ("s1", "s2", "s3")
Known: TypeAlias = dict[str, dict[Ref, Record]]

sources = st.sampled_from(SOURCES)
said = st.lists(strategies.records, max_size=8).map(
    lambda records: list({record.ref: record for record in records}.values())
)
acts = st.one_of(
    st.tuples(st.just("put"), sources, strategies.records),
    st.tuples(st.just("drop"), sources, strategies.records.map(lambda record: record.ref)),
    st.tuples(st.just("replace"), sources, said),
    st.tuples(st.just("reconcile"), sources, st.none()),
)


class World:
    """A board and its reconciler, without a running engine."""

    def __init__(self) -> None:
        self.board = Board()
        self.board.arrange(SOURCES)
        self.reconciler = Reconciler(self.board, lambda _: None)
        self.reconciler.configure(Rules(scope=MANAGED))
        self.ends = {name: self.board.publisher(name, lambda: None) for name in SOURCES}

    def reconcile(self) -> None:
        trio.run(self.reconciler.reconcile, self.board.take())


def key_of(record: Record) -> tuple[type, Ref]:
    """A service and a route of one name have equal refs."""
    return type(record.ref), record.ref


def from_scratch(known: dict[str, dict[tuple[type, Ref], Record]]) -> World:
    world = World()
    for name, records in known.items():
        world.ends[name].replace(records.values())
    world.reconcile()
    return world


@given(st.lists(acts, max_size=25))
def test_what_was_reached_step_by_step_is_what_is_reached_from_scratch(
    history: Sequence[tuple[str, str, Any]],
) -> None:
    world = World()
    known: dict[str, dict[tuple[type, Ref], Record]] = {name: {} for name in SOURCES}
    for act, name, what in history:
        match act:
            case "put":
                world.ends[name].put(what)
                known[name][key_of(what)] = what
            case "drop":
                world.ends[name].drop(what)
                known[name].pop((type(what), what), None)
            case "replace":
                world.ends[name].replace(what)
                known[name] = {key_of(record): record for record in what}
            case _:
                world.reconcile()
    world.reconcile()
    fresh = from_scratch(known)
    assert world.reconciler.table == fresh.reconciler.table
    assert world.reconciler.refusals == fresh.reconciler.refusals
    for key in fresh.reconciler.table:
        assert world.reconciler.service_of(key) == fresh.reconciler.service_of(key)
        assert key in world.reconciler.entries_of(world.reconciler.service_of(key) or "")


@given(st.data(), st.lists(st.tuples(sources, strategies.records), max_size=12))
def test_nothing_depends_on_the_order_of_publication(
    data: st.DataObject, said: list[tuple[str, Record]]
) -> None:
    latest = {(name, key_of(record)): (name, record) for name, record in said}
    worlds = []
    for order in (list(latest.values()), data.draw(st.permutations(list(latest.values())))):
        world = World()
        for name, record in order:
            world.ends[name].put(record)
            if data.draw(st.booleans()):
                world.reconcile()
        world.reconcile()
        worlds.append(world)
    first, second = worlds
    assert first.reconciler.table == second.reconciler.table
    assert first.reconciler.refusals == second.reconciler.refusals


@given(said)
def test_publishing_the_same_again_marks_nothing(records: list[Record]) -> None:
    world = World()
    world.ends["s1"].replace(records)
    world.reconcile()
    world.ends["s1"].replace(list(records))
    world.ends["s1"].put(*records)
    assert world.board.take() == []


@given(said)
def test_reconciling_again_changes_nothing(records: list[Record]) -> None:
    world = World()
    world.ends["s1"].replace(records)
    world.reconcile()
    assert trio.run(world.reconciler.reconcile, world.board.services()) == set()


@given(said, said)
def test_taking_everything_back_leaves_nothing(first: list[Record], second: list[Record]) -> None:
    world = World()
    world.ends["s1"].replace(first)
    world.ends["s2"].replace(second)
    world.reconcile()
    world.ends["s1"].replace([])
    world.ends["s2"].replace([])
    world.reconcile()
    assert world.reconciler.table == {}
    assert world.reconciler.refusals == {}
