from __future__ import annotations

from clusterf.model.address import Family
from clusterf.model.operation import EditDestination
from clusterf.model.table import Connections, FwmarkKey, ServiceKey
from clusterf.pipeline.drain import Drain, DrainRules, Drains, Step, drain
from tests.strategies import destination, target, tcp, udp

RULES = DrainRules(deadline=300.0, poll=1.0)
LIVE, QUIESCED = destination(10, upper_threshold=7), destination(0)


def step(
    now: float,
    began: Drains,
    *,
    have: object = QUIESCED,
    connections: int | None = 1,
    key: ServiceKey = tcp(),  # noqa: B008 - a value
    rules: DrainRules = RULES,
) -> Step:
    counters = {} if connections is None else {(key, target()): Connections(0, connections)}
    return drain(Drain(counters, began, rules, now), key, target(), have)  # type: ignore[arg-type]


def test_it_begins_with_weight_0_and_nothing_else_changed() -> None:
    began: Drains = {}
    first = step(100.0, began, have=LIVE)
    assert isinstance(first.quiesce, EditDestination)
    assert first.quiesce.destination == destination(0, upper_threshold=7)
    assert "at most 300s" in first.quiesce.reason()
    assert (first.end, first.again) == (None, 101.0)
    assert began == {(tcp(), target()): 100.0}


def test_it_waits_for_the_connections() -> None:
    began: Drains = {(tcp(), target()): 100.0}
    assert step(150.0, began) == Step(again=151.0)
    assert began == {(tcp(), target()): 100.0}


def test_it_ends_when_no_connections_are_left() -> None:
    began: Drains = {(tcp(), target()): 100.0}
    last = step(150.0, began, connections=0)
    assert last.end is not None
    assert last.end.key == target()
    assert "no connections" in last.end.reason()
    assert not began


def test_active_connections_count_as_well() -> None:
    world = Drain({(tcp(), target()): Connections(1, 0)}, {}, RULES, 0.0)
    assert drain(world, tcp(), target(), QUIESCED).end is None


def test_unknown_counters_are_not_zero() -> None:
    assert step(150.0, {(tcp(), target()): 100.0}, connections=None) == Step(again=151.0)


def test_it_ends_at_the_deadline_whatever_is_left() -> None:
    began: Drains = {(tcp(), target()): 100.0}
    assert step(399.5, began) == Step(again=400.0)
    last = step(400.0, began)
    assert last.end is not None
    assert "300s has passed" in last.end.reason()
    assert not began


def test_a_live_destination_is_quiesced_even_after_its_deadline() -> None:
    late = step(500.0, {(tcp(), target()): 100.0}, have=LIVE)
    assert late.quiesce is not None
    assert late.end is None


def test_after_a_restart_the_deadline_starts_anew() -> None:
    began: Drains = {}
    assert step(1000.0, began).end is None
    assert began == {(tcp(), target()): 1000.0}


def test_udp_goes_at_once() -> None:
    began: Drains = {}
    only = step(0.0, began, have=LIVE, key=udp())
    assert only.end is not None
    assert only.quiesce is None
    assert not began


def test_a_firewall_mark_drains() -> None:
    mark = FwmarkKey(Family.INET, 1)
    assert step(0.0, {}, have=LIVE, key=mark).quiesce is not None


def test_without_a_deadline_there_is_no_drain() -> None:
    only = step(0.0, {}, have=LIVE, rules=DrainRules(deadline=0.0))
    assert only.end is not None
    assert "drains are off" in only.end.reason()


def test_a_drain_can_be_forgotten() -> None:
    began: Drains = {(tcp(), target()): 1.0}
    world = Drain({}, began, RULES, 5.0)
    world.forget(tcp(), target())
    world.forget(tcp(), target())
    assert not began
