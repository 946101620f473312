"""Numbers that put services in order, chosen so that an insertion changes no other's number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

GAP = 2**20
"""Room for insertions between two neighbours."""


def number(names: Sequence[str], before: Mapping[str, int]) -> dict[str, int]:
    """A strictly increasing number for each name; those of ``before`` are kept where possible.

    Which numbers come out has no meaning, only their order has.
    """
    kept = [before[name] for name in names if name in before]
    if any(left >= right for left, right in pairwise(kept)):
        return _fresh(names)
    numbers: dict[str, int] = {}
    last = 0
    waiting: list[str] = []
    for name in names:
        if name not in before:
            waiting.append(name)
            continue
        if not _spread(waiting, last, before[name], numbers):
            return _fresh(names)
        last = numbers[name] = before[name]
        waiting = []
    _spread(waiting, last, last + GAP * (len(waiting) + 1), numbers)
    return numbers


def _spread(names: Sequence[str], low: int, high: int, numbers: dict[str, int]) -> bool:
    """Number these evenly between two bounds; False where there is no room."""
    step = (high - low) // (len(names) + 1)
    if names and step == 0:
        return False
    numbers.update((name, low + step * (index + 1)) for index, name in enumerate(names))
    return True


def _fresh(names: Sequence[str]) -> dict[str, int]:
    return {name: GAP * (index + 1) for index, name in enumerate(names)}
