from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from clusterf.cli.probing import end_waiting, probe
from clusterf.config.load import Reading, read_configuration
from clusterf.model.problem import Severity
from clusterf.plugin import (
    Context,
    OutputUnavailable,
    ProbeResult,
    Settings,
    SourceType,
    SourceUnavailable,
)
from tests.golden.plugins import registry

FOREVER = threading.Event()


class Asked:
    def __init__(self, _: Settings, context: Context) -> None:
        self.context = context


class Fine(Asked):
    async def probe(self) -> Iterable[ProbeResult]:
        return ()


class Lacking(Asked):
    async def probe(self) -> Iterable[ProbeResult]:
        folder = self.context.path(Path("x")).parent.name
        return [
            ProbeResult(Severity.ERROR, f"no module in {folder}", "modprobe ip_vs"),
            ProbeResult(Severity.WARNING, "a sysctl is 0"),
        ]


class Away(Asked):
    async def probe(self) -> Iterable[ProbeResult]:
        raise SourceUnavailable("no socket", hint="start it")


class Broken(Asked):
    async def probe(self) -> Iterable[ProbeResult]:
        raise ZeroDivisionError


class Hanging(Asked):
    async def probe(self) -> Iterable[ProbeResult]:
        await trio.sleep_forever()
        return ()


class HangingThread(Asked):
    async def probe(self) -> Iterable[ProbeResult]:
        await self.context.run_blocking(FOREVER.wait)
        return ()


class Unmakeable(Asked):
    def __init__(self, *_: object) -> None:
        raise OutputUnavailable("cannot be made")


class Silent:
    def __init__(self, *_: object) -> None:
        """Has no probe."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clusterf.toml"


def reading(path: Path, *kinds: type, more: str = "") -> Reading:
    found = registry()
    text = '[clusterf]\nmanaged = ["192.0.2.0/24"]\n'
    for kind in kinds:
        name = kind.__name__
        found.sources[name] = SourceType(
            name=name,
            settings=Settings,
            create=kind,
            summary="",
        )
        text += f'[sources.{name}]\ntype = "{name}"\n{more}'
    path.write_text(text)
    result = read_configuration(path, found)
    assert not [problem for problem in result.problems if problem.severity is Severity.ERROR]
    return result


def test_findings_stand_at_their_instance(path: Path) -> None:
    found = [str(problem) for problem in probe(reading(path, Silent, Fine, Lacking))]
    folder = path.parent.name
    assert found == [
        f"{path}:7:1: error[C401]: sources.Lacking: no module in {folder}",
        f"{path}:7:1: warning[C401]: sources.Lacking: a sysctl is 0",
    ]


def test_a_world_that_is_away_is_an_error_only_where_it_ends_the_start(path: Path) -> None:
    (problem,) = probe(reading(path, Away))
    assert (problem.severity, problem.message, problem.hint) == (
        Severity.WARNING,
        "no socket",
        "start it",
    )
    (problem,) = probe(reading(path, Away, more='startup_error = "fail"\n'))
    assert problem.severity is Severity.ERROR


def test_a_probe_that_raises_stops_no_other(path: Path) -> None:
    found = probe(reading(path, Broken, Unmakeable, Lacking))
    assert [problem.message.split(":")[0] for problem in found][:2] == [
        "probe failed",
        "cannot be made",
    ]
    assert len(found) == 4


@pytest.mark.parametrize("kind", [Hanging, HangingThread])
def test_a_probe_that_hangs_is_left(path: Path, kind: type) -> None:
    FOREVER.clear()
    try:
        (problem,) = probe(reading(path, kind), deadline=0.05)
    finally:
        FOREVER.set()
    assert problem.message == "gave no answer within 0.05 s"


@pytest.mark.parametrize(
    ("computing", "ended"), [(0.0, 5.0), (3.0, 8.0), (20.0, 25.0), (1000.0, 30.0)]
)
async def test_what_is_computed_meanwhile_is_not_waiting(
    autojump_clock: MockClock, computing: float, ended: float
) -> None:
    now = autojump_clock.current_time
    began = now()
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(end_waiting, scope, 5.0, lambda: 7 + min(now() - began, computing))
            await trio.sleep_forever()
    assert now() - began == pytest.approx(ended)
