# ruff: noqa: ARG001 - a test names the clock for pytest-trio to take it
from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from clusterf.engine.journal import Journal
from clusterf.engine.runner import Runner
from clusterf.engine.supervisor import State, supervise
from clusterf.model.errors import OutputUnavailable
from clusterf.model.operation import Operation, Outcome, Plan, Stage
from clusterf.model.table import ServiceKey, VirtualService
from clusterf.plugin.output import Again, Desired
from tests.model_kernel import Kernel, KernelOutput, Wanted
from tests.strategies import MANAGED, entry, target, tcp, udp

ONE, TWO = tcp(port=80), tcp(port=81)


class HostEdit:
    """An operation on the host itself."""

    stage, subject = Stage.EDIT, None

    def describe(self) -> str:
        return "sysctl x=1"

    def reason(self) -> str:
        return ""


class SurveyedOutput(KernelOutput):
    """A kernel output that can list its entries cheaply."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self.surveys = 0

    async def survey(self) -> Collection[ServiceKey]:
        self.surveys += 1
        return [key for key in self.kernel.services if MANAGED.owns(key)]


@dataclass
class World:
    """A runner on a model kernel, and the table it follows."""

    output: KernelOutput
    table: dict[ServiceKey, VirtualService] = field(default_factory=dict)
    look: float = 30.0
    progress: list[Collection[ServiceKey] | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wanted = Wanted(self.table)
        self.journal = Journal()
        self.runner = Runner(
            "outputs.k",
            self.output,
            self.wanted,
            self.journal,
            look=self.look,
            progressed=self.progress.append,
        )

    @property
    def kernel(self) -> Kernel:
        return self.output.kernel

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Supervised, as the engine does it; adopted unless its world is away."""
        async with trio.open_nursery() as nursery:

            async def run() -> None:
                await supervise(
                    self.runner.run,
                    self.runner.health,
                    self.runner.log,
                    fail_at_start=lambda: False,
                )

            nursery.start_soon(run)
            await quiet()
            yield
            nursery.cancel_scope.cancel()

    def want(self, key: ServiceKey, service: VirtualService | None) -> None:
        if service is None:
            del self.table[key]
        else:
            self.table[key] = service
        self.runner.mark([key])

    def fail(self, *errors: str) -> None:
        """Let the next operations fail, one error each, or (one error) all of them."""
        remaining = list(errors)

        def fails(_: Operation) -> str:
            return errors[0] if len(errors) == 1 else remaining.pop(0) if remaining else ""

        self.output.fails = fails


async def quiet() -> None:
    """Until everything that can go on without a clock has gone on."""
    await wait_all_tasks_blocked()


def world(output: KernelOutput | None = None, **facts: float) -> World:
    return World(output or KernelOutput(Kernel()), **facts)  # type: ignore[arg-type]


# --- adopting and following ---------------------------------------------------------------------


async def test_it_adopts_what_is_there_and_writes_only_the_difference(
    autojump_clock: MockClock,
) -> None:
    one = world()
    one.kernel.services = {ONE: entry(1, 2), TWO: entry(1)}
    one.table.update({ONE: entry(1, 5), TWO: entry(1)})
    async with one.running():
        assert one.runner.adopted
        assert one.runner.health.state is State.RUNNING
    assert [operation.describe()[:2] for operation in one.kernel.writes] == ["-e"]
    assert one.kernel.services == one.table


async def test_adopting_an_equal_world_writes_nothing(autojump_clock: MockClock) -> None:
    one = world()
    one.kernel.services = {ONE: entry(1)}
    one.table[ONE] = entry(1)
    async with one.running():
        assert one.runner.settled
    assert one.kernel.writes == []


async def test_having_adopted_a_data_plane_says_so_once(autojump_clock: MockClock) -> None:
    one = world()
    async with one.running():
        assert one.progress == [None]
        await one.runner.once()
        assert one.progress == [None]


async def test_it_follows_what_is_marked_and_looks_at_nothing_for_it(
    autojump_clock: MockClock,
) -> None:
    one = world()
    async with one.running():
        one.want(ONE, entry(1))
        one.want(TWO, entry(2))
        assert not one.runner.settled
        await quiet()
        assert one.kernel.services == one.table
        assert one.output.looks == [None]
        assert one.output.plans == [None, {ONE, TWO}]
        assert one.progress[-1] == {ONE, TWO}
        assert one.runner.settled


async def test_what_is_marked_often_is_looked_at_once(autojump_clock: MockClock) -> None:
    one = world()
    async with one.running():
        for weight in range(1, 50):
            one.want(ONE, entry(weight))
        await quiet()
        assert one.output.plans == [None, {ONE}]
    assert one.kernel.weight(ONE, target(1)) == 49


async def test_it_can_be_told_to_plan_everything(autojump_clock: MockClock) -> None:
    one = world()
    async with one.running():
        one.table.update({ONE: entry(1), TWO: entry(1)})
        one.runner.mark_everything()
        await quiet()
        assert one.output.plans == [None, None]
        assert one.output.looks == [None]
    assert one.kernel.services == one.table


async def test_what_was_missed_while_it_was_busy_collapses(autojump_clock: MockClock) -> None:
    one = world()
    entered, go_on = trio.Event(), trio.Event()

    class Slow(KernelOutput):
        async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
            entered.set()
            await go_on.wait()
            return await super().carry_out(operations)

    one = world(Slow(Kernel()))
    async with one.running():
        one.want(ONE, entry(1))
        await entered.wait()
        for weight in range(2, 9):
            one.want(ONE, entry(weight))
        go_on.set()
        await quiet()
    assert len(one.output.plans) == 3
    assert one.kernel.weight(ONE, target(1)) == 8


async def test_what_it_did_is_in_the_journal(autojump_clock: MockClock) -> None:
    one = world()
    async with one.running():
        one.want(ONE, entry(1))
        await quiet()
    assert one.journal.done == {"outputs.k": 2}


# --- drains ------------------------------------------------------------------------------------


async def test_it_wakes_up_for_a_drain(autojump_clock: MockClock) -> None:
    one = world()
    one.kernel.services = {ONE: entry(1, 1)}
    one.table[ONE] = entry(1)
    one.kernel.connections[ONE, target(2)] = 1
    async with one.running():
        assert one.kernel.weight(ONE, target(2)) == 0
        await trio.sleep(10.5)
        assert one.kernel.weight(ONE, target(2)) == 0
        one.kernel.connections.clear()
        await trio.sleep(1)
        assert one.kernel.weight(ONE, target(2)) is None
        assert one.kernel.lost == []
        assert {frozenset({ONE})} == set(one.output.looks[1:])
        looks = len(one.output.looks)
        await trio.sleep(10)
        assert len(one.output.looks) == looks


async def test_a_drain_ends_at_its_deadline(autojump_clock: MockClock) -> None:
    one = world(look=1000.0)
    one.kernel.services = {ONE: entry(1, 1)}
    one.table[ONE] = entry(1)
    one.kernel.connections[ONE, target(2)] = 1
    async with one.running():
        await trio.sleep(299.5)
        assert one.kernel.weight(ONE, target(2)) == 0
        await trio.sleep(1)
        assert one.kernel.weight(ONE, target(2)) is None


# --- failures ----------------------------------------------------------------------------------


async def test_a_failing_operation_is_told_once_and_tried_again_with_back_off(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    one = world(look=1000.0)
    async with one.running():
        one.fail("ENOBUFS")
        one.want(udp(), entry())
        await quiet()
        assert one.runner.failing[udp()].error == "ENOBUFS"
        began, plans = trio.current_time(), len(one.output.plans)
        await trio.sleep(100)
        tries = len(one.output.plans) - plans
        assert 6 <= tries <= 9
        assert one.runner.failing[udp()].error == "ENOBUFS"
        one.fail("")
        await trio.sleep(70)
        assert trio.current_time() - began < 200
    assert one.runner.failing == {}
    assert one.kernel.services == one.table
    told = [record.message for record in caplog.records if "ENOBUFS" in record.message]
    assert len(told) == 1
    assert "failed op='-A -u 192.0.2.1:53" in told[0]


async def test_recovery_is_told(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "clusterf.outputs.k")
    one = world()
    async with one.running():
        one.fail("ENOMEM", "")
        one.want(ONE, entry())
        await quiet()
        await trio.sleep(1)
    assert any(message == "recovered entry=tcp 192.0.2.1:80" for message in caplog.messages)


async def test_another_error_of_the_same_entry_is_told_as_well(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    one = world()
    async with one.running():
        one.fail("ENOMEM", "EPERM", "EPERM", "")
        one.want(ONE, entry())
        await quiet()
        await trio.sleep(20)
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 2


async def test_one_failing_entry_does_not_stop_the_others(autojump_clock: MockClock) -> None:
    one = world()
    one.output.fails = lambda operation: "EPERM" if operation.subject == ONE else ""
    one.table.update({ONE: entry(1), TWO: entry(1)})
    async with one.running():
        assert list(one.kernel.services) == [TWO]
        assert set(one.runner.failing) == {ONE}


async def test_what_cannot_be_mended_by_trying_again_waits_for_the_next_look(
    autojump_clock: MockClock,
) -> None:
    class Hopeless(KernelOutput):
        async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
            return [
                Outcome(operation, "ENOENT", "modprobe", retry=False) for operation in operations
            ]

    one = world(Hopeless(Kernel()), look=50.0)
    one.table[ONE] = entry()
    async with one.running():
        await trio.sleep(49)
        assert len(one.output.plans) == 1
        assert one.runner.failing[ONE].hint == "modprobe"
        await trio.sleep(2)
        assert len(one.output.plans) == 2


async def test_a_wrong_number_of_outcomes_is_a_bug_of_the_output(autojump_clock: MockClock) -> None:
    class Forgetful(KernelOutput):
        async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
            return (await super().carry_out(operations))[1:]

    one = world(Forgetful(Kernel()))
    one.table[ONE] = entry(1)
    async with one.running():
        assert one.runner.health.bug
        assert "1 outcome for 2 operations" in one.runner.health.reason
        await trio.sleep(2)
        assert one.kernel.services == one.table


async def test_when_its_world_is_away_it_backs_off_and_then_looks_at_everything(
    autojump_clock: MockClock,
) -> None:
    one = world(look=1000.0)
    async with one.running():
        one.output.away = OutputUnavailable("no module ip_vs", hint="modprobe ip_vs")
        one.kernel.connections[ONE, target(1)] = 1
        one.want(ONE, entry(1, 1))
        await quiet()
        one.want(ONE, entry(1))
        await trio.sleep(2)
        assert one.runner.health.state is State.DOWN
        assert one.runner.health.reason == "no module ip_vs"
        assert not one.runner.settled
        one.want(TWO, entry(1))
        one.kernel.services.clear()
        one.output.away = None
        await trio.sleep(20)
        assert one.runner.health.state is State.RUNNING
        assert one.output.looks[-1] is None
        assert one.kernel.services == one.table


# --- looks -------------------------------------------------------------------------------------


async def test_a_periodic_look_repairs_drift(autojump_clock: MockClock) -> None:
    one = world(look=30.0)
    one.table.update({ONE: entry(1), TWO: entry(1)})
    async with one.running():
        one.kernel.services = {ONE: entry(7), udp(): entry(1)}
        await trio.sleep(29)
        assert one.kernel.services[ONE] == entry(7)
        await trio.sleep(2)
        assert one.kernel.services == one.table
        assert one.output.looks == [None, None]
        assert one.runner.looks == 1
        await trio.sleep(30)
        assert one.runner.looks == 2


async def test_a_look_at_an_equal_world_writes_nothing(autojump_clock: MockClock) -> None:
    one = world(look=10.0)
    one.table[ONE] = entry(1)
    async with one.running():
        writes = len(one.kernel.writes)
        await trio.sleep(100)
        assert len(one.output.looks) > 8
        assert len(one.kernel.writes) == writes


async def test_a_large_world_is_looked_at_in_slices(autojump_clock: MockClock) -> None:
    output = SurveyedOutput(Kernel())
    one = World(output, look=30.0)
    one.table.update({tcp(port=port): entry() for port in range(1, 601)})
    async with one.running():
        for port in range(1, 300):
            del one.kernel.services[tcp(port=port)]
        one.kernel.services[udp()] = entry()
        await trio.sleep(31)
        assert one.kernel.services == one.table
        slices = [len(keys) for keys in output.looks if keys is not None]
        assert slices == [256, 256, 89]
        assert (output.surveys, one.runner.looks) == (1, 1)


async def test_changes_get_their_turn_between_two_slices(autojump_clock: MockClock) -> None:
    class Busy(SurveyedOutput):
        async def observe(self, subjects: Collection[ServiceKey] | None) -> None:
            await super().observe(subjects)
            if subjects is not None and udp() not in one.table:
                one.want(udp(), entry(1))

    one = World(Busy(Kernel()), look=30.0)
    one.table.update({tcp(port=port): entry() for port in range(1, 601)})
    async with one.running():
        await trio.sleep(31)
        order = [None if keys is None else len(keys) for keys in one.output.plans]
        assert order == [None, 256, 1, 256, 88]


async def test_a_look_at_an_empty_world_ends(autojump_clock: MockClock) -> None:
    output = SurveyedOutput(Kernel())
    one = World(output, look=30.0)
    async with one.running():
        await trio.sleep(100)
        assert (output.surveys, one.runner.looks) == (3, 3)
        assert output.looks == [None]


async def test_a_slow_look_is_not_repeated_soon(autojump_clock: MockClock) -> None:
    class Slow(KernelOutput):
        async def observe(self, subjects: Collection[ServiceKey] | None) -> None:
            await trio.sleep(10)
            await super().observe(subjects)

    one = world(Slow(Kernel()), look=30.0)
    async with one.running():
        await trio.sleep(45 + 10)
        assert len(one.output.looks) == 2
        await trio.sleep(190)
        assert len(one.output.looks) == 2
        await trio.sleep(25)
        assert len(one.output.looks) == 3


# --- what is held ------------------------------------------------------------------------------


async def test_what_is_held_is_shown_until_it_is_not(autojump_clock: MockClock) -> None:
    one = world()
    one.kernel.services = {ONE: entry(1), udp(): entry(1)}
    one.wanted.hold = "sources.etcd has not spoken yet"
    async with one.running():
        assert set(one.runner.held) == {ONE, udp()}
        one.want(ONE, entry(1))
        await quiet()
        assert set(one.runner.held) == {udp()}
        one.wanted.hold = None
        one.runner.mark_everything()
        await quiet()
        assert one.runner.held == {}
        assert list(one.kernel.services) == [ONE]


# --- things of the host -------------------------------------------------------------------------


async def test_a_failing_operation_of_the_host_is_told_and_forgotten_when_it_is_done(
    autojump_clock: MockClock,
) -> None:
    """An operation without a subject, such as a sysctl."""

    class Host(KernelOutput):
        error = "EROFS"

        def plan(
            self, desired: Desired, subjects: Collection[ServiceKey] | None, now: float
        ) -> Plan:
            super().plan(desired, subjects, now)
            return Plan([HostEdit()])

        async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
            return [Outcome(operation, self.error) for operation in operations]

    host = Host(Kernel())
    one = world(host)
    async with one.running():
        assert one.runner.failing[None].error == "EROFS"
        assert one.progress == [None]
        host.error = ""
        one.runner.mark([ONE])
        await quiet()
        assert one.runner.failing == {}


# --- outputs with something to do between plans ---------------------------------------------------


class AttendingOutput(KernelOutput):
    """A kernel output that hears when its world changes, until its world is away."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self.tell, self.told = trio.open_memory_channel[Collection[ServiceKey] | None | Exception](
            9
        )

    async def attend(self, again: Again) -> None:
        async for word in self.told:
            if isinstance(word, Exception):
                raise word
            again(word)


async def test_what_an_output_hears_is_planned_again_or_looked_at(
    autojump_clock: MockClock,
) -> None:
    output = AttendingOutput(Kernel())
    stage = world(output, look=1e9)
    stage.table[ONE] = entry(1)
    async with stage.running():
        assert output.looks == [None]
        output.kernel.services.clear()
        output.look()
        await output.tell.send([ONE])
        await quiet()
        assert stage.kernel.services == {ONE: entry(1)}
        assert output.looks == [None]
        output.kernel.services.clear()
        await output.tell.send(None)
        await quiet()
        assert stage.kernel.services == {ONE: entry(1)}
        assert output.looks == [None, None]


async def test_what_it_hears_while_it_looks_is_not_forgotten(autojump_clock: MockClock) -> None:
    output = AttendingOutput(Kernel())
    stage = world(output, look=1e9)
    async with stage.running():
        output.tell.send_nowait(None)
        output.tell.send_nowait(None)
        stage.runner.mark([ONE])
        await quiet()
        # One look for both words, or a second one for the word that came during the first.
        assert output.looks[1:] in ([None], [None, None])


async def test_when_its_session_is_away_it_is_run_again(autojump_clock: MockClock) -> None:
    """As often as the failure allows: here not later than after 2.4 s, however often it fails."""
    output = AttendingOutput(Kernel())
    stage = world(output, look=1e9)
    async with stage.running():
        for number in range(8):
            await output.tell.send(OutputUnavailable("no lease", longest=2.0))
            await quiet()
            assert stage.runner.health.state is State.DOWN
            assert stage.runner.health.reason == "no lease"
            await trio.sleep(2.5)
            assert stage.runner.health.state is State.RUNNING
            assert len(output.looks) == number + 2
