"""Patterns in settings that pick sources by the names of their instances."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field

_SECTION = "sources."

SourcePatterns = list[Annotated[str, Field(min_length=1)]]
"""Patterns (``*``, ``?``, ``[...]``) of sources: "etcd-*" or "sources.etcd-*"; [] picks none."""


class Among:
    """Whether a source is picked by one of the patterns, with or without "sources." before it.

    Without patterns (None) every source is.
    """

    __slots__ = ("_known", "_patterns")

    def __init__(self, patterns: Iterable[str] | None) -> None:
        self._patterns = ("*",) if patterns is None else tuple(patterns)
        # Asked for every record, and there are few sources.
        self._known: dict[str, bool] = {}

    def __call__(self, source: str) -> bool:
        """Answer for the name of an instance: ``sources.local-docker``."""
        known = self._known.get(source)
        if known is None:
            names = (source, source.removeprefix(_SECTION))
            known = self._known[source] = any(
                fnmatchcase(name, pattern) for pattern in self._patterns for name in names
            )
        return known
