"""Check: every problem of clusterf.toml and of the files it names, without side effects.

Three tiers, each as far as the one before allows it: syntax (`clusterf.plugin.document`), schema
(`clusterf.config.load` and the hooks of plugins) and topology (`clusterf.config.topology`). The
fourth, the environment, is for ``clusterf/cli/probing.py``.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from clusterf.config.foretelling import certainty, make_policies
from clusterf.config.load import Reading, read_configuration
from clusterf.config.topology import topology_problems
from clusterf.model.problem import Code, Problem, Severity
from clusterf.plugin.checking import Foretold
from clusterf.plugin.document import DocumentError, Fault
from clusterf.plugin.faults import shown
from clusterf.plugin.loader import DISABLED_THERE, Registry


def check_offline(path: Path, registry: Registry) -> tuple[Reading | None, list[Problem]]:
    """What could be read, and all problems: clusterf.toml first, then what the plugins found."""
    try:
        reading = read_configuration(path, registry)
    except DocumentError as error:
        return None, [error.problem, *problems_of_plugins(registry)]
    problems, misnamed = problems_of_plugins(registry), _misnamed(reading, registry)
    problems = [one for one in problems if one.file not in misnamed]
    told = _answers("clusterf_check", registry, reading, Problem)
    found = [*misnamed.values(), *(one for one in told if isinstance(one, Problem))]
    foretold, of_files = foretell(reading, registry)
    found += of_files
    found += _topology(reading, foretold, found)
    files = {reading.document.name: 0}
    for problem in found:
        files.setdefault(problem.file, len(files))
    found = sorted(
        [*reading.problems, *found],
        key=lambda problem: (files[problem.file], problem.line, problem.column),
    )
    return reading, [*found, *problems]


def _topology(
    reading: Reading, foretold: Sequence[Foretold], problems: Sequence[Problem]
) -> list[Problem]:
    """What the pipeline would refuse; nothing on a host that only publishes, as at run time."""
    configuration = reading.configuration
    misread = any(problem.path.startswith("outputs") for problem in reading.problems)
    if not configuration.tabled and not misread:
        return []
    policies, failures = make_policies(configuration)
    found = [
        failed(name, "making it", error, reading.document.name) for name, error in failures.items()
    ]
    sure = certainty(reading, foretold, [*problems, *found])
    return found + topology_problems(configuration, foretold, policies, sure)


def foretell(reading: Reading, registry: Registry) -> tuple[list[Foretold], list[Problem]]:
    """What sources will publish as far as files say it, and what is wrong with those files."""
    told = list(_answers("clusterf_foretell", registry, reading, Foretold))
    return (
        [one for one in told if isinstance(one, Foretold)],
        [one for one in told if isinstance(one, Problem)],
    )


def _misnamed(reading: Reading, registry: Registry) -> dict[str, Problem]:
    """Errors of plugin directories, each where clusterf.toml names it, by what they are told as."""
    core = reading.document.data.get("clusterf")
    names = core.get("plugin_dirs") if isinstance(core, dict) else None
    told: dict[str, Problem] = {}
    for failure in registry.failures:
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if str(reading.configuration.folder / str(name)) == failure.origin:
                at = ("clusterf", "plugin_dirs", index)
                message = f"{failure.origin}: {failure.message.removeprefix('plugin directory: ')}"
                hint = failure.hint.removeprefix("see plugin_dirs")
                fault = Fault(at, message, hint, Code.PLUGIN_NOT_LOADED)
                told[failure.origin] = reading.document.problem(fault)
    return told


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


def _answers(
    hook: str, registry: Registry, reading: Reading, kind: type[Foretold | Problem]
) -> Iterator[Foretold | Problem]:
    """What each plugin says by itself, problems or this kind: one that raises stops no other."""
    offered = {"configuration": reading.configuration, "document": reading.document}
    for implementation in getattr(registry.manager.hook, hook).get_hookimpls():
        given = [offered[name] for name in implementation.argnames]
        call = partial(implementation.function, *given)
        yield from _run(implementation.plugin_name, call, reading, kind)


def _run(
    name: str,
    call: Callable[[], Any],
    reading: Reading,
    kind: type[Foretold | Problem],
) -> Iterator[Foretold | Problem]:
    try:
        found: Iterable[object] = list(call() or ())
    except Exception as error:  # noqa: BLE001 - foreign code: its failure is the finding
        yield failed(name, "check", error, reading.document.name)
        return
    for one in found:
        if isinstance(one, (kind, Problem)):
            yield one
        else:
            wrong = TypeError(f"{type(one).__name__} is not a {kind.__name__}")
            yield failed(name, "check", wrong, reading.document.name)
            return


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
