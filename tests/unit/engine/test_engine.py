# ruff: noqa: ARG001, ARG005 - the clock is named for pytest-trio; protocols name the rest
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from clusterf.config.configuration import Configuration, Instance
from clusterf.engine.engine import Engine
from clusterf.engine.supervisor import State
from clusterf.model.defaults import Defaults
from clusterf.model.errors import ClusterfError, OutputUnavailable, SourceUnavailable
from clusterf.model.provenance import Provenance
from clusterf.model.service import Route
from clusterf.pipeline.override import Drained
from clusterf.plugin.api import Publisher
from tests.strategies import backend, entry, target, tcp, udp
from tests.unit.engine.stage import API, WEB, NamedOutput, Stage, Talker, quiet, weights

# --- from record to kernel -----------------------------------------------------------------------


async def test_what_a_source_says_arrives_in_the_kernel(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [*WEB]
    async with stage.running(stage.configuration(stage.source("a"), stage.output("k"))) as engine:
        await engine.started.wait()
        await quiet()
        assert stage.kernel.services == {tcp(): entry(10, 10)}
        stage.sources["sources.a"].speak(*WEB, *API)
        await quiet()
        assert set(stage.kernel.services) == {tcp(), tcp("192.0.2.2")}
        assert engine.journal.done == {"outputs.k": 5}


async def test_a_policy_that_fails_changes_nothing_in_the_kernel(
    stage: Stage, autojump_clock: MockClock
) -> None:
    """Also when it fails from the start, and all that is known of the service is in the kernel."""
    stage.says["sources.a"] = [*WEB]
    stage.kernel.services = {tcp(): entry(10, 10)}
    stage.broken_policy = True
    configuration = stage.configuration(stage.source("a"), stage.policy(), stage.output("k"))
    async with stage.running(configuration) as engine:
        await quiet()
        assert stage.kernel.writes == []
        assert engine.runners()[0].held == {tcp(): "policies[0]: failed on service web"}
        stage.kernel.services[udp()] = entry(1)
        stage.broken_policy = False
        engine.board.mark_all()
        await quiet()
        await trio.sleep(60)
        assert stage.kernel.services == {tcp(): entry(10, 10)}


# --- start --------------------------------------------------------------------------------------


async def test_outputs_start_after_the_first_pass(stage: Stage, autojump_clock: MockClock) -> None:
    stage.says = {"sources.a": [*WEB], "sources.b": None}
    configuration = stage.configuration(
        stage.source("a"), stage.source("b"), stage.output("k"), start_wait=5.0
    )
    async with stage.running(configuration) as engine:
        await trio.sleep(4)
        assert "outputs.k looks" not in stage.happened
        assert not engine.started.is_set()
        await trio.sleep(2)
        assert engine.started.is_set()
        assert tcp() in stage.kernel.services


async def test_nobody_waits_for_sources_that_have_all_spoken(
    stage: Stage, autojump_clock: MockClock
) -> None:
    configuration = stage.configuration(stage.source("a"), stage.output("k"), start_wait=1000.0)
    began = trio.current_time()
    async with stage.running(configuration) as engine:
        await engine.started.wait()
        assert trio.current_time() - began < 1


async def test_a_source_that_fails_is_tried_again_and_holds_back_nobody(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says = {"sources.a": [*WEB], "sources.b": [*API]}
    stage.down["sources.b"] = SourceUnavailable("the API is away")
    configuration = stage.configuration(stage.source("a"), stage.source("b"), stage.output("k"))
    async with stage.running(configuration) as engine:
        await trio.sleep(20)
        assert list(stage.kernel.services) == [tcp()]
        assert engine.sources["sources.a"].health.state is State.RUNNING
        assert engine.sources["sources.b"].health.state is State.DOWN
        assert engine.sources["sources.b"].health.failures > 3
        stage.down.clear()
        await trio.sleep(60)
        assert engine.sources["sources.b"].health.state is State.RUNNING
        assert len(stage.kernel.services) == 2


@pytest.mark.parametrize("failing", ["sources.a", "outputs.k"])
async def test_what_must_start_ends_the_program(
    stage: Stage, autojump_clock: MockClock, failing: str
) -> None:
    stage.down[failing] = OutputUnavailable("no module ip_vs", hint="modprobe ip_vs")
    configuration = stage.configuration(
        stage.source("a", startup_error="fail"), stage.output("k", startup_error="fail")
    )
    with pytest.RaisesGroup(OutputUnavailable, flatten_subgroups=True, allow_unwrapped=True):
        await Engine(configuration).run()
    assert stage.outputs["outputs.k"].closed == (failing == "outputs.k")


async def test_after_its_start_a_failure_ends_nothing(
    stage: Stage, autojump_clock: MockClock
) -> None:
    configuration = stage.configuration(
        stage.source("a"), stage.output("k", startup_error="fail", look=5.0)
    )
    async with stage.running(configuration) as engine:
        await quiet()
        stage.down["outputs.k"] = OutputUnavailable("no module ip_vs")
        await trio.sleep(20)
        assert engine.outputs["outputs.k"].health.state is State.DOWN


# --- end ----------------------------------------------------------------------------------------


async def test_it_ends_in_order_and_leaves_the_world_as_it_is(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [*WEB]
    configuration = stage.configuration(stage.source("a"), stage.output("k"))
    async with stage.running(configuration):
        await quiet()
        before = dict(stage.kernel.services)
        stage.happened.clear()
    assert stage.happened == ["sources.a ends", "outputs.k closes"]
    assert stage.kernel.services == before


async def test_cancelling_ends_it_as_well(stage: Stage, autojump_clock: MockClock) -> None:
    engine = Engine(stage.configuration(stage.source("a"), stage.output("k")))
    with trio.move_on_after(10) as scope:
        await engine.run()
    assert scope.cancelled_caught
    assert stage.happened[-1] == "outputs.k closes"


async def test_it_runs_on_when_all_sources_are_final(
    stage: Stage, autojump_clock: MockClock
) -> None:
    class Final(Talker):
        async def run(self, publish: Publisher) -> None:
            publish.replace(WEB)

    stage.make_source = lambda settings, context: Final(stage, context.name)  # type: ignore[method-assign]
    async with stage.running(stage.configuration(stage.source("a"), stage.output("k"))) as engine:
        await trio.sleep(100)
        assert engine.sources["sources.a"].health.state is State.FINISHED
        assert weights(stage, tcp()) == [10, 10]


# --- unknown is not empty ------------------------------------------------------------------------


async def test_what_a_silent_source_may_own_stays_until_it_has_spoken(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says = {"sources.a": [*WEB], "sources.b": None}
    stage.kernel.services = {tcp(): entry(10, 10), tcp("192.0.2.2"): entry(10), udp(): entry(1)}
    configuration = stage.configuration(
        stage.source("a"), stage.source("b"), stage.output("k", look=7.0)
    )
    async with stage.running(configuration) as engine:
        await trio.sleep(100)
        assert stage.kernel.writes == []
        assert engine.desired.hold == "sources.b has not spoken yet"
        stage.sources["sources.b"].speak(*API)
        await trio.sleep(1)
        assert engine.desired.hold is None
        assert weights(stage, tcp("192.0.2.2")) == [10]
        assert udp() not in stage.kernel.services
    assert [operation.describe() for operation in stage.kernel.writes] == ["-D -u 192.0.2.1:53"]


async def test_a_source_that_ended_without_having_spoken_removes_nothing_and_is_told(
    stage: Stage, autojump_clock: MockClock
) -> None:
    class Mute(Talker):
        async def run(self, publish: Publisher) -> None:
            publish.put(*WEB)

    stage.make_source = lambda settings, context: Mute(stage, context.name)  # type: ignore[method-assign]
    stage.kernel.services = {udp(): entry(1)}
    async with stage.running(stage.configuration(stage.source("a"), stage.output("k"))) as engine:
        await trio.sleep(100)
        health = engine.sources["sources.a"].health
        assert (health.state, health.bug) == (State.DOWN, True)
        assert engine.desired.hold == "sources.a has not spoken yet"
        assert weights(stage, tcp()) == [10, 10]
        assert udp() in stage.kernel.services


async def test_a_look_between_the_word_and_its_pass_removes_nothing(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says = {"sources.a": [*WEB], "sources.b": None}
    stage.kernel.services = {tcp("192.0.2.2"): entry(10)}
    configuration = stage.configuration(stage.source("a"), stage.source("b"), stage.output("k"))
    async with stage.running(configuration) as engine:
        await trio.sleep(10)
        stage.sources["sources.b"].speak(*API)
        [runner] = engine.runners()
        await runner.once()
        assert weights(stage, tcp("192.0.2.2")) == [10]
    assert all("192.0.2.2" not in operation.describe() for operation in stage.kernel.writes)


async def test_what_certainly_left_goes_even_so(stage: Stage, autojump_clock: MockClock) -> None:
    stage.says = {"sources.a": [*WEB], "sources.b": None}
    configuration = stage.configuration(stage.source("a"), stage.source("b"), stage.output("k"))
    async with stage.running(configuration):
        await trio.sleep(10)
        stage.sources["sources.a"].speak()
        await trio.sleep(10)
        assert stage.kernel.services == {}


async def test_when_the_silent_source_is_removed_nothing_is_held_any_more(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says = {"sources.b": None}
    stage.kernel.services = {udp(): entry(1)}
    output = stage.output("k", look=1e6)
    async with stage.running(stage.configuration(stage.source("b"), output)) as engine:
        await trio.sleep(10)
        assert udp() in stage.kernel.services
        await engine.exchange(stage.configuration(output))
        await quiet()
        assert stage.kernel.services == {}


# --- outputs that follow -------------------------------------------------------------------------


async def test_who_follows_is_asked_again_when_the_data_plane_has_moved_on(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [*WEB]
    configuration = stage.configuration(
        stage.source("a"), stage.follower("v", look=1e6), stage.output("k", look=1e6)
    )
    async with stage.running(configuration):
        await quiet()
        assert stage.happened[-1] == "vip serves"
        stage.kernel.connections[tcp(), target(1)] = 1
        stage.sources["sources.a"].speak()
        await quiet()
        assert stage.happened[-1] == "vip held"
        stage.kernel.connections.clear()
        await quiet()
        assert stage.happened[-1] == "vip free"


async def test_a_vip_is_never_free_before_the_data_plane_has_looked(
    stage: Stage, autojump_clock: MockClock
) -> None:
    """Neither at a restart nor while a reload exchanges the data plane."""
    stage.says["sources.a"] = [*WEB]
    stage.kernel.services = {tcp(): entry(10, 10)}
    follower = stage.follower("v", look=0.5)
    configuration = stage.configuration(stage.source("a"), follower, stage.output("k"))
    async with stage.running(configuration) as engine:
        await quiet()
        assert stage.happened[-1] == "vip serves"
        stage.down["outputs.k"] = OutputUnavailable("no module ip_vs")
        changed = stage.output("k", word="other")
        await engine.exchange(stage.configuration(stage.source("a"), follower, changed))
        await trio.sleep(10)
        assert stage.happened[-1] == "vip held"
        stage.down.clear()
        await trio.sleep(10)
        assert stage.happened[-1] == "vip serves"
    assert "vip free" not in stage.happened


async def test_a_vip_is_not_free_while_data_planes_are_being_exchanged(
    stage: Stage, autojump_clock: MockClock
) -> None:
    class SlowToClose(NamedOutput):
        async def close(self) -> None:
            await trio.sleep(4)

    def configuration(word: str) -> Configuration:
        planes = [stage.output("k", word), stage.output("l", word)]
        return stage.configuration(stage.source("a"), follower, *planes)

    stage.says["sources.a"] = [*WEB]
    stage.make_output = lambda settings, context: SlowToClose(stage, context.name)  # type: ignore[method-assign]
    follower = stage.follower("v", look=0.5)
    async with stage.running(configuration("")) as engine:
        await quiet()
        await engine.exchange(configuration("other"))
        await quiet()
        assert stage.happened[-1] == "vip serves"
        assert engine.outputs["outputs.v"].health.failures == 0
    assert "vip free" not in stage.happened


# --- reload -------------------------------------------------------------------------------------


async def test_a_reload_exchanges_only_what_differs(
    stage: Stage, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "clusterf.engine")
    stage.says = {"sources.a": [*WEB], "sources.b": [*API]}
    a, k = stage.source("a"), stage.output("k")
    async with stage.running(stage.configuration(a, stage.source("b"), k)) as engine:
        await quiet()
        tasks = {**engine.sources, **engine.outputs}
        stage.happened.clear()
        await engine.exchange(stage.configuration(a, stage.source("b", "other"), k))
        await quiet()
        assert stage.happened == ["sources.b ends", "sources.b starts"]
        assert engine.sources["sources.a"] is tasks["sources.a"]
        assert engine.outputs["outputs.k"] is tasks["outputs.k"]
        assert engine.sources["sources.b"] is not tasks["sources.b"]
    assert "configuration in force started=1 ended=1" in caplog.messages


async def test_a_reload_that_changes_nothing_writes_nothing(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [*WEB]
    configuration = stage.configuration(stage.source("a"), stage.policy(), stage.output("k"))
    async with stage.running(configuration) as engine:
        await quiet()
        writes = len(stage.kernel.writes)
        await engine.exchange(configuration)
        await quiet()
        assert len(stage.kernel.writes) == writes


async def test_when_one_instance_cannot_be_made_everything_is_as_it_was(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [*WEB]
    before = stage.configuration(stage.source("a"), stage.output("k"))
    async with stage.running(before) as engine:
        await quiet()
        stage.happened.clear()
        bad = stage.configuration(
            stage.source("a", "other"), stage.source("z", "impossible"), stage.output("k", "other")
        )
        with pytest.raises(ClusterfError, match="cannot be made today"):
            await engine.exchange(bad)
        await quiet()
        assert stage.happened == []
        assert engine.configuration is before
        assert list(engine.sources) == ["sources.a"]
        stage.sources["sources.a"].name  # noqa: B018 - it is still there
        assert weights(stage, tcp()) == [10, 10]


async def test_the_records_of_a_removed_source_are_dropped_and_drained(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says = {"sources.a": [*WEB], "sources.b": [*API]}
    a, k = stage.source("a"), stage.output("k")
    async with stage.running(stage.configuration(a, stage.source("b"), k)) as engine:
        await quiet()
        stage.kernel.connections[tcp("192.0.2.2"), target(1)] = 1
        await engine.exchange(stage.configuration(a, k))
        await quiet()
        assert weights(stage, tcp("192.0.2.2")) == [0]
        assert weights(stage, tcp()) == [10, 10]
        await trio.sleep(310)
        assert list(stage.kernel.services) == [tcp()]


async def test_a_replaced_source_keeps_its_records_until_its_successor_speaks(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [*WEB]
    k = stage.output("k")
    async with stage.running(stage.configuration(stage.source("a"), k)) as engine:
        await quiet()
        stage.says["sources.a"] = None
        await engine.exchange(stage.configuration(stage.source("a", "other"), k))
        await trio.sleep(100)
        assert weights(stage, tcp()) == [10, 10]
        assert engine.desired.hold is None
        stage.sources["sources.a"].speak(*WEB[:2])
        await quiet()
        assert list(stage.kernel.services[tcp()].destinations) == [target(1)]


async def test_policies_and_defaults_are_taken_over_without_a_restart(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [*WEB]
    a, k = stage.source("a"), stage.output("k")
    async with stage.running(stage.configuration(a, k)) as engine:
        await quiet()
        stage.happened.clear()
        await engine.exchange(stage.configuration(a, k, defaults=Defaults(weight=3)))
        await quiet()
        assert weights(stage, tcp()) == [3, 3]
        await engine.exchange(stage.configuration(a, k, stage.policy("refuse")))
        await quiet()
        assert engine.reconciler.table == {}
        assert stage.happened == []


async def test_new_instances_start_and_a_replaced_output_adopts(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says = {"sources.a": [*WEB], "sources.b": [*API]}
    a = stage.source("a")
    async with stage.running(stage.configuration(a, stage.output("k"))) as engine:
        await quiet()
        writes = len(stage.kernel.writes)
        old = stage.outputs["outputs.k"]
        await engine.exchange(stage.configuration(a, stage.source("b"), stage.output("k", "other")))
        await quiet()
        assert old.closed
        assert stage.outputs["outputs.k"] is not old
        assert [one.describe()[:2] for one in stage.kernel.writes[writes:]] == ["-A", "-a"]


async def test_a_reload_before_the_start_loses_no_output(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says = {"sources.a": [*WEB], "sources.b": None}
    b, k = stage.source("b"), stage.output("k")
    async with stage.running(stage.configuration(b, k)) as engine:
        assert not engine.started.is_set()
        await engine.exchange(stage.configuration(stage.source("a"), b, k))
        await trio.sleep(30)
        assert weights(stage, tcp()) == [10, 10]


@pytest.mark.parametrize("failing", ["sources.z", "outputs.z"])
async def test_what_a_reload_adds_cannot_end_the_program(
    stage: Stage, autojump_clock: MockClock, failing: str
) -> None:
    a, k = stage.source("a"), stage.output("k")
    stage.down[failing] = OutputUnavailable("away")
    async with stage.running(stage.configuration(a, k)) as engine:
        await quiet()
        new: Callable[..., Instance[Any]] = stage.source if failing == "sources.z" else stage.output
        await engine.exchange(stage.configuration(a, k, new("z", startup_error="fail")))
        await trio.sleep(100)
        task = {**engine.sources, **engine.outputs}[failing]
        assert task.health.state is State.DOWN


# --- operator's orders ---------------------------------------------------------------------------


async def test_an_order_quiesces_and_outlives_a_restart(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [*WEB]
    configuration = stage.configuration(stage.source("a"), stage.output("k"))
    async with stage.running(configuration) as engine:
        await quiet()
        engine.drain(Drained("web", "b1"), "drained by operator")
        await quiet()
        assert weights(stage, tcp()) == [0, 10]
    async with stage.running(configuration) as engine:
        await quiet()
        assert weights(stage, tcp()) == [0, 10]
        assert engine.undrain(Drained("web", "b1"))
        assert not engine.undrain(Drained("web", "b1"))
        await quiet()
        assert weights(stage, tcp()) == [10, 10]
    assert json.loads((stage.state_dir / "drained.json").read_text()) == []


async def test_orders_that_cannot_be_read_do_not_stop_the_start(
    stage: Stage, autojump_clock: MockClock
) -> None:
    (stage.state_dir / "drained.json").write_text("{")
    stage.says["sources.a"] = [*WEB]
    async with stage.running(stage.configuration(stage.source("a"), stage.output("k"))):
        await quiet()
        assert weights(stage, tcp()) == [10, 10]


async def test_an_order_holds_even_if_it_cannot_be_written_down(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [*WEB]
    (stage.state_dir / "drained.new").mkdir()
    async with stage.running(stage.configuration(stage.source("a"), stage.output("k"))) as engine:
        await quiet()
        with pytest.raises(ClusterfError):
            engine.drain(Drained("web"), "drained by operator")
        await quiet()
        assert weights(stage, tcp()) == [0, 0]


# --- outputs that publish ---------------------------------------------------------------------


async def test_what_sources_say_is_published_by_service(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [*WEB, *API]
    configuration = stage.configuration(stage.source("a"), stage.publication("p"))
    async with stage.running(configuration) as engine:
        await quiet()
        assert [one for one in stage.happened[1:] if "attends" not in one] == [
            "outputs.p looks",
            "outputs.p tells api: b1",
            "outputs.p tells web: b1 b2",
            "outputs.p tells routes: ",
        ]
        stage.happened.clear()
        stage.sources["sources.a"].speak(*WEB)
        await quiet()
        assert stage.happened == ["outputs.p tells api: gone"]
        stage.happened.clear()
        engine.drain(Drained("web", "b1"), "drained")
        await quiet()
        assert stage.happened == ["outputs.p tells web: b1 b2"]


async def test_a_route_has_everything_published_again(
    stage: Stage, autojump_clock: MockClock
) -> None:
    """Also where there is no service at all."""
    stage.says["sources.a"] = [*WEB]
    configuration = stage.configuration(stage.source("a"), stage.publication("p"))
    async with stage.running(configuration):
        await quiet()
        stage.happened.clear()
        stage.sources["sources.a"].speak(*WEB, Route("r", Provenance("sources.a")))
        await quiet()
        assert stage.happened == ["outputs.p tells web: b1 b2", "outputs.p tells routes: r"]
        stage.sources["sources.a"].speak(Route("r", Provenance("sources.a")))
        await quiet()
        stage.happened.clear()
        stage.sources["sources.a"].speak(Route("q", Provenance("sources.a")))
        await quiet()
        assert stage.happened == ["outputs.p tells routes: q"]


async def test_a_host_that_only_publishes_decides_and_refuses_nothing(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [backend("b1", service="no-frontend"), *WEB]
    only = stage.configuration(stage.source("a"), stage.publication("p"))
    async with stage.running(only) as engine:
        await quiet()
        assert (engine.reconciler.table, engine.reconciler.refusals) == ({}, {})
        both = stage.configuration(stage.source("a"), stage.publication("p"), stage.output("k"))
        await engine.exchange(both)
        await quiet()
        assert set(engine.reconciler.table) == {tcp()}
        assert set(engine.reconciler.refusals) == {"no-frontend"}
        await engine.exchange(only)
        await quiet()
        assert (engine.reconciler.table, engine.reconciler.refusals) == ({}, {})


async def test_what_a_kernel_does_is_no_news_to_who_publishes(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = [*WEB]
    configuration = stage.configuration(
        stage.source("a"), stage.output("k"), stage.publication("p"), stage.follower("v")
    )
    async with stage.running(configuration) as engine:
        await quiet()
        stage.happened.clear()
        del stage.kernel.services[tcp()]
        engine.outputs["outputs.k"].runner.again(None)
        await quiet()
        assert stage.kernel.services == {tcp(): entry(10, 10)}
        assert stage.happened == ["outputs.k looks", "vip serves"]


async def test_at_the_end_it_withdraws_before_it_closes(
    stage: Stage, autojump_clock: MockClock
) -> None:
    """Of two the failure of one is told, and the other withdraws all the same."""
    stage.down["outputs.p"] = OutputUnavailable("nobody there")
    configuration = stage.configuration(
        stage.source("a"), stage.publication("p"), stage.publication("q")
    )
    async with stage.running(configuration):
        await quiet()
        stage.happened.clear()
    assert stage.happened[0] == "sources.a ends"
    assert sorted(stage.happened[1:3]) == ["outputs.p attends no more", "outputs.q attends no more"]
    assert stage.happened[3:] == [
        "outputs.p withdraws",
        "outputs.p closes",
        "outputs.q withdraws",
        "outputs.q closes",
    ]


async def test_a_crash_withdraws_nothing(stage: Stage, autojump_clock: MockClock) -> None:
    engine = Engine(stage.configuration(stage.source("a"), stage.publication("p")))
    with trio.move_on_after(30):
        await engine.run()
    assert "outputs.p attends no more" in stage.happened
    assert "outputs.p withdraws" not in stage.happened


async def test_a_reload_withdraws_only_what_has_left_the_configuration(
    stage: Stage, autojump_clock: MockClock
) -> None:
    both = stage.configuration(stage.source("a"), stage.publication("p"), stage.publication("q"))
    async with stage.running(both) as engine:
        await quiet()
        stage.happened.clear()
        slower = stage.publication("q", look=60.0)
        await engine.exchange(stage.configuration(stage.source("a"), slower))
        await quiet()
        assert [one for one in stage.happened if "attends" not in one][:5] == [
            "outputs.p withdraws",
            "outputs.p closes",
            "outputs.q closes",
            "outputs.q looks",
            "outputs.q tells routes: ",
        ]


# --- what cannot be made ------------------------------------------------------------------------


def test_an_instance_that_cannot_be_made_is_an_error_at_once(stage: Stage) -> None:
    with pytest.raises(ClusterfError, match="cannot be made today"):
        Engine(stage.configuration(stage.source("a", "impossible")))
