"""What the samples say of each option: the text (``## ...``) above its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

Told: TypeAlias = Mapping[tuple[str, str], list[str]]
"""Paragraphs by the first word of the section (``outputs``) and the key."""

_SECTION = re.compile(r"^\[+([^\]]+)\]+$")
_KEY = re.compile(r"^(?:# )?(\w+) = ")


def told(sample: str) -> Told:
    """What it says; of what it says twice the first.

    Lines that are indented are tables of what is within, which the model tells by itself.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for section, key, lines in _options(sample):
        if lines:
            found.setdefault((section, key), list(_paragraphs(lines)))
    return found


def _options(sample: str) -> Iterator[tuple[str, str, list[str]]]:
    section, lines = "", list[str]()
    for line in sample.splitlines():
        if line.startswith("##"):
            lines.append(line[3:])
        elif not line:
            lines = []
        elif begun := _SECTION.match(line.removeprefix("# ")):
            section, lines = begun[1].partition(".")[0], []
        elif key := _KEY.match(line):
            yield section, key[1], lines


def _paragraphs(lines: list[str]) -> Iterator[str]:
    whole = "\n".join("" if line.startswith("  ") else line for line in lines)
    for one in re.split(r"\n{2,}", whole):
        if one.strip():
            yield one.strip()
