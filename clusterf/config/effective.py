"""The effective configuration: what a file says, with every default that it leaves unsaid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clusterf.config.load import Keys, startup_error
from clusterf.config.settings import (
    CoreTable,
    DefaultsTable,
    OutputKeys,
    PolicyKeys,
    SourceKeys,
)
from clusterf.config.writing import Table
from clusterf.plugin.api import AnyType
from clusterf.plugin.loader import Registry
from clusterf.plugin.settings import Settings


def effective(data: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """All sections of a checked file, ready to be written; secrets are hidden.

    Instances that are not enabled are there too. Services and routes stay as they are: what one
    leaves open is in the defaults.
    """
    values: dict[str, Any] = {
        "clusterf": Table(_written(CoreTable.model_validate(data["clusterf"]))),
        "defaults": Table(_written(DefaultsTable.model_validate(data.get("defaults", {})))),
        "sources": _instances(data.get("sources", {}), registry.sources, SourceKeys),
        "policies": [
            _instance(table, registry.policies, PolicyKeys) for table in data.get("policies", ())
        ],
        "outputs": _instances(data.get("outputs", {}), registry.outputs, OutputKeys),
    }
    for section in ("services", "routes"):
        values[section] = Table(
            (name, Table(table)) for name, table in data.get(section, {}).items()
        )
    return {name: value for name, value in values.items() if name in data or name == "defaults"}


def _instances(tables: Mapping[str, Any], types: Mapping[str, AnyType], keys: type[Keys]) -> Table:
    return Table((name, _instance(table, types, keys)) for name, table in tables.items())


def _instance(table: Mapping[str, Any], types: Mapping[str, AnyType], model: type[Keys]) -> Table:
    kind = types[table["type"]]
    keys = model.model_validate({key: table[key] for key in table if key in model.model_fields})
    rest = {key: value for key, value in table.items() if key not in model.model_fields}
    written = _written(keys) | _written(kind.settings.model_validate(rest))
    if "startup_error" in written:
        written["startup_error"] = startup_error(keys, kind)
    return Table(written)


def _written(settings: Settings) -> dict[str, Any]:
    """As its types say that they are written; SecretStr shows asterisks."""
    return settings.model_dump(mode="json", exclude_none=True)
