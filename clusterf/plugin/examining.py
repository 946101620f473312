"""Examinations: what ``clusterf doctor`` looks at on this host, and how it finds it.

A probe tells what an instance lacks. An examination needs no instance and no configuration, and
tells what is well, too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from clusterf.model.problem import Severity
from clusterf.plugin.api import Context, ProbeResult


class Verdict(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``hint`` is the command that mends it, or else what to do."""

    verdict: Verdict
    message: str
    hint: str = ""

    @classmethod
    def of(cls, result: ProbeResult) -> Finding:
        """As a probe tells it."""
        verdicts = {Severity.ERROR: Verdict.ERROR, Severity.WARNING: Verdict.WARNING}
        return cls(verdicts.get(result.severity, Verdict.OK), result.message, result.hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """``name`` is the heading. ``examine`` changes nothing, loads no module, and takes seconds."""

    name: str
    examine: Callable[[Context], Awaitable[Iterable[Finding]]]
