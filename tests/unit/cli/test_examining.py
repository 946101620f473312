from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio

from clusterf.cli.examining import examine
from clusterf.plugin import (
    Configured,
    Context,
    Examination,
    Finding,
    OutputUnavailable,
    ProbeResult,
    Severity,
    Verdict,
    hookimpl,
)
from clusterf.plugin.loader import Registry
from tests.unit.cli.test_probing import Fine, Lacking, Silent, reading

OK, WARNING, ERROR = Verdict.OK, Verdict.WARNING, Verdict.ERROR


def registry(*hooks: Callable[..., Any]) -> Registry:
    found = Registry()
    for number, hook in enumerate(hooks):
        module = ModuleType(f"plugin{number}")
        module.clusterf_doctor = hookimpl(hook)  # type: ignore[attr-defined]
        found.manager.register(module, name=module.__name__)
    return found


def finds(name: str, *findings: Finding) -> Callable[..., Any]:
    async def look(context: Context) -> Iterable[Finding]:
        await trio.lowlevel.checkpoint()
        assert context.name == f"doctor.{name}"
        return findings

    return lambda: [Examination(name=name, examine=look)]


def test_plugins_are_asked_in_their_order() -> None:
    one, two = Finding(OK, "is there"), Finding(ERROR, "is not", "mend it")
    assert examine(registry(finds("a", one), finds("b", two, one)), None) == {
        "a": [one],
        "b": [two, one],
    }


def test_what_mends_several_things_is_told_once() -> None:
    first, second = Finding(ERROR, "is not", "mend it"), Finding(WARNING, "neither", "mend it")
    well = Finding(OK, "is there")
    assert examine(registry(finds("a", first, well), finds("b", second, well)), None) == {
        "a": [first, well],
        "b": [well],
    }


def broken(configuration: Configured | None) -> Any:
    raise ZeroDivisionError(repr(configuration))


def nonsense() -> Any:
    return ["nonsense"]


def nothing() -> Any:
    return None


def raises(error: Exception) -> Callable[..., Any]:
    async def look(_: Context) -> Iterable[Finding]:
        await trio.lowlevel.checkpoint()
        raise error

    return lambda: [Examination(name="late", examine=look)]


@pytest.mark.parametrize(
    ("hook", "name", "finding"),
    [
        (broken, "plugin0", Finding(ERROR, "examination failed: ZeroDivisionError: None",
                                    "a bug in the plugin")),
        (nonsense, "plugin0", Finding(ERROR, "examination failed: TypeError: str is not an"
                                      " Examination", "a bug in the plugin")),
        (raises(KeyError("x")), "late", Finding(ERROR, "examination failed: KeyError: 'x'",
                                                "a bug in the plugin")),
        (raises(OutputUnavailable("is away", hint="wait")), "late",
         Finding(ERROR, "is away", "wait")),
    ],
)  # fmt: skip
def test_one_that_fails_stops_no_other(
    hook: Callable[..., Any], name: str, finding: Finding
) -> None:
    well = Finding(OK, "is there")
    found = examine(registry(hook, nothing, finds("a", well)), None)
    assert found == {name: [finding], "a": [well]}


def test_one_that_hangs_is_left() -> None:
    async def hang(_: Context) -> Iterable[Finding]:
        await trio.sleep_forever()
        return ()

    found = examine(registry(lambda: [Examination(name="a", examine=hang)]), None, 0.01)
    assert found == {"a": [Finding(WARNING, "gave no answer within 0.01 s")]}


class Later(Lacking):
    async def probe(self) -> Iterable[ProbeResult]:
        return [
            ProbeResult(Severity.ERROR, "no module", "modprobe ip_vs"),
            ProbeResult(Severity.WARNING, "of its own"),
        ]


def test_instances_come_after_the_host_and_refer_to_it(tmp_path: Path) -> None:
    lacks = Finding(ERROR, "ip_vs is not there", "modprobe ip_vs")
    seen: list[Configured | None] = []

    def hook(configuration: Configured | None) -> Any:
        seen.append(configuration)
        return finds("host", lacks)()

    configured = reading(tmp_path / "clusterf.toml", Fine, Silent, Later)
    assert examine(registry(hook), configured) == {
        "host": [lacks],
        "sources.Fine": [Finding(OK, "its world is there")],
        "sources.Later": [Finding(WARNING, "of its own"), Finding(ERROR, "see host above")],
    }
    assert seen == [configured.configuration]
