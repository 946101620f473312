"""``$NAME=VALUE``, and what becomes of ``$NAME`` and ``${NAME}`` in a line. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from clusterf_import.keepalived.lines import BLANK, Line

LONGEST = 2**16
"""Characters of a line with everything put in. keepalived's own limit is lower."""

_MOST = 10_000
"""Replacements in one line: a definition that contains itself never ends."""

_DEFINES = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)=[ \t]*")
_REFERS = re.compile(
    r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)[ 0-9]*\}|([A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|$))"
)


class TooMuch(ValueError):
    """Definitions expand to more than anybody can have meant."""


class Definition(NamedTuple):
    """What stands for a name: one line, or several (``many``), which only end a line."""

    lines: tuple[Line, ...]
    many: bool = False


class Replaced(NamedTuple):
    """A line with its first references replaced, and the lines that follow from them."""

    line: Line
    further: tuple[Line, ...] = ()


def defined(line: Line) -> tuple[str, Line] | None:
    """Name and value, if a line is a definition."""
    match = _DEFINES.match(line.text)
    return None if match is None else (match[1], line.after(match.end()))


def continued(text: str) -> str | None:
    """What is before a backslash at the end of a line, or None without one."""
    return text[:-1].rstrip(BLANK) if text.endswith("\\") else None


def replace(line: Line, definitions: dict[str, Definition]) -> Replaced:
    """Put in what is defined; names that are not defined stay as they are.

    Raises:
        TooMuch: it would be too long, or never end.
    """
    text, start = line.text, 0
    further: tuple[Line, ...] = ()
    for _ in range(_MOST):
        match = _REFERS.search(text, start)
        if match is None:
            return Replaced(line.replaced(text), further)
        definition = definitions.get(match[1] or match[2])
        if definition is None or (definition.many and match.end() != len(text)):
            start = match.start() + 1
            continue
        first = definition.lines[0].text if definition.lines else ""
        text = text[: match.start()] + first + text[match.end() :]
        further = (*definition.lines[1:], *further)
        # What is put in may itself have references; a line that begins otherwise is seen anew.
        start = match.start()
        if len(text) > LONGEST:
            break
        if first.startswith("~"):
            return Replaced(line.replaced(text), further)
    raise TooMuch("expands to more than a line can hold")
