"""Check: every problem of clusterf.toml and of the files it names, without side effects."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from clusterf.config.load import Reading, read_configuration
from clusterf.model.problem import Code, Problem, Severity
from clusterf.plugin.document import DocumentError
from clusterf.plugin.faults import shown
from clusterf.plugin.loader import DISABLED_THERE, Registry


def check_offline(path: Path, registry: Registry) -> tuple[Reading | None, list[Problem]]:
    """What could be read, and all problems: clusterf.toml first, then what the plugins found."""
    problems = problems_of_plugins(registry)
    try:
        reading = read_configuration(path, registry)
    except DocumentError as error:
        return None, [error.problem, *problems]
    found = [problem for name, check in _checks(registry) for problem in _run(name, check, reading)]
    files = {reading.document.name: 0}
    for problem in found:
        files.setdefault(problem.file, len(files))
    found = sorted(
        [*reading.problems, *found],
        key=lambda problem: (files[problem.file], problem.line, problem.column),
    )
    return reading, [*found, *problems]


def problems_of_plugins(registry: Registry) -> list[Problem]:
    """An error for each plugin that is not there; warnings for what is there and has no effect.

    That is a hook that nobody calls, and a name in the environment that no plugin has.
    """
    failures = [
        Problem(
            file=failure.file or failure.origin,
            line=failure.line,
            column=failure.column,
            length=1 if failure.line else 0,
            message=f"plugin not loaded: {failure.message}",
            hint=failure.hint,
            code=Code.PLUGIN_NOT_LOADED,
            source=failure.source,
        )
        for failure in registry.failures
    ]
    warnings = [
        Problem(
            file=uncalled.origin,
            severity=Severity.WARNING,
            message=uncalled.message,
            hint=uncalled.hint,
            code=Code.HOOK_NOT_CALLED,
        )
        for uncalled in registry.uncalled_hooks
    ]
    unmatched = [
        Problem(
            file=f"${one.by}",
            severity=Severity.WARNING,
            message=f"no plugin is called {shown(one.name)}",
            hint=one.hint,
            code=Code.UNKNOWN_CHOICE,
        )
        for one in registry.unmatched
        if one.by == DISABLED_THERE
    ]
    return [*failures, *warnings, *unmatched]


def _checks(registry: Registry) -> Iterator[tuple[str, Callable[[Reading], Any]]]:
    """The hook ``clusterf_check`` of each plugin by itself: one that raises stops no other."""
    for implementation in registry.manager.hook.clusterf_check.get_hookimpls():
        names = implementation.argnames

        def check(
            reading: Reading,
            function: Callable[..., Any] = implementation.function,
            names: tuple[str, ...] = names,
        ) -> Any:
            offered = {"configuration": reading.configuration, "document": reading.document}
            return function(*(offered[name] for name in names))

        yield implementation.plugin_name, check


def _run(name: str, check: Callable[[Reading], Any], reading: Reading) -> list[Problem]:
    try:
        found: Iterable[object] = list(check(reading) or ())
    except Exception as error:  # noqa: BLE001 - foreign code: its failure is the finding
        return [failed(name, "check", error, reading.document.name)]
    problems = [problem for problem in found if isinstance(problem, Problem)]
    for other in found:
        if not isinstance(other, Problem):
            wrong = TypeError(f"{type(other).__name__} is not a Problem")
            return [*problems, failed(name, "check", wrong, reading.document.name)]
    return problems


def failed(name: str, doing: str, error: BaseException, file: str) -> Problem:
    """A plugin raised what it must not: a problem that names it and the place in its code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return Problem(
        file=file,
        path=name,
        severity=Severity.ERROR,
        message=f"{doing} failed: {type(error).__name__}: {error}{place}",
        hint="a bug in the plugin",
        code=Code.PLUGIN_FAILED,
    )
