# ruff: noqa: ARG001 - a test names the clock for pytest-trio to take it
from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from clusterf.config.configuration import Configuration, Core, Instance
from clusterf.engine.board import Board, BoardPublisher
from clusterf.engine.instances import OutputTask, SourceTask, Task, make, unchanged
from clusterf.engine.journal import Journal
from clusterf.engine.runner import Runner
from clusterf.engine.supervisor import Health, PluginFault, State
from clusterf.model.address import Network
from clusterf.model.errors import ClusterfError, PluginLoadError, SourceUnavailable
from clusterf.plugin.api import AnyType, Context, OutputType, PolicyType, Publisher, SourceType
from clusterf.plugin.settings import Settings
from tests.model_kernel import Kernel, KernelOutput, Wanted
from tests.strategies import spec


class Empty(Settings):
    weight: int = 0


class Thing:
    """Whatever an instance is; remembers what it was made from."""

    def __init__(self, settings: Empty, context: Context) -> None:
        self.settings, self.context = settings, context


def fails(settings: Empty, context: Context) -> Any:
    raise ZeroDivisionError(f"{context.name} {settings.weight}")


def refuses(settings: Empty, context: Context) -> Any:
    raise ClusterfError("no such thing", hint="buy one")


def kind(of: type[Any], create: Any = Thing) -> Any:
    return of(name="thing", settings=Empty, create=create, summary="")


def instance(name: str, of: AnyType, **settings: int) -> Any:
    return Instance(name=name, type=of, settings=Empty(**settings))


def configuration(**parts: Any) -> Configuration:
    parts.setdefault("path", Path("/etc/clusterf/clusterf.toml"))
    parts.setdefault("sources", {"s": instance("sources.s", kind(SourceType))})
    parts.setdefault("policies", (instance("policies[0]", kind(PolicyType)),))
    parts.setdefault("outputs", {"o": instance("outputs.o", kind(OutputType))})
    return Configuration(**parts)


# --- making -------------------------------------------------------------------------------------


def test_every_instance_is_made_with_its_settings_and_its_context() -> None:
    core = Core(managed=(Network.parse("192.0.2.0/24"),), managed_fwmarks=(7,))
    sources = {"s": instance("sources.s", kind(SourceType), weight=4)}
    made = make(configuration(core=core, sources=sources))
    thing: Any = made.sources["sources.s"]
    assert thing.settings.weight == 4
    assert thing.context.name == "sources.s"
    assert (thing.context.managed, thing.context.managed_fwmarks) == (core.managed, (7,))
    assert thing.context.path(Path("x")) == Path("/etc/clusterf/x")
    assert [one.name for one in made.policies] == ["policies[0]"]
    assert list(made.outputs) == ["outputs.o"]


def test_what_is_kept_is_not_made_again_but_policies_always_are() -> None:
    made = make(configuration(), keep={"sources.s", "outputs.o", "policies[0]"})
    assert (made.sources, made.outputs) == ({}, {})
    assert len(made.policies) == 1


@pytest.mark.parametrize("part", ["sources", "policies", "outputs"])
def test_one_that_cannot_be_made_names_itself_and_its_plugin(part: str) -> None:
    of = {"sources": SourceType, "policies": PolicyType, "outputs": OutputType}[part]
    one = instance(f"{part}.x", kind(of, fails), weight=1)
    with pytest.raises(PluginLoadError) as caught:
        make(configuration(**{part: (one,) if part == "policies" else {"x": one}}))
    assert str(caught.value).startswith(f"{part}.x: could not be made: ZeroDivisionError")
    assert "type thing" in caught.value.hint
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_refusal_of_the_plugin_arrives_as_it_is() -> None:
    with pytest.raises(ClusterfError, match="no such thing") as caught:
        make(configuration(outputs={"o": instance("outputs.o", kind(OutputType, refuses))}))
    assert caught.value.hint == "buy one"


# --- what a reload keeps ---

BEFORE = configuration()


def test_an_equal_configuration_keeps_everything() -> None:
    assert unchanged(BEFORE, configuration()) == {"sources.s", "outputs.o"}


@pytest.mark.parametrize(
    "change",
    [
        {"settings": Empty(weight=1)},
        {"look": 5.0},
        {"startup_error": "fail"},
        {"type": kind(OutputType, refuses)},
    ],
)
def test_an_instance_that_differs_is_exchanged_and_no_other(change: dict[str, Any]) -> None:
    other = {"o": replace(BEFORE.outputs["o"], **change)}
    assert unchanged(BEFORE, configuration(outputs=other)) == {"sources.s"}


def test_policies_and_defaults_restart_nothing() -> None:
    other = configuration(policies=(), core=Core(start_wait=1.0))
    assert unchanged(BEFORE, other) == {"sources.s", "outputs.o"}


@pytest.mark.parametrize(
    "other",
    [
        {"core": Core(managed=(Network.parse("192.0.2.0/24"),))},
        {"core": Core(managed_fwmarks=(1,))},
        {"path": Path("/srv/clusterf.toml")},
    ],
)
def test_what_every_context_holds_exchanges_all(other: dict[str, Any]) -> None:
    assert unchanged(BEFORE, configuration(**other)) == set()


# --- tasks --------------------------------------------------------------------------------------


class Works:
    """Fails as often as it is told to, then runs until it is cancelled."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.cleaned = False

    async def run(self) -> None:
        if self.failures:
            self.failures -= 1
            raise SourceUnavailable("away")
        try:
            await trio.sleep_forever()
        finally:
            self.cleaned = True


def task(**facts: Any) -> Task:
    return Task(replace(BEFORE.sources["s"], **facts), Health())


async def test_ending_a_task_waits_until_nothing_of_it_runs() -> None:
    one, work = task(), Works()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.run, work.run, lambda: True)
        await trio.testing.wait_all_tasks_blocked()
        await one.end()
        assert work.cleaned
        assert one.ended.is_set()


async def test_a_task_that_may_retry_outlives_its_failures(autojump_clock: MockClock) -> None:
    one, work = task(startup_error="retry"), Works(3)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.run, work.run, lambda: False)
        await trio.sleep(10)
        assert (work.failures, one.health.failures) == (0, 3)
        await one.end()


async def test_a_task_that_must_start_ends_the_program() -> None:
    one = task(startup_error="fail")
    with pytest.raises(SourceUnavailable):
        await one.run(Works(1).run, lambda: False)
    assert one.ended.is_set()


async def test_once_started_its_failures_are_its_own(autojump_clock: MockClock) -> None:
    one, work = task(startup_error="fail"), Works(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.run, work.run, lambda: True)
        await trio.sleep(2)
        assert one.health.state is State.DOWN
        assert work.failures == 0
        await one.end()


# --- sources that end ---


class Ends:
    """A source that puts a record and returns; in its ``speaks``-th run it states all."""

    def __init__(self, *, puts: bool = False, speaks: int | None = None) -> None:
        self.puts, self.speaks = puts, speaks
        self.runs = 0

    async def run(self, publish: Publisher) -> None:
        self.runs += 1
        if self.puts:
            publish.put(spec("web"))
        if self.runs == self.speaks:
            publish.replace([spec("web")])


def source_task(source: Ends, **facts: Any) -> tuple[SourceTask, BoardPublisher]:
    board = Board()
    board.arrange(["sources.s"])
    one = SourceTask(replace(BEFORE.sources["s"], **facts), Health(), source=source)
    return one, board.publisher("sources.s", one.health.running)


@pytest.mark.parametrize("puts", [False, True])
async def test_a_source_that_ends_without_having_spoken_is_run_again_and_told(
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
    puts: bool,  # noqa: FBT001 - a case
) -> None:
    source = Ends(puts=puts)
    one, publisher = source_task(source)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.run, partial(one.publish, publisher), lambda: False)
        await trio.sleep(10)
        assert source.runs > 2
        assert (one.health.state, one.health.bug) == (State.DOWN, True)
        assert one.health.reason == "ended without having spoken"
        assert "replace()" in one.health.hint
        await one.end()
    assert "ended without having spoken" in caplog.text


async def test_a_source_that_speaks_at_last_may_end(autojump_clock: MockClock) -> None:
    source = Ends(speaks=3)
    one, publisher = source_task(source)
    await one.run(partial(one.publish, publisher), lambda: False)
    assert (source.runs, one.health.state) == (3, State.FINISHED)


async def test_a_source_that_spoke_in_an_earlier_run_may_end() -> None:
    one, publisher = source_task(Ends())
    publisher.replace([])
    await one.run(partial(one.publish, publisher), lambda: True)
    assert one.health.state is State.FINISHED


async def test_a_source_that_must_start_and_ends_unspoken_ends_the_program() -> None:
    one, publisher = source_task(Ends(), startup_error="fail")
    with pytest.raises(PluginFault, match="ended without having spoken"):
        await one.run(partial(one.publish, publisher), lambda: False)


# --- closing outputs ---


def output_task(output: Any, *, follows: bool = False) -> OutputTask:
    runner = Runner("outputs.o", output, Wanted(), Journal(), look=30.0, progressed=lambda _: None)
    of = replace(kind(OutputType), follows=follows)
    return OutputTask(instance("outputs.o", of), runner.health, runner=runner)


async def test_an_output_is_closed() -> None:
    output = KernelOutput(Kernel())
    await output_task(output).close()
    assert output.closed


async def test_an_output_that_does_not_close_in_time_is_left(autojump_clock: MockClock) -> None:
    class Stuck(KernelOutput):
        async def close(self) -> None:
            await trio.sleep_forever()

    began = trio.current_time()
    with trio.CancelScope() as scope:
        scope.cancel()
        await output_task(Stuck(Kernel())).close()
    assert trio.current_time() - began == pytest.approx(5.0)


async def test_an_output_without_anything_to_close_is_fine() -> None:
    await output_task(object()).close()


def test_whether_an_output_follows_the_data_planes_is_up_to_its_type() -> None:
    assert output_task(object(), follows=True).follows
    assert not output_task(object()).follows
