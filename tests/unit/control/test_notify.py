# ruff: noqa: ARG001 - a test names the clock for pytest-trio to take it

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from clusterf.control import notify
from clusterf.control.notify import ServiceManager
from tests.unit.control.listener import Listener


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listener]:
    name = f"@clusterf/{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    made = Listener(name)
    yield made
    made.close()


async def test_what_is_said_is_heard(listener: Listener) -> None:
    manager = ServiceManager(listener.address)
    await manager.tell(READY=1, STATUS="2 virtual services\n  waits for sources.cluster")
    assert listener.heard() == ["READY=1", "STATUS=2 virtual services waits for sources.cluster"]
    await manager.tell(WATCHDOG=1)
    assert listener.heard() == ["WATCHDOG=1"]


async def test_without_a_manager_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    await ServiceManager.taken_from({}).tell(READY=1)
    assert caplog.records == []


async def test_a_manager_that_is_gone_is_complained_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manager = ServiceManager(str(tmp_path / "notify"))
    await manager.tell(READY=1)
    await manager.tell(WATCHDOG=1)
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("service manager not told socket=")
    listener = Listener(manager.address)
    await manager.tell(WATCHDOG=1)
    assert listener.heard() == ["WATCHDOG=1"]
    listener.close()
    await manager.tell(WATCHDOG=1)
    assert [one.getMessage().rpartition("error=")[2] for one in caplog.records] == [
        "'[Errno 2] No such file or directory'",
        "'[Errno 111] Connection refused'",
    ]


async def test_a_manager_that_does_not_read_holds_nobody_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    listener = Listener(str(tmp_path / "notify"))
    manager = ServiceManager(listener.address)
    began = trio.current_time()
    while not caplog.records:
        await manager.tell(WATCHDOG=1)
    assert trio.current_time() - began == pytest.approx(notify._PATIENCE)
    assert "timed out" in caplog.text
    listener.close()


@pytest.mark.parametrize("address", ["@" + "x" * 200, "\0", "vsock:2:1"])
async def test_an_address_that_is_none_is_no_bug(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    await ServiceManager(address).tell(READY=1)
    assert len(caplog.records) == 1


# --- the environment -----------------------------------------------------------------------------


@pytest.mark.parametrize("process", [os.getpid(), os.getppid()])
def test_the_variables_are_for_us_alone(process: int) -> None:
    environment = {
        "NOTIFY_SOCKET": "/run/systemd/notify",
        "WATCHDOG_USEC": "30000000",
        "WATCHDOG_PID": str(process),
        "PATH": "/usr/bin",
    }
    manager = ServiceManager.taken_from(environment)
    assert (manager.address, manager.watchdog) == ("/run/systemd/notify", 30.0)
    assert environment == {"PATH": "/usr/bin"}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "999999999"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
    ],
    ids=["none", "of another process", "none, in numbers", "no number"],
)
def test_there_may_be_no_watchdog(said: dict[str, str]) -> None:
    assert ServiceManager.taken_from(said).watchdog is None
