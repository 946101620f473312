# ruff: noqa: ARG001 - a test names the clock for pytest-trio to take it
from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from clusterf.engine.supervisor import (
    BackOff,
    Health,
    PluginFault,
    State,
    expected,
    supervise,
)
from clusterf.model.errors import ClusterfError, OutputUnavailable, SourceUnavailable

log = logging.getLogger("clusterf.test")
AWAY = SourceUnavailable("the API is away", hint="start it")


class Task:
    """Fails in the ways it is told to, one after another; then it returns."""

    def __init__(self, *failures: Exception, lasts: float = 0.0) -> None:
        self.failures = list(failures)
        self.began: list[float] = []
        self.lasts = lasts
        self.health = Health()

    async def run(self) -> None:
        self.began.append(trio.current_time())
        await trio.sleep(self.lasts)
        if self.failures:
            raise self.failures.pop(0)

    async def supervised(self, *, fail: Callable[[], bool] = lambda: False) -> None:
        await supervise(self.run, self.health, log, fail_at_start=fail)

    def delays(self) -> list[float]:
        """Seconds between an end and the next beginning."""
        return [b - a - self.lasts for a, b in zip(self.began, self.began[1:], strict=False)]


async def test_delays_double_up_to_a_minute_with_jitter(
    autojump_clock: MockClock,
) -> None:
    task = Task(*[AWAY] * 12)
    await task.supervised()
    plain = [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
    assert len(task.delays()) == len(plain)
    for seen, base in zip(task.delays(), plain, strict=True):
        assert 0.8 * base <= seen <= 1.2 * base


def test_no_two_instances_march_in_step() -> None:
    assert len({BackOff().delay() for _ in range(20)}) > 10


def test_a_reset_starts_at_the_first_delay() -> None:
    back_off = BackOff()
    for _ in range(5):
        back_off.delay()
    back_off.reset()
    assert back_off.delay() <= 0.6


@pytest.mark.parametrize(("lasts", "again"), [(61.0, True), (59.0, False)])
async def test_after_a_quiet_spell_the_delays_start_anew(
    autojump_clock: MockClock, lasts: float, *, again: bool
) -> None:
    task = Task(*[AWAY] * 5, lasts=lasts)
    await task.supervised()
    assert (max(task.delays()) <= 0.6) is again


async def test_a_return_is_final(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, log.name)
    task = Task()
    await task.supervised()
    assert len(task.began) == 1
    assert task.health.state is State.FINISHED
    assert caplog.messages == ["finished"]


async def test_a_declared_failure_is_told_without_a_traceback(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    task = Task(AWAY)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(task.supervised)
        await wait_all_tasks_blocked()
        health = task.health
        assert (health.state, health.reason, health.hint) == (
            State.DOWN,
            "the API is away",
            "start it",
        )
        assert (health.bug, health.failures) == (False, 1)
        assert health.retry_at is not None
        assert 0.4 <= health.retry_at - trio.current_time() <= 0.6
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.levelno == logging.WARNING
    assert record.exc_info is None


async def test_the_same_failure_again_is_told_once(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, log.name)
    task = Task(AWAY, AWAY, AWAY, SourceUnavailable("another thing"))
    await task.supervised()
    assert [r.levelname for r in caplog.records] == [
        "WARNING",
        "DEBUG",
        "DEBUG",
        "WARNING",
        "DEBUG",
    ]
    assert task.health.failures == 4


async def test_any_other_exception_is_a_bug_of_the_plugin(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    task = Task(ZeroDivisionError("x"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(task.supervised)
        await wait_all_tasks_blocked()
        assert task.health.bug
        assert task.health.reason == "ZeroDivisionError: x"
    [record] = caplog.records
    assert "bug=true" in record.getMessage()
    assert record.exc_info is not None


async def test_a_general_error_of_ours_is_no_bug(
    autojump_clock: MockClock,
) -> None:
    task = Task(ClusterfError("m"), lasts=1.0)
    await task.supervised()
    assert (task.health.reason, task.health.bug) == ("m", False)


async def test_a_broken_word_is_a_bug_without_a_traceback(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    task = Task(PluginFault("ended without having spoken", hint="a bug"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(task.supervised)
        await wait_all_tasks_blocked()
        health = task.health
        assert (health.reason, health.hint, health.bug) == (
            "ended without having spoken",
            "a bug",
            True,
        )
    assert [record.exc_info for record in caplog.records] == [None]


async def test_being_well_again_clears_the_complaint(
    autojump_clock: MockClock,
) -> None:
    health = Health(State.DOWN, "away", "h", 1.0, 5.0, 3, bug=True)
    await trio.sleep(7)
    health.running()
    now = trio.current_time()
    assert health == Health(State.RUNNING, since=now, failures=3)
    await trio.sleep(1)
    health.running()
    assert health.since == now


async def test_since_when_it_is_down_counts_from_the_first_failure(
    autojump_clock: MockClock,
) -> None:
    task = Task(*[AWAY] * 5)
    async with trio.open_nursery() as nursery:
        began = trio.current_time()
        nursery.start_soon(task.supervised)
        await trio.sleep(5)
        assert task.health.failures > 1
        assert task.health.since == began


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (OutputUnavailable("no module", hint="modprobe"), OutputUnavailable),
        (ZeroDivisionError("x"), ClusterfError),
        (ExceptionGroup("g", [OutputUnavailable("no module")]), OutputUnavailable),
    ],
)
async def test_at_the_start_a_failure_may_end_the_program(
    failure: Exception, raised: type[ClusterfError]
) -> None:
    with pytest.raises(ClusterfError) as caught:
        await Task(failure).supervised(fail=lambda: True)
    assert type(caught.value) is raised
    assert caught.value.__cause__ is failure


async def test_whether_it_may_is_asked_at_each_failure(
    autojump_clock: MockClock,
) -> None:
    answers = [False, True]
    task = Task(AWAY, AWAY, AWAY)
    with pytest.raises(SourceUnavailable):
        await task.supervised(fail=lambda: answers.pop(0))
    assert len(task.began) == 2


async def test_cancelling_ends_it_at_once(autojump_clock: MockClock) -> None:
    task = Task(*[AWAY] * 50)
    with trio.move_on_after(3) as scope:
        await task.supervised()
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (AWAY, True),
        (ExceptionGroup("g", [AWAY]), True),
        (ExceptionGroup("g", [ExceptionGroup("h", [AWAY, AWAY])]), True),
        (ExceptionGroup("g", [AWAY, ZeroDivisionError()]), False),
        (ZeroDivisionError(), False),
        (ClusterfError("m"), False),
    ],
)
def test_a_declared_failure_is_known_in_its_wrapping(error: Exception, *, found: bool) -> None:
    assert expected(error) is (AWAY if found else None)


async def test_who_fails_in_the_moment_of_its_end_just_ends() -> None:
    """A nursery of the plugin then raises both: its failure, and that it was cancelled."""

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise AWAY

    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(supervise, run, Health(), log, fail_at_start=lambda: False))
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


async def test_what_is_no_failure_of_the_plugin_is_not_hidden_by_its_end() -> None:
    async def run() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise KeyboardInterrupt

    with pytest.raises(BaseExceptionGroup) as caught:  # noqa: PT012 - the nursery raises it
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(supervise, run, Health(), log, fail_at_start=lambda: False))
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    assert caught.value.subgroup(KeyboardInterrupt) is not None


async def test_it_is_tried_once_it_runs_or_has_failed(autojump_clock: MockClock) -> None:
    well, ill = Health(), Task(AWAY)
    assert not well.tried.is_set()
    well.running()
    assert well.tried.is_set()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ill.supervised)
        assert not ill.health.tried.is_set()
        with trio.fail_after(0.1):
            await ill.health.tried.wait()
        assert ill.health.state is State.DOWN
