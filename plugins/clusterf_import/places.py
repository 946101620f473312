"""Where something stands in a file that is imported, and problems about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from clusterf.plugin import Problem, Severity


class Place(NamedTuple):
    """Some characters of one line; ``line`` and ``column`` count from 1.

    As text it is ``keepalived.conf:12``, without the folder, for comments.
    """

    file: str
    line: int
    column: int
    length: int
    source: str

    def __str__(self) -> str:
        return f"{self.file.rpartition('/')[2]}:{self.line}"


class Findings:
    """Problems, each once: what is repeated by a definition is at fault in one place only."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def error(self, place: Place, message: str, hint: str = "", *, subject: str = "") -> None:
        """Add what cannot be understood: something is left out because of it."""
        self._add(place, Severity.ERROR, message, hint, subject)

    def warning(self, place: Place, message: str, hint: str = "", *, subject: str = "") -> None:
        """Add what is understood and not the same here."""
        self._add(place, Severity.WARNING, message, hint, subject)

    def _add(self, place: Place, severity: Severity, message: str, hint: str, subject: str) -> None:
        problem = Problem(
            file=place.file,
            line=place.line,
            column=place.column,
            length=place.length,
            severity=severity,
            path=subject,
            message=message,
            hint=hint,
            source=place.source,
        )
        self._found.setdefault(problem)

    def __iter__(self) -> Iterator[Problem]:
        """Those of a file together, in the order of its lines."""
        files = {problem.file: number for number, problem in enumerate(reversed(self._found))}
        return iter(sorted(self._found, key=lambda one: (-files[one.file], one.line, one.column)))

    def __len__(self) -> int:
        return len(self._found)

    @property
    def errors(self) -> int:
        """How many there are that something is left out for."""
        return sum(one.severity is Severity.ERROR for one in self._found)
