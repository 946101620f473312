# ruff: noqa: ARG001 - a test names the clock for pytest-trio to take it
from __future__ import annotations

import trio
from trio.testing import MockClock

from clusterf.engine.settle import Settle


async def waited(settle: Settle) -> float:
    before = trio.current_time()
    await settle.wait()
    return round(trio.current_time() - before, 6)


async def test_a_single_event_does_not_wait(autojump_clock: MockClock) -> None:
    settle = Settle(lambda: 0.5)
    assert await waited(settle) == 0
    settle.passed()
    await trio.sleep(0.2)
    assert await waited(settle) == 0


async def test_in_a_storm_it_waits_longer_and_longer(
    autojump_clock: MockClock,
) -> None:
    settle, seen = Settle(lambda: 0.5), []
    for _ in range(10):
        seen.append(await waited(settle))
        settle.passed()
    assert seen == [0, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.5]


async def test_after_the_storm_it_does_not_wait(autojump_clock: MockClock) -> None:
    settle = Settle(lambda: 0.5)
    for _ in range(10):
        await settle.wait()
        settle.passed()
    await trio.sleep(0.59)
    assert await waited(settle) == 0.5
    settle.passed()
    await trio.sleep(0.61)
    assert await waited(settle) == 0
    settle.passed()
    assert await waited(settle) == 0.005


async def test_the_longest_wait_may_be_nothing(autojump_clock: MockClock) -> None:
    settle = Settle(lambda: 0.0)
    for _ in range(3):
        assert await waited(settle) == 0
        settle.passed()


async def test_without_a_wait_others_still_get_a_turn() -> None:
    turns: list[str] = []

    async def other() -> None:
        turns.append("other")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await Settle(lambda: 0.5).wait()
        turns.append("settled")
    assert sorted(turns) == ["other", "settled"]
