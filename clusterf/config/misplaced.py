"""Keys of the core's own tables that stand where nobody reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clusterf.config.settings import CoreTable, DefaultsTable

_OWNERS: Mapping[str, str] = {
    **dict.fromkeys(("frontend", "frontends", "backends"), "[services.NAME]"),
    **dict.fromkeys(("prefix", "gateway"), "[routes.NAME]"),
    **dict.fromkeys(DefaultsTable.model_fields, "[defaults]"),
    **dict.fromkeys(CoreTable.model_fields, "[clusterf]"),
}


def whereabouts(key: str, value: object) -> str:
    """A hint: the table that a key belongs to, or the name that a table should have."""
    if isinstance(value, dict) and key not in DefaultsTable.model_fields:
        return "did you mean [clusterf]?" if "managed" in value else ""
    return f"it belongs to {_OWNERS[key]}" if key in _OWNERS else ""


def core_keys_elsewhere(data: Mapping[str, Any]) -> bool:
    """Whether what must stand in [clusterf] stands at the top, or in a table of another name."""
    return "managed" in data or any(
        isinstance(value, dict) and "managed" in value for value in data.values()
    )
