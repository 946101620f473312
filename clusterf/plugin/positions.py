"""Where the keys and values of a TOML text stand: paths to offsets, offsets to lines."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Way to a value: keys of tables and indices of arrays."""


class Span(NamedTuple):
    """Half-open range of offsets into the text."""

    start: int
    end: int


class Entry(NamedTuple):
    """One definition: a ``key = value`` or a header. ``end`` is where its value or name ends."""

    path: KeyPath
    key: Span
    end: int


@dataclass(slots=True)
class Positions:
    """Spans by path. A table's value is its header, or its opening brace if it is inline."""

    keys: dict[KeyPath, Span] = field(default_factory=dict)
    values: dict[KeyPath, Span] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    def key(self, path: KeyPath) -> Span | None:
        """The key of a path, else its value, else what is nearest above."""
        while path:
            span = self.keys.get(path) or self.values.get(path)
            if span is not None:
                return span
            path = path[:-1]
        return None

    def value(self, path: KeyPath) -> Span | None:
        """The value of a path, else its key, else what is nearest above."""
        while path:
            span = self.values.get(path) or self.keys.get(path)
            if span is not None:
                return span
            path = path[:-1]
        return None


class Lines:
    """Offsets to lines and columns, both counted from 1. Only a line feed ends a line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0]
        start = text.find("\n")
        while start >= 0:
            self._starts.append(start + 1)
            start = text.find("\n", start + 1)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def text(self, line: int) -> str:
        """Text of a line, without its end."""
        end = self._starts[line] - 1 if line < len(self._starts) else len(self._text)
        return self._text[self._starts[line - 1] : end]
