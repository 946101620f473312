"""Ask plugins and instances how this host is: what ``clusterf doctor`` knows."""

from __future__ import annotations

from collections.abc import Container, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import trio

from clusterf.cli.probing import DEADLINE, ProbeContext, probe_each
from clusterf.config.load import Reading
from clusterf.model.errors import ClusterfError
from clusterf.model.problem import Problem, Severity
from clusterf.plugin.examining import Examination, Finding, Verdict
from clusterf.plugin.loader import Registry

Found = dict[str, list[Finding]]
"""Findings by what was looked at, in the order in which they are shown."""

_VERDICTS = {Severity.ERROR: Verdict.ERROR, Severity.WARNING: Verdict.WARNING}


class _Named(NamedTuple):
    plugin: str
    examination: Examination


def examine(registry: Registry, reading: Reading | None, deadline: float = DEADLINE) -> Found:
    """All findings: of the host first, then of each configured instance. Changes nothing.

    What mends several things is told of the first of them only.
    """
    found: Found = {}
    instances: set[str] = set()
    named, broken = _examinations(registry, reading)
    for name, finding in broken:
        found.setdefault(name, []).append(finding)
    for name, findings in trio.run(_examine_all, named, reading, deadline):
        found.setdefault(name, []).extend(findings)
    if reading is not None:
        for name, problems in trio.run(probe_each, reading, deadline).items():
            if problems is not None:
                instances.add(name)
                found[name] = [_of_problem(one) for one in problems] or [
                    Finding(Verdict.OK, "its world is there")
                ]
    return _each_once(found, instances)


def _examinations(
    registry: Registry, reading: Reading | None
) -> tuple[list[_Named], list[tuple[str, Finding]]]:
    """Of every plugin by itself: one that raises stops no other."""
    configuration = None if reading is None else reading.configuration
    named: list[_Named] = []
    broken: list[tuple[str, Finding]] = []
    for implementation in registry.manager.hook.clusterf_doctor.get_hookimpls():
        name = str(implementation.plugin_name)
        call: Any = implementation.function
        try:
            made = list(call(*(configuration for _ in implementation.argnames)) or ())
            if wrong := [one for one in made if not isinstance(one, Examination)]:
                raise TypeError(f"{type(wrong[0]).__name__} is not an Examination")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - foreign code: its failure is the finding
            broken.append((name, _failed(error)))
        else:
            named.extend(_Named(name, one) for one in made)
    return named, broken


async def _examine_all(
    named: Iterable[_Named], reading: Reading | None, deadline: float
) -> list[tuple[str, list[Finding]]]:
    named = list(named)
    results: list[list[Finding]] = [[] for _ in named]

    async def one(index: int, examination: Examination) -> None:
        results[index] = await _findings(examination, reading, deadline)

    async with trio.open_nursery() as nursery:
        for index, (_, examination) in enumerate(named):
            nursery.start_soon(partial(one, index, examination))
    return [(each.examination.name, result) for each, result in zip(named, results, strict=True)]


async def _findings(
    examination: Examination, reading: Reading | None, deadline: float
) -> list[Finding]:
    folder = Path("/etc/clusterf") if reading is None else reading.configuration.folder
    context: Any = ProbeContext(f"doctor.{examination.name}", folder=folder)
    try:
        with trio.move_on_after(deadline):
            return list(await examination.examine(context))
    except ClusterfError as error:
        return [Finding(Verdict.ERROR, str(error.args[0]), error.hint)]
    except Exception as error:  # noqa: BLE001 - foreign code: its failure is the finding
        return [_failed(error)]
    return [Finding(Verdict.WARNING, f"gave no answer within {deadline:g} s")]


def _failed(error: Exception) -> Finding:
    message = f"examination failed: {type(error).__name__}: {error}"
    return Finding(Verdict.ERROR, message, "a bug in the plugin")


def _of_problem(problem: Problem) -> Finding:
    return Finding(_VERDICTS.get(problem.severity, Verdict.OK), problem.message, problem.hint)


def _each_once(found: Found, instances: Container[str]) -> Found:
    told: dict[str, str] = {}
    left: Found = {}
    for name, findings in found.items():
        left[name] = [one for one in findings if _is_new(one, name, told)]
        again = [one for one in findings if one not in left[name]]
        if again and name in instances:
            verdict = max((one.verdict for one in again), key=list(Verdict).index)
            places = ", ".join(sorted({told[_remedy(one)] for one in again}))
            left[name].append(Finding(verdict, f"see {places} above"))
    return left


def _is_new(finding: Finding, name: str, told: dict[str, str]) -> bool:
    """Whether nothing before has the same remedy."""
    return finding.verdict is Verdict.OK or told.setdefault(_remedy(finding), name) == name


def _remedy(finding: Finding) -> str:
    return finding.hint or finding.message
