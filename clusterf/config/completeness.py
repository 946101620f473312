"""What a configuration lacks as a whole, or has too much of, seen in its raw values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from clusterf.model.problem import Code, Severity
from clusterf.plugin.document import Fault
from clusterf.plugin.positions import KeyPath


def completeness_faults(raw: Mapping[str, Any], managing: Collection[str] = ()) -> Iterator[Fault]:
    """At least one source and one output. Without a source all that is managed would go.

    ``managing``: types of outputs that have a part in what is managed.
    """
    in_place = raw.get("services") or "routes" in raw
    if not any(_enabled(raw.get("sources"))) and not in_place:
        off = _switched_off(raw, "sources")
        yield Fault(
            off,
            "is off, and there is no other source" if off[2:] else "there is no source",
            "add a table [sources.NAME], or [services.NAME]",
            Code.NO_SOURCE,
        )
    if not any(_enabled(raw.get("outputs"))):
        off = _switched_off(raw, "outputs")
        yield Fault(
            off,
            ("is off, and there is no other output" if off[2:] else "there is no output")
            + ", so nothing will be changed anywhere",
            "add a table [outputs.NAME]",
            Code.NO_OUTPUT,
            Severity.WARNING,
        )
    elif _owns_nothing(raw.get("clusterf")) and not _only_publishes(raw, managing):
        yield Fault(
            ("clusterf", "managed"),
            "is empty, so clusterf owns nothing and will change nothing",
            'such as ["192.0.2.0/24"]',
            Code.NOTHING_MANAGED,
            Severity.WARNING,
        )


def surplus_faults(raw: Mapping[str, Any], alone: Collection[str]) -> Iterator[Fault]:
    """Outputs, by their raw tables, of which there can be one and are more.

    ``alone``: types that make a part of the host of which there is one.
    """
    outputs = raw.get("outputs")
    first: dict[str, str] = {}
    for name, table in outputs.items() if isinstance(outputs, dict) else ():
        kind = table.get("type") if isinstance(table, dict) else None
        if isinstance(kind, str) and kind in alone and table.get("enabled", True) is not False:
            holder = first.setdefault(kind, name)
            if holder != name:
                yield Fault(
                    ("outputs", name),
                    f"there can be one output of type {kind}, and outputs.{holder} is one",
                    "both would make the same part of this host: leave one out",
                    Code.CONTRADICTION,
                )


def _owns_nothing(core: object) -> bool:
    """Whether it is said that nothing is managed."""
    return isinstance(core, dict) and core.get("managed") == [] and not core.get("managed_fwmarks")


def _only_publishes(raw: Mapping[str, Any], managing: Collection[str]) -> bool:
    """Whether there are outputs, and none of them is of these types."""
    outputs = raw.get("outputs")
    tables = list(outputs.values()) if isinstance(outputs, dict) else []
    return bool(tables) and not any(
        isinstance(table, dict) and table.get("type") in managing for table in tables
    )


def _switched_off(raw: Mapping[str, Any], section: str) -> KeyPath:
    """Where the first instance of a section is switched off; the section if there is none."""
    for name in raw.get(section) or ():
        return (section, name, "enabled")
    return (section,) if section in raw else ()


def _enabled(section: object) -> Iterator[bool]:
    """For each instance of a section, whether it is, or could be, enabled."""
    if isinstance(section, dict):
        for table in section.values():
            yield not isinstance(table, dict) or table.get("enabled", True) is not False
    elif section is not None:
        yield True  # no table at all, which is told as such
