"""``~SEQ(...)`` and ``~LST(...)``: the rest of a line once for each value. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

MOST = 100_000
"""Values of one list. keepalived's manual shows 65,024 of them in three."""

_HEAD = re.compile(r"~(SEQx?|LST)[ \t]*\(")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Malformed(ValueError):
    """It begins like one and is none."""


class Repeated(NamedTuple):
    """Names, their values one round after the other, and the rest of the line."""

    names: tuple[str, ...]
    rounds: Sequence[tuple[str, ...]]
    rest: str


def repeated(text: str) -> Repeated | None:
    """Read what a line begins with.

    Raises:
        Malformed: it says nonsense.
    """
    head = _HEAD.match(text)
    if head is None:
        if text.startswith(("~SEQ", "~LST")):
            raise Malformed(f"{text[:4]} needs a list in parentheses")
        return None
    end = text.find(")", head.end())
    if end < 0:
        raise Malformed(f"~{head[1]} is not closed")
    inside, rest = text[head.end() : end], text[end + 1 :].strip()
    if head[1] == "LST":
        return Repeated(*_listed(inside), rest)
    name, *numbers = (part.strip() for part in inside.split(","))
    if not _NAME.fullmatch(name):
        raise Malformed(f"~{head[1]} needs the name of a variable first")
    shown = "x" if head[1] == "SEQx" else "d"
    values = _counted(numbers)
    if shown == "x" and values and min(values[0], values[-1]) < 0:
        raise Malformed("~SEQx is for numbers from 0 on")
    return Repeated((name,), [(format(value, shown),) for value in values], rest)


def _counted(numbers: Sequence[str]) -> range:
    """``end``, or ``start, end``, or ``start, step, end``, which is part of it."""
    try:
        values = [int(number, 0) for number in numbers]
    except ValueError:
        raise Malformed(f"{', '.join(numbers)} are not numbers") from None
    match values:
        case [end]:
            start, step = (-1, -1) if end < 0 else (1, 1)
        case [start, end]:
            step = 1 if start <= end else -1
        case [start, step, end] if step and (end - start) * step >= 0:
            pass
        case _:
            raise Malformed("a sequence has an end, a start and an end, or a step between them")
    counted = range(start, end + (1 if step > 0 else -1), step)
    # len() itself refuses what is longer than a pointer.
    if abs(end - start) // abs(step) >= MOST:
        raise Malformed(f"a sequence has at most {MOST} numbers")
    return counted


def _listed(inside: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """``name, value, value`` or ``{name, name}, {value, value}, {value, value}``."""
    several = inside.lstrip().startswith("{")
    if several:
        parts = re.findall(r"\{([^{}]*)\}", inside)
        first, *rounds = [tuple(word.strip() for word in part.split(",")) for part in parts]
    else:
        first, *rounds = [(part.strip(),) for part in inside.split(",")]
    if not rounds or not all(map(_NAME.fullmatch, first)):
        raise Malformed("~LST needs the name of a variable, and values")
    if any(len(one) != len(first) for one in rounds):
        raise Malformed(f"~LST needs {len(first)} values at a time")
    return first, rounds
