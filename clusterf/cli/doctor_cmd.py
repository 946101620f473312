"""``clusterf doctor``: whether this host has what clusterf needs, each with the way to mend it."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from clusterf.cli import drawing, logs
from clusterf.cli.examining import Found, examine
from clusterf.cli.loading import registry_for
from clusterf.cli.main import CONFIGURATION
from clusterf.config.check import check_offline, problems_of_plugins
from clusterf.config.load import Reading
from clusterf.config.rendering import summary
from clusterf.model.counting import counted
from clusterf.model.problem import has_errors
from clusterf.plugin.examining import Finding, Verdict
from clusterf.plugin.loader import Registry

EX_UNAVAILABLE = 69

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.ERROR: "bold red"}


def main(arguments: argparse.Namespace) -> int:
    """Print all findings. 0, or 69 if one of them is an error (``--strict``: or a warning)."""
    logs.start("error", "text")
    registry = registry_for(arguments.config, bundled_only=arguments.bundled_only)
    reading, own = _configuration(arguments.config, registry)
    found = {"clusterf": own, **examine(registry, reading)}
    if arguments.output_format == "json":
        drawing.write(json.dumps(_as_json(found), indent=2) + "\n")
    else:
        drawing.draw(_as_lines(found))
    counts = _counts(found)
    bad = counts[Verdict.ERROR] or (arguments.strict and counts[Verdict.WARNING])
    return EX_UNAVAILABLE if bad else 0


def _configuration(path: Path, registry: Registry) -> tuple[Reading | None, list[Finding]]:
    """What could be read, and how that went. A host that has none yet is no fault."""
    failed = [
        Finding(Verdict(problem.severity), f"{problem.file}: {problem.message}", problem.hint)
        for problem in problems_of_plugins(registry)
    ]
    if path == Path(CONFIGURATION) and not os.path.lexists(path):
        message = f"configuration: there is no {path} yet, so what a usual one needs is looked at"
        return None, [Finding(Verdict.OK, message), *failed]
    reading, problems = check_offline(path, registry)
    ours = problems_of_plugins(registry)
    problems = [problem for problem in problems if problem not in ours]
    if has_errors(problems):
        told = f"configuration: {path} has {summary(problems)}"
        return reading, [Finding(Verdict.ERROR, told, _check(path)), *failed]
    if has_errors(problems, strict=True):
        told = f"configuration: {path} has {summary(problems)}"
        return reading, [Finding(Verdict.WARNING, told, _check(path)), *failed]
    return reading, [Finding(Verdict.OK, f"configuration: {path} is right"), *failed]


def _check(path: Path) -> str:
    return f"clusterf check --offline -c {path}"


def _counts(found: Found) -> dict[Verdict, int]:
    verdicts = [finding.verdict for findings in found.values() for finding in findings]
    return {verdict: verdicts.count(verdict) for verdict in Verdict}


def _as_json(found: Found) -> dict[str, object]:
    counts = _counts(found)
    return {
        "findings": [
            {"of": name, "verdict": one.verdict, "message": one.message, "hint": one.hint}
            for name, findings in found.items()
            for one in findings
        ],
        "errors": counts[Verdict.ERROR],
        "warnings": counts[Verdict.WARNING],
    }


def _as_lines(found: Found) -> Iterable[drawing.Line]:
    for name, findings in found.items():
        if findings:
            yield name, "bold"
            for one in findings:
                yield from _lines(one)
    counts = _counts(found)
    yield "", ""
    yield ", ".join(counted(counts[one], one) for one in (Verdict.ERROR, Verdict.WARNING)), "bold"


def _lines(finding: Finding) -> Iterator[drawing.Line]:
    yield f"  {finding.verdict:<8} {finding.message}", _STYLES[finding.verdict]
    if finding.hint and finding.verdict is not Verdict.OK:
        yield f"           hint: {finding.hint}", ""
