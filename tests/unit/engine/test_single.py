# ruff: noqa: ARG001, ARG005 - the clock is named for pytest-trio; protocols name the rest
from __future__ import annotations

from collections.abc import Collection

import pytest
import trio
from trio.testing import MockClock

from clusterf.engine.single import SingleEngine
from clusterf.model.errors import OutputUnavailable, SourceUnavailable
from clusterf.model.operation import steps
from clusterf.model.table import ServiceKey
from tests.strategies import entry, frontend, spec, tcp, udp
from tests.unit.engine.stage import API, WEB, NamedOutput, Stage, weights


async def test_once_applies_and_ends(stage: Stage, autojump_clock: MockClock) -> None:
    stage.says["sources.a"] = [*WEB]
    engine = SingleEngine(
        stage.configuration(stage.source("a"), stage.follower("v"), stage.output("k"))
    )
    outcomes, complete = await engine.once()
    assert complete
    assert len(outcomes) == 3
    assert stage.kernel.services == {tcp(): entry(10, 10)}
    assert stage.happened[-3:] == ["vip serves", "sources.a ends", "outputs.k closes"]


async def test_once_says_when_a_source_was_silent_and_then_removes_nothing(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says = {"sources.a": [*WEB], "sources.b": None}
    stage.kernel.services = {udp(): entry(1)}
    engine = SingleEngine(
        stage.configuration(stage.source("a"), stage.source("b"), stage.output("k"))
    )
    outcomes, complete = await engine.once()
    assert not complete
    assert set(stage.kernel.services) == {tcp(), udp()}
    assert not any(outcome.error for outcome in outcomes)


async def test_once_removes_nothing_of_a_source_that_speaks_too_late(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says = {"sources.a": [*WEB], "sources.b": None}
    stage.kernel.services = {tcp("192.0.2.2"): entry(10)}

    class Interrupted(NamedOutput):
        async def observe(self, subjects: Collection[ServiceKey] | None) -> None:
            stage.sources["sources.b"].speak(*API)
            await super().observe(subjects)

    stage.make_output = lambda settings, context: Interrupted(stage, context.name)  # type: ignore[method-assign]
    engine = SingleEngine(
        stage.configuration(stage.source("a"), stage.source("b"), stage.output("k"))
    )
    _, complete = await engine.once()
    assert not complete
    assert weights(stage, tcp("192.0.2.2")) == [10]


async def test_once_waits_longer_for_a_source_that_is_still_at_work(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says["sources.a"] = None
    engine = SingleEngine(stage.configuration(stage.source("a"), stage.output("k")))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def later() -> None:
            await trio.sleep(30)
            stage.sources["sources.a"].speak(*WEB)

        _, complete = await engine.once()
    assert complete
    assert set(stage.kernel.services) == {tcp()}


async def test_once_does_not_wait_for_a_source_that_says_it_is_down(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.down["sources.a"] = SourceUnavailable("no engine here")
    engine = SingleEngine(stage.configuration(stage.source("a"), stage.output("k")))
    began = trio.current_time()
    _, complete = await engine.once()
    assert not complete
    assert trio.current_time() - began <= 10


async def test_a_preview_plans_and_carries_nothing_out(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.says = {"sources.a": [*WEB, spec("bad", frontend("203.0.113.1"))], "sources.b": None}
    engine = SingleEngine(
        stage.configuration(stage.source("a"), stage.source("b"), stage.output("k"))
    )
    preview = await engine.preview()
    plan = preview.plans["outputs.k"]
    lines = [operation.describe()[:2] for operation in steps(plan.operations)]
    assert lines == ["-A", "-a", "-a"]
    assert preview.hold == "sources.b has not spoken yet"
    assert [refusal.reason for refusal in preview.refusals] == ["outside_managed"]
    assert stage.kernel.writes == []
    assert stage.outputs["outputs.k"].closed


async def test_once_tells_that_the_world_is_away(stage: Stage, autojump_clock: MockClock) -> None:
    stage.down["outputs.k"] = OutputUnavailable("no module ip_vs")
    engine = SingleEngine(stage.configuration(stage.source("a"), stage.output("k")))
    with pytest.RaisesGroup(OutputUnavailable, allow_unwrapped=True, flatten_subgroups=True):
        await engine.once()
