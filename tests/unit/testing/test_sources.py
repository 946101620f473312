from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

from clusterf.model.errors import ClusterfError, SourceUnavailable
from clusterf.plugin import Publisher
from clusterf.testing import backend, running

Run = Callable[[Publisher], Awaitable[None]]

ONE = backend("web", "a", "198.51.100.1")


class Made:
    """A source of one function."""

    def __init__(self, run: Run) -> None:
        self.run = run


async def test_it_runs_until_the_block_ends() -> None:
    ended = False

    async def run(publish: Publisher) -> None:
        nonlocal ended
        publish.replace([ONE])
        try:
            await trio.sleep_forever()
        finally:
            ended = True

    async with running(Made(run)) as publish:
        await publish.until(lambda: publish.synced)
        assert publish.backends("web") == {"a": ONE}
        assert not ended
    assert ended


async def test_a_source_may_be_final() -> None:
    async def run(publish: Publisher) -> None:
        await trio.lowlevel.checkpoint()
        publish.replace([ONE])

    async with running(Made(run)) as publish:
        await publish.until(lambda: publish.synced)
        assert publish.services() == {"web"}


async def test_it_is_run_again_when_its_world_is_away(
    autojump_clock: trio.testing.MockClock,  # noqa: ARG001 # pytest-trio looks at arguments only
) -> None:
    tries = 0

    async def run(publish: Publisher) -> None:
        nonlocal tries
        await trio.lowlevel.checkpoint()
        tries += 1
        if tries < 3:
            raise SourceUnavailable("nobody is there", hint="ask again")
        publish.replace([])

    began = trio.current_time()
    async with running(Made(run)) as publish:
        await publish.until(lambda: publish.unavailable)
        assert publish.unavailable == "nobody is there (hint: ask again)"
        assert not publish.synced
        await publish.until(lambda: publish.synced)
        assert publish.unavailable is None
    assert tries == 3
    assert trio.current_time() - began > 1


async def test_a_bug_ends_the_test_with_its_cause() -> None:
    async def run(_: Publisher) -> None:
        await trio.lowlevel.checkpoint()
        raise KeyError("x")

    with pytest.raises(BaseExceptionGroup) as told:
        async with running(Made(run)):
            await trio.sleep_forever()
    [error] = told.value.exceptions
    assert isinstance(error, ClusterfError)
    assert isinstance(error.__cause__, KeyError)


async def test_a_source_that_never_speaks_is_a_bug() -> None:
    async def run(_: Publisher) -> None:
        await trio.lowlevel.checkpoint()

    with pytest.raises(BaseExceptionGroup) as told:
        async with running(Made(run)):
            await trio.sleep_forever()
    assert "ended without having spoken" in str(told.value.exceptions[0])
