"""Problems as text with the source line and a caret, and as JSON."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import fields

from clusterf.model.counting import counted
from clusterf.model.problem import Code, Problem, Severity

_WIDEST = 120
"""Columns of a source line that are shown; of a longer one a window around the caret."""

_LEAD = 40
"""Columns before the caret in such a window."""

_ELLIPSIS = "…"


def as_text(problems: Sequence[Problem]) -> str:
    """All problems, and how many there are."""
    return "".join(_block(problem) for problem in problems) + summary(problems) + "\n"


def as_json(problems: Iterable[Problem]) -> str:
    """A list of objects with the fields of `Problem`, and the tier and the words of its code."""
    names = [field.name for field in fields(Problem) if field.name != "source"]
    rows = [
        {name: getattr(problem, name) for name in names} | _of_code(problem.code)
        for problem in problems
    ]
    return json.dumps(rows, indent=2) + "\n"


def summary(problems: Iterable[Problem]) -> str:
    """``1 error, 0 warnings``; notes only where there are some."""
    counts = dict.fromkeys(Severity, 0)
    for problem in problems:
        counts[problem.severity] += 1
    return ", ".join(
        counted(count, severity)
        for severity, count in counts.items()
        if count or severity is not Severity.NOTE
    )


def _of_code(code: str) -> dict[str, str | None]:
    """What a code stands for; those of plugins that are not bundled stand for themselves."""
    try:
        known = Code(code)
    except ValueError:
        return {"tier": None, "name": None}
    return {"tier": known.tier, "name": known.words}


def _block(problem: Problem) -> str:
    lines = [_printable(str(problem))]
    if problem.line:
        source, column, length = _window(problem.source, problem.column, problem.length)
        indent = "".join(_blank(char) for char in source[: column - 1])
        marked = source[column - 1 : column - 1 + length]
        carets = "^" * max(1, sum(_width(char) for char in marked))
        lines.append(f"{problem.line:>5} | {_printable(source)}")
        lines.append(f"      | {indent}{carets} {_printable(problem.hint)}".rstrip())
    elif problem.hint:
        lines.append(f"      | {_printable(problem.hint)}")
    return "".join(f"{line}\n" for line in lines)


def _window(source: str, column: int, length: int) -> tuple[str, int, int]:
    if len(source) <= _WIDEST:
        return source, column, length
    start = max(0, column - 1 - _LEAD)
    end = start + _WIDEST
    shown = source[start:end]
    column -= start
    if start:
        shown = _ELLIPSIS + shown
        column += 1
    length = min(length, len(shown) - column + 1)
    if end < len(source):
        shown += _ELLIPSIS
    return shown, column, length


def _printable(text: str) -> str:
    """Tabs stay; other control characters could drive the terminal, so they are replaced."""
    return "".join(
        char
        if char == "\t" or not unicodedata.category(char).startswith(("C", "Zl", "Zp"))
        else "�"
        for char in text
    )


def _blank(char: str) -> str:
    return "\t" if char == "\t" else " " * _width(char)


def _width(char: str) -> int:
    """Columns of a terminal that a character takes."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
