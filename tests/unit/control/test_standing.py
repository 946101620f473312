# ruff: noqa: ARG001 - a test names the clock for pytest-trio to take it

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from clusterf.control.daemon import Daemon
from clusterf.control.notify import ServiceManager
from clusterf.control.standing import Standing
from clusterf.model.errors import OutputUnavailable
from tests.unit.control.listener import Listener
from tests.unit.control.scene import API, AWAY, KERNEL, WEB, Scene
from tests.unit.control.test_daemon import refused


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    made = Listener(str(tmp_path / "notify"))
    yield made
    made.close()


@asynccontextmanager
async def running(
    scene: Scene, listener: Listener, watchdog: float | None = None
) -> AsyncIterator[Daemon]:
    configuration, _ = scene.load()
    assert configuration is not None
    daemon = Daemon(configuration, scene.load, ServiceManager(listener.address, watchdog))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(daemon.run, scene.socket)
        yield daemon
        daemon.engine.stop()


# --- ready ---------------------------------------------------------------------------------------


async def test_it_is_ready_when_the_table_is_in_the_kernel(
    scene: Scene, listener: Listener
) -> None:
    async with running(scene, listener):
        assert await listener.hear("READY=1") == ["READY=1", "STATUS=virtual services: 1"]
        assert scene.weights() == [4, 4]
        assert (await scene.ask(command="status"))["services"]


async def test_the_manager_knows_how_long_a_start_may_take(
    scene: Scene, listener: Listener
) -> None:
    scene.write(WEB, KERNEL)
    scene.file.write_text(
        scene.file.read_text().replace('start_wait = "10ms"', 'start_wait = "5m"')
    )
    async with running(scene, listener):
        await listener.hear("EXTEND_TIMEOUT_USEC=360000000")


async def test_a_source_that_is_away_is_told_and_hinders_nothing(
    scene: Scene, listener: Listener
) -> None:
    scene.write(AWAY, WEB, KERNEL)
    async with running(scene, listener):
        [_, status] = await listener.hear("READY=1")
        assert status == (
            "STATUS=virtual services: 1; waits for sources.hosts; sources.hosts: no hosts are known"
        )
        assert scene.weights() == [4, 4]


async def test_so_is_an_output(scene: Scene, listener: Listener) -> None:
    scene.world.away = OutputUnavailable("no ip_vs", hint="modprobe ip_vs")
    scene.write(WEB, KERNEL, 'startup_error = "retry"\n')
    async with running(scene, listener):
        [_, status] = await listener.hear("READY=1")
        assert status == "STATUS=virtual services: 1; outputs.kernel: no ip_vs"


async def test_an_output_that_must_start_and_does_not_is_never_ready(
    scene: Scene, listener: Listener
) -> None:
    scene.world.away = OutputUnavailable("no ip_vs", hint="modprobe ip_vs")
    with pytest.RaisesGroup(OutputUnavailable, flatten_subgroups=True, allow_unwrapped=True):
        async with running(scene, listener):
            await trio.sleep_forever()
    assert not [lines for lines in listener.all() if "READY=1" in lines]


# --- reload and end ------------------------------------------------------------------------------


async def test_a_reload_is_told_from_its_beginning_to_its_end(
    scene: Scene, listener: Listener
) -> None:
    async with running(scene, listener):
        await listener.hear("READY=1")
        scene.write(WEB, API, KERNEL)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        await scene.ask(command="reload")
        reloading, ready = listener.all()
        assert reloading[0] == "RELOADING=1"
        name, _, moment = reloading[1].partition("=")
        assert name == "MONOTONIC_USEC"
        assert before <= int(moment) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert ready[0] == "READY=1"


async def test_a_refused_reload_is_told_until_one_is_not(scene: Scene, listener: Listener) -> None:
    async with running(scene, listener):
        await listener.hear("READY=1")
        scene.write(WEB, KERNEL, 'look = "soon"\n')
        await refused(scene, command="reload")
        [_, status] = await listener.hear("READY=1")
        assert status == "STATUS=virtual services: 1; the last reload was refused"
        scene.write(WEB, KERNEL)
        await scene.ask(command="reload")
        [_, status] = await listener.hear("READY=1")
        assert "refused" not in status


async def test_the_end_is_told(scene: Scene, listener: Listener) -> None:
    async with running(scene, listener) as daemon:
        await listener.hear("READY=1")
        await daemon.standing.stopping()
        assert "STOPPING=1" in (await listener.hear("STOPPING=1"))


# --- alive ---------------------------------------------------------------------------------------


async def test_a_watchdog_hears_of_it_again_and_again(scene: Scene, listener: Listener) -> None:
    async with running(scene, listener, watchdog=0.02):
        await listener.hear("READY=1")
        for _ in range(3):
            await listener.hear("WATCHDOG=1")


async def test_a_pass_that_does_not_end_is_no_life(
    scene: Scene, listener: Listener, autojump_clock: MockClock
) -> None:
    engine = scene.daemon().engine
    engine.started.set()
    engine.at_rest.set()
    standing = Standing(engine, ServiceManager(listener.address, 8.0))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(standing.tell)
        await trio.sleep(9)
        beats = [lines for lines in listener.all() if "WATCHDOG=1" in lines]
        assert len(beats) == 2
        engine.at_rest = trio.Event()
        await trio.sleep(60)
        assert listener.all() == []
        engine.at_rest.set()
        await listener.hear("WATCHDOG=1")
        nursery.cancel_scope.cancel()
