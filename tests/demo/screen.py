"""What the demo prints: numbered steps, checked claims, and one line that lives."""

from __future__ import annotations

import os
import shutil
import textwrap
import time
from typing import TextIO

WIDTH = 100
"""Columns that no line exceeds."""

_INDENT = "   "
_LIVE = 2.0
"""Seconds between two live lines where none can be overwritten."""

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "cyan": "36"}


class UntrueError(Exception):
    """Something that the demo claims is not so; the message is the claim and what was seen."""


class Screen:
    """Writes to ``out``; colours and lines that change in place are for terminals only."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._colours = self._terminal and "NO_COLOR" not in os.environ
        self._width = min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
        self._live_shown = False
        self._live_due = 0.0
        self._steps = 0

    def title(self, text: str) -> None:
        self._line(text, "bold")

    def step(self, text: str) -> None:
        """A numbered heading."""
        self._steps += 1
        self._line("")
        self._line(f"{self._steps:>2} {text}", "bold")

    def say(self, text: str, style: str = "") -> None:
        """A paragraph, wrapped."""
        for line in textwrap.wrap(text, self._width - len(_INDENT)):
            self._line(_INDENT + line, style)

    def fact(self, name: str, value: str) -> None:
        """One thing that was measured."""
        self._line(f"{_INDENT}{name:<58} {value}")

    def held(self, claim: str) -> None:
        """A claim that was checked and is true."""
        for number, line in enumerate(textwrap.wrap(claim, self._width - 8)):
            lead = self._paint("true", "green") if number == 0 else "    "
            self._line(f"{_INDENT}{lead} {line}")

    def text(self, text: str, style: str = "dim") -> None:
        """Lines as a program or a file has them; too long ones go on in the next."""
        lead = _INDENT * 2
        for line in text.rstrip("\n").split("\n"):
            parts = textwrap.wrap(line, self._width - len(lead), subsequent_indent=lead)
            for part in parts or [""]:
                self._line(f"{lead}{part}" if part else "", style)

    def command(self, command: str, prompt: str = "") -> None:
        """What was run, as one would type it; a word of it should fit in a line."""
        line = f"{_INDENT}{prompt}# {command}"
        room = self._width - len(" \\")
        parts = textwrap.wrap(line, room, subsequent_indent=_INDENT * 2, break_on_hyphens=False)
        self._line(" \\\n".join(parts), "cyan")

    def live(self, text: str, *, last: bool = False) -> None:
        """The line that lives; ``last`` leaves it standing as it is now."""
        text = (_INDENT + text)[: self._width - 1]
        if self._terminal:
            self._out.write(f"\r\x1b[K{text}" + ("\n" if last else ""))
            self._out.flush()
            self._live_shown = not last
        elif last or time.monotonic() >= self._live_due:
            self._live_due = time.monotonic() + _LIVE
            self._out.write(text + "\n")
            self._out.flush()

    def _line(self, text: str, style: str = "") -> None:
        if self._live_shown:
            self._out.write("\r\x1b[K")
            self._live_shown = False
        self._out.write(self._paint(text, style) + "\n")
        self._out.flush()

    def _paint(self, text: str, style: str) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style and self._colours else text


def span(seconds: float) -> str:
    """``12 ms``, ``3.4 s``."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
