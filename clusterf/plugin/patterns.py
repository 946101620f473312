"""Patterns in settings that pick sources by the names of their instances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field

from clusterf.model.problem import Code
from clusterf.plugin.document import Document, Fault
from clusterf.plugin.faults import did_you_mean, shown

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


def unpicking(patterns: Iterable[str], document: Document) -> Iterator[Fault]:
    """A warning for each pattern that picks none of the sources in clusterf.toml, at its index.

    What stands there counts, be it at fault or not enabled: that is told by itself.
    """
    sources = document.data.get("sources")
    names = [f"{_SECTION}{name}" for name in sources] if isinstance(sources, dict) else []
    if document.data.keys() & {"services", "routes"}:
        names.append("services")
    for index, pattern in enumerate(patterns):
        if not any(map(Among([pattern]), names)):
            bare = (name.removeprefix(_SECTION) for name in names)
            hint = did_you_mean(pattern.removeprefix(_SECTION), bare)
            if not names:
                hint = "there is none"
            message = f"{shown(pattern)} picks no source"
            # No error: one configuration may be for hosts of several kinds.
            yield Fault((index,), message, hint, Code.UNKNOWN_CHOICE).as_warning()
