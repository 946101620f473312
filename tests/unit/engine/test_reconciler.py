from __future__ import annotations

from collections.abc import Callable, Collection

import pytest
import trio

from clusterf.engine.board import Board
from clusterf.engine.reconciler import Reconciler, Rules
from clusterf.model.defaults import Defaults
from clusterf.model.provenance import Refusal
from clusterf.model.scope import Scope
from clusterf.model.service import BackendRef, Facts, Service, ServiceRef
from clusterf.model.table import ServiceKey
from clusterf.pipeline.decide import NamedPolicy
from clusterf.pipeline.override import Drained
from tests.strategies import MANAGED, backend, frontend, route, spec, target, tcp


class Watches:
    """A policy that sees what is asked of it, and fails or refuses for some services."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.facts = Facts()
        self.broken: set[str] = set()
        self.refused: set[str] = set()
        self.when_asked: dict[str, Callable[[], None]] = {}

    def apply(self, service: Service, facts: Facts) -> Service | Refusal:
        self.asked.append(service.name)
        self.when_asked.get(service.name, lambda: None)()
        self.facts = facts
        if service.name in self.broken:
            raise ZeroDivisionError(service.name)
        if service.name in self.refused:
            return Refusal(f"service {service.name}", "not_admitted", "nobody may")
        return service


class World:
    """Sources ``a`` and ``b`` on a board, a policy, a reconciler, and what it told."""

    def __init__(self, *, synced: bool = True) -> None:
        self.board = Board()
        self.board.arrange(["a", "b"])
        self.told: list[Collection[ServiceKey]] = []
        self.reconciler = Reconciler(self.board, self.told.append)
        self.policy = Watches()
        self.configure()
        self.a = self.board.publisher("a", lambda: None)
        self.b = self.board.publisher("b", lambda: None)
        if synced:
            self.a.replace([])
            self.b.replace([])

    def configure(self, defaults: Defaults = Defaults(), scope: Scope = MANAGED) -> None:  # noqa: B008 - a value
        self.reconciler.configure(Rules([NamedPolicy("policies[0]", self.policy)], defaults, scope))

    async def settle(self) -> set[ServiceKey]:
        """Reconcile what is marked; the entries that changed."""
        return await self.reconciler.reconcile(self.board.take())

    def reasons(self, service: str) -> list[str]:
        return [refusal.reason for refusal in self.reconciler.refusals.get(service, ())]


@pytest.fixture
def world() -> World:
    return World()


# --- the cost of a change ----------------------------------------------------------------------


async def test_only_the_changed_service_is_computed(world: World) -> None:
    world.a.put(spec("web", frontend()), spec("api", frontend("192.0.2.2")))
    await world.settle()
    world.policy.asked.clear()
    world.a.put(backend("b1"))
    assert await world.settle() == {tcp()}
    assert world.policy.asked == ["web"]
    assert world.told[-1] == {tcp()}


async def test_a_record_that_changes_no_entry_tells_nobody(world: World) -> None:
    world.a.put(spec("web", frontend()), backend("b1", labels={"a": "1"}))
    await world.settle()
    told = len(world.told)
    world.a.put(backend("b1", labels={"a": "2"}))
    assert await world.settle() == set()
    assert len(world.told) == told


async def test_the_reasons_in_the_table_are_fresh_even_so(world: World) -> None:
    world.a.put(spec("web", frontend()), backend("b1", weight=0))
    await world.settle()
    world.a.put(backend("b1", weight=0, quiesced="unhealthy"))
    assert await world.settle() == set()
    because = world.reconciler.table[tcp()].destinations[target(1)].because
    assert "unhealthy" in str(because)


async def test_policies_know_the_routes_and_the_time(world: World) -> None:
    world.a.put(spec("web", frontend()), route("r"))
    await world.settle()
    assert [one.name for one in world.policy.facts.routes] == ["r"]
    assert world.policy.facts.now == pytest.approx(trio.current_time(), abs=5.0)


class Turns(trio.abc.Instrument):
    """How many services had been computed each time the scheduler took the task's place."""

    def __init__(self, task: trio.lowlevel.Task, asked: list[str]) -> None:
        self.seen: list[int] = []
        self._task = task
        self._asked = asked

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self._task:
            self.seen.append(len(self._asked))


async def test_other_tasks_get_their_turn_in_a_large_pass(world: World) -> None:
    world.a.replace(spec(f"s{i}") for i in range(1000))
    turns = Turns(trio.lowlevel.current_task(), world.policy.asked)
    trio.lowlevel.add_instrument(turns)
    await world.settle()
    trio.lowlevel.remove_instrument(turns)
    assert turns.seen == [200, 400, 600, 800, 1000]


# --- entries -----------------------------------------------------------------------------------


async def test_an_entry_is_found_by_service_and_by_address(world: World) -> None:
    world.a.put(spec("web", frontend(tcp=80), frontend(tcp=81)))
    await world.settle()
    assert world.reconciler.service_of(tcp(port=81)) == "web"
    assert world.reconciler.entries_of("web") == (tcp(port=80), tcp(port=81))
    assert world.reconciler.entries_at(tcp().address) == {tcp(port=80), tcp(port=81)}
    world.a.put(spec("web", frontend(tcp=81)))
    assert await world.settle() == {tcp(port=80)}
    assert world.reconciler.entries_at(tcp().address) == {tcp(port=81)}
    world.a.drop(ServiceRef("web"))
    await world.settle()
    assert not world.reconciler.entries_at(tcp().address)
    assert world.reconciler.entries_of("web") == ()
    assert world.reconciler.service_of(tcp(port=81)) is None
    assert world.reconciler.table == {}


async def test_new_rules_look_at_every_service_again(world: World) -> None:
    world.a.put(spec("web", frontend()), backend("b1"))
    await world.settle()
    world.configure(Defaults(weight=3))
    assert await world.settle() == {tcp()}
    assert world.reconciler.table[tcp()].destinations[target(1)].weight == 3
    world.configure(scope=Scope())
    assert await world.settle() == {tcp()}
    assert world.reconciler.table == {}
    assert world.reasons("web") == ["outside_managed"]


async def test_new_rules_also_look_at_services_whose_source_is_gone(world: World) -> None:
    world.a.put(spec("web", frontend()))
    await world.settle()
    world.board.arrange(["b"])
    world.board.take()
    world.configure()
    await world.settle()
    assert world.reconciler.table == {}


async def test_an_operator_s_order_beats_sources_and_policies(world: World) -> None:
    world.a.put(spec("web", frontend()), backend("b1"))
    world.reconciler.drained[Drained("web")] = "drained by operator"
    await world.settle()
    destination = world.reconciler.table[tcp()].destinations[target(1)]
    assert (destination.weight, str(destination.because)) == (
        0,
        "sources.test: drained by operator",
    )


# --- refusals ----------------------------------------------------------------------------------


async def test_refusals_appear_once_in_the_log_and_vanish(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.a.put(spec("web", frontend("203.0.113.1")))
    await world.settle()
    world.a.put(spec("web", frontend("203.0.113.1"), weight=3))
    await world.settle()
    assert world.reasons("web") == ["outside_managed"]
    assert len([line for line in caplog.messages if "reason=outside_managed" in line]) == 1
    world.a.put(spec("web", frontend()))
    await world.settle()
    assert world.reconciler.refusals == {}


async def test_a_policy_may_refuse_the_whole_service(world: World) -> None:
    world.a.put(spec("web", frontend()))
    await world.settle()
    world.policy.refused.add("web")
    world.board.mark("web")
    assert await world.settle() == {tcp()}
    assert world.reasons("web") == ["not_admitted"]
    assert world.reconciler.table == {}


# --- claims ------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["a", "b"])
async def test_the_earlier_in_the_configuration_keeps_the_entry(world: World, first: str) -> None:
    for name in (first, {"a": "b", "b": "a"}[first]):
        service = {"a": "web", "b": "api"}[name]
        end = {"a": world.a, "b": world.b}[name]
        end.put(spec(service, frontend()), backend("b1", service=service, weight=ord(name)))
        await world.settle()
    assert world.reconciler.service_of(tcp()) == "web"
    assert world.reconciler.table[tcp()].destinations[target(1)].weight == ord("a")
    assert world.reasons("api") == ["duplicate_vip"]
    assert world.reasons("web") == []
    refusal = world.reconciler.refusals["api"][0]
    assert "belongs to service web" in refusal.detail
    assert refusal.provenance is not None


async def test_an_entry_that_is_given_up_goes_to_who_waits(world: World) -> None:
    world.a.put(spec("web", frontend()))
    world.b.put(spec("api", frontend(), weight=3), backend("b1", service="api"))
    await world.settle()
    world.a.drop(ServiceRef("web"))
    assert await world.settle() == {tcp()}
    assert world.reconciler.service_of(tcp()) == "api"
    assert world.reconciler.entries_of("api") == (tcp(),)
    assert world.reconciler.table[tcp()].destinations
    assert world.reconciler.refusals == {}


async def test_two_claimants_that_leave_together_leave_nothing(world: World) -> None:
    world.a.put(spec("web", frontend()))
    world.b.put(spec("api", frontend()))
    await world.settle()
    world.a.drop(ServiceRef("web"))
    world.b.drop(ServiceRef("api"))
    assert await world.settle() == {tcp()}
    assert world.reconciler.table == {}
    assert not world.reconciler.entries_at(tcp().address)


async def test_an_entry_does_not_stay_with_the_backends_of_who_gave_it_up(world: World) -> None:
    world.a.put(spec("web", frontend()), backend("b1"))
    world.b.put(spec("api", frontend()))
    await world.settle()
    world.policy.broken.add("api")
    world.a.replace([])
    assert await world.settle() == {tcp()}
    assert world.reconciler.table == {}
    world.policy.broken.clear()
    world.board.mark("api")
    assert await world.settle() == {tcp()}
    assert world.reconciler.service_of(tcp()) == "api"


# --- policies that fail -------------------------------------------------------------------------


async def test_a_service_whose_policy_fails_stays_as_it_was(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.a.put(spec("web", frontend()), backend("b1"))
    await world.settle()
    before = dict(world.reconciler.table)
    world.policy.broken.add("web")
    world.a.put(backend("b1", weight=1), spec("api", frontend("192.0.2.2")))
    assert await world.settle() == {tcp("192.0.2.2")}
    assert world.reconciler.table[tcp()] is before[tcp()]
    assert str(world.reconciler.failures["web"]) == "policies[0]: failed on service web"
    assert "ZeroDivisionError" in caplog.text
    caplog.clear()
    world.board.mark("web")
    await world.settle()
    assert caplog.messages == []


async def test_once_the_policy_works_again_the_service_follows(world: World) -> None:
    world.a.put(spec("web", frontend()), backend("b1"))
    await world.settle()
    world.policy.broken.add("web")
    world.a.put(backend("b1", weight=1))
    await world.settle()
    world.policy.broken.clear()
    world.board.mark("web")
    assert await world.settle() == {tcp()}
    assert world.reconciler.failures == {}
    assert world.reconciler.table[tcp()].destinations[target(1)].weight == 1


async def test_a_service_that_leaves_takes_its_failure_with_it(world: World) -> None:
    world.policy.broken.add("web")
    world.a.put(spec("web", frontend()))
    await world.settle()
    world.a.drop(ServiceRef("web"))
    await world.settle()
    assert world.reconciler.failures == {}
    assert world.reconciler.unknown is None


async def test_a_record_that_breaks_the_pipeline_takes_no_other_with_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    nonsense = backend("b1", ports=None)
    world.a.put(spec("web", frontend()), nonsense, spec("api", frontend("192.0.2.2")))
    assert await world.settle() == {tcp("192.0.2.2")}
    assert list(world.reconciler.failures) == ["web"]
    assert "TypeError" in caplog.text


# --- unknown is not empty -----------------------------------------------------------------------


async def test_silent_sources_are_unknown() -> None:
    world = World(synced=False)
    assert world.reconciler.unknown == "a, b have not spoken yet"
    world.a.replace([])
    await world.settle()
    assert world.reconciler.unknown == "b has not spoken yet"


async def test_a_source_is_known_only_after_the_pass_that_took_its_records() -> None:
    world = World(synced=False)
    world.a.replace([])
    await world.settle()
    world.b.replace([spec("web", frontend())])
    assert world.reconciler.unknown == "b has not spoken yet"
    await world.settle()
    assert world.reconciler.unknown is None
    assert tcp() in world.reconciler.table


async def test_a_source_that_speaks_in_the_middle_of_a_pass_waits_for_the_next() -> None:
    world = World(synced=False)
    world.a.replace(spec(f"s{i}") for i in range(400))
    world.policy.when_asked["s7"] = lambda: world.b.replace([spec("web", frontend())])
    await world.settle()
    assert world.reconciler.unknown == "b has not spoken yet"
    await world.settle()
    assert world.reconciler.unknown is None


async def test_a_service_that_no_policy_has_ever_let_through_is_unknown(world: World) -> None:
    world.policy.broken.add("web")
    world.a.put(spec("web", frontend()))
    await world.settle()
    assert world.reconciler.unknown == "policies[0]: failed on service web"
    world.policy.broken.clear()
    world.board.mark("web")
    await world.settle()
    assert world.reconciler.unknown is None


async def test_a_service_that_fails_later_is_known(world: World) -> None:
    world.a.put(spec("web", frontend()))
    await world.settle()
    world.policy.broken.add("web")
    world.board.mark("web")
    await world.settle()
    assert world.reconciler.unknown is None


async def test_what_leaves_while_something_is_unknown_is_remembered_until_all_is_known() -> None:
    world = World(synced=False)
    world.a.replace([spec("web", frontend()), backend("b1"), backend("b2", 2)])
    await world.settle()
    world.a.drop(BackendRef("web", "b1"))
    await world.settle()
    departed = world.reconciler.departed
    assert departed(tcp(), target(1))
    assert not departed(tcp(), target(2))
    assert not departed(tcp(), None)
    world.a.replace([])
    await world.settle()
    assert departed(tcp(), target(2))
    assert departed(tcp(), None)
    world.b.replace([])
    await world.settle()
    assert not departed(tcp(), target(1))


async def test_when_all_is_known_nothing_is_remembered(world: World) -> None:
    await world.settle()
    world.a.put(spec("web", frontend()))
    await world.settle()
    world.a.replace([])
    await world.settle()
    assert not world.reconciler.departed(tcp(), None)
