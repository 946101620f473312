from __future__ import annotations

import threading
from pathlib import Path

import pytest
import trio
import trio.testing

from clusterf.engine.context import InstanceContext
from clusterf.model.errors import SourceUnavailable
from tests.strategies import MANAGED


@pytest.fixture
def context(tmp_path: Path) -> InstanceContext:
    return InstanceContext("sources.test", folder=tmp_path)


class Blocking:
    """A call that blocks until it is closed."""

    def __init__(self, *, then: Exception | None = None) -> None:
        self.entered, self.closed = threading.Event(), threading.Event()
        self.ended = False
        self.closed_from: threading.Thread | None = None
        self.then = then

    def run(self) -> str:
        self.entered.set()
        assert self.closed.wait(10)
        self.ended = True
        if self.then is not None:
            raise self.then
        return "closed"

    def close(self) -> None:
        self.closed_from = threading.current_thread()
        self.closed.set()


async def entered(blocking: Blocking) -> None:
    await trio.to_thread.run_sync(blocking.entered.wait, 10)


def test_an_instance_knows_its_name_its_log_and_what_is_managed(tmp_path: Path) -> None:
    context = InstanceContext(
        "outputs.k", folder=tmp_path, managed=MANAGED.prefixes, managed_fwmarks={1}
    )
    assert (context.name, context.log.name) == ("outputs.k", "clusterf.outputs.k")
    assert (context.managed, context.managed_fwmarks) == (MANAGED.prefixes, {1})


def test_paths_are_relative_to_the_configuration(context: InstanceContext, tmp_path: Path) -> None:
    assert context.path(Path("services.d")) == tmp_path / "services.d"
    assert context.path(Path("/etc/x")) == Path("/etc/x")


async def test_the_clock_is_trio_s(context: InstanceContext) -> None:
    assert context.clock() == pytest.approx(trio.current_time(), abs=1.0)


async def test_a_blocking_call_runs_in_a_thread_and_returns(context: InstanceContext) -> None:
    def where(number: int, *, plus: int) -> tuple[threading.Thread, int]:
        return threading.current_thread(), number + plus

    thread, total = await context.run_blocking(where, 1, plus=2)
    assert thread is not threading.main_thread()
    assert total == 3


async def test_its_exception_arrives_as_it_is(context: InstanceContext) -> None:
    def fails() -> None:
        raise SourceUnavailable("away")

    with pytest.raises(SourceUnavailable, match="away"):
        await context.run_blocking(fails)
    with pytest.raises(SourceUnavailable, match="away"):
        await context.run_blocking_until_closed(fails, lambda: None)


async def test_a_call_that_ends_by_itself_is_not_closed(context: InstanceContext) -> None:
    closed: list[bool] = []
    result = await context.run_blocking_until_closed(lambda: 7, lambda: closed.append(True))
    assert (result, closed) == (7, [])


@pytest.mark.parametrize("then", [None, OSError("bad file descriptor")])
async def test_cancelling_closes_what_it_blocks_on_and_waits_for_the_thread(
    context: InstanceContext, then: Exception | None
) -> None:
    blocking = Blocking(then=then)
    returned = False
    async with trio.open_nursery() as nursery:

        async def work() -> None:
            nonlocal returned
            await context.run_blocking_until_closed(blocking.run, blocking.close)
            returned = True

        nursery.start_soon(work)
        await entered(blocking)
        assert not blocking.closed.is_set()
        nursery.cancel_scope.cancel()
    assert blocking.ended
    assert not returned
    assert blocking.closed_from is not threading.main_thread()


async def test_what_is_cancelled_before_it_began_never_runs(context: InstanceContext) -> None:
    ran: list[bool] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        await context.run_blocking_until_closed(lambda: ran.append(True), lambda: None)
    assert scope.cancelled_caught
    assert ran == []


async def test_one_instance_keeps_few_threads_busy(context: InstanceContext) -> None:
    several = [Blocking() for _ in range(6)]
    async with trio.open_nursery() as nursery:
        for one in several:
            nursery.start_soon(context.run_blocking, one.run)
        await trio.testing.wait_all_tasks_blocked()
        with trio.fail_after(5):
            while sum(one.entered.is_set() for one in several) < 4:
                await trio.to_thread.run_sync(lambda: None)
        busy = [one.entered.is_set() for one in several]
        for one in several:
            one.closed.set()
    assert sum(busy) == 4
    assert all(one.ended for one in several)
