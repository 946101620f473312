"""Whether a configuration is complete: what it lacks as a whole, seen in its raw values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from clusterf.model.problem import Code, Severity
from clusterf.plugin.document import Fault


def completeness_faults(
    raw: Mapping[str, Any], publishing: Collection[str] = ()
) -> Iterator[Fault]:
    """At least one source and one output. Without a source all that is managed would go.

    ``publishing``: types of outputs that have no part in what is managed.
    """
    in_place = raw.get("services") or "routes" in raw
    if not any(_enabled(raw.get("sources"))) and not in_place:
        yield Fault(
            ("sources",) if "sources" in raw else (),
            "there is no source",
            "add a table [sources.NAME], or [services.NAME]",
            Code.NO_SOURCE,
        )
    if not any(_enabled(raw.get("outputs"))):
        yield Fault(
            ("outputs",) if "outputs" in raw else (),
            "there is no output, so nothing will be changed anywhere",
            "add a table [outputs.NAME]",
            Code.NO_OUTPUT,
            Severity.WARNING,
        )
    if _owns_nothing(raw.get("clusterf")) and not _only_publishes(raw, publishing):
        yield Fault(
            ("clusterf", "managed"),
            "is empty, so clusterf owns nothing and will change nothing",
            'such as ["192.0.2.0/24"]',
            Code.NOTHING_MANAGED,
            Severity.WARNING,
        )


def _owns_nothing(core: object) -> bool:
    """Whether it is said that nothing is managed."""
    return isinstance(core, dict) and core.get("managed") == [] and not core.get("managed_fwmarks")


def _only_publishes(raw: Mapping[str, Any], publishing: Collection[str]) -> bool:
    """Whether there are outputs, and all of them are of these types."""
    outputs = raw.get("outputs")
    tables = list(outputs.values()) if isinstance(outputs, dict) else []
    return bool(tables) and all(
        isinstance(table, dict) and table.get("type") in publishing for table in tables
    )


def _enabled(section: object) -> Iterator[bool]:
    """For each instance of a section, whether it is, or could be, enabled."""
    if isinstance(section, dict):
        for table in section.values():
            yield not isinstance(table, dict) or table.get("enabled", True) is not False
    elif section is not None:
        yield True  # no table at all, which is told as such
