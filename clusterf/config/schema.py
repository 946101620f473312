"""The JSON Schema of clusterf.toml, draft 2020-12: of the core's tables and of every loaded type.

It says less than `clusterf check`, and never more: whatever it refuses, check refuses too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticOmit, to_jsonable_python

from clusterf import __version__
from clusterf.config.settings import (
    CoreTable,
    DefaultsTable,
    OutputKeys,
    PolicyKeys,
    SourceKeys,
)
from clusterf.plugin.api import AnyType
from clusterf.plugin.loader import Registry
from clusterf.plugin.settings import Settings

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}
"""What pydantic leaves as it is where a bound is put on a type that reads its values itself."""


def json_schema(registry: Registry) -> dict[str, Any]:
    """The whole schema."""
    definitions: dict[str, Any] = {}
    static = registry.sources.get("static")
    in_place = _model(static.settings, "sources.static", {}) if static is not None else {}
    properties = {
        "clusterf": _model(CoreTable, "clusterf", definitions),
        "defaults": _model(DefaultsTable, "defaults", definitions),
        "sources": _named(
            "where services and backends come from",
            _types("sources", registry.sources, SourceKeys, definitions),
        ),
        "policies": {
            "description": "what is decided of each service, in this order",
            "type": "array",
            "items": _one_of(_types("policies", registry.policies, PolicyKeys, definitions)),
        },
        "outputs": _named(
            "what is made to match",
            _types("outputs", registry.outputs, OutputKeys, definitions),
        ),
    }
    for section in ("services", "routes"):
        properties[section] = in_place.get("properties", {}).get(section, {"type": "object"})
    return {
        "$schema": DRAFT,
        "$comment": f"made by clusterf {__version__}: clusterf schema",
        "title": "clusterf.toml",
        "type": "object",
        "properties": properties,
        "required": ["clusterf"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _named(description: str, references: list[JsonSchemaValue]) -> JsonSchemaValue:
    """A table of instances by name."""
    return {
        "description": description,
        "type": "object",
        "additionalProperties": _one_of(references),
    }


def _one_of(references: list[JsonSchemaValue]) -> JsonSchemaValue | bool:
    """One of these; with none of a role no table is right."""
    return {"oneOf": references} if references else False


def _types(
    section: str,
    types: Mapping[str, AnyType],
    keys: type[Settings],
    definitions: dict[str, Any],
) -> list[JsonSchemaValue]:
    """References to one definition for each type, which differ in ``type``."""
    references: list[JsonSchemaValue] = []
    for name, kind in types.items():
        at = f"{section}.{name}"
        own = _model(keys, at, definitions)
        settings = _model(kind.settings, at, definitions)
        own["properties"]["type"] = {"const": name, "description": kind.summary}
        required = [*own.get("required", ()), *settings.get("required", ())]
        definitions[at] = {
            "description": kind.summary,
            "type": "object",
            "properties": own["properties"] | settings.get("properties", {}),
            "required": required,
            # What a plugin says of further keys holds.
            "additionalProperties": settings.get("additionalProperties", True),
        }
        references.append({"$ref": f"#/$defs/{at}"})
    return references


def _model(model: type[BaseModel], at: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of one model; what it refers to goes into ``definitions``, below its own name."""
    try:
        schema = model.model_json_schema(
            ref_template=f"#/$defs/{at}.{{model}}",
            schema_generator=_Generator,
        )
    except PydanticUserError:
        # A type that has no schema, in a plugin that is not ours: it can take anything.
        return {"type": "object"}
    for name, definition in schema.pop("$defs", {}).items():
        definitions[f"{at}.{name}"] = _tidied(definition)
    tidied: dict[str, Any] = _tidied(schema)
    return tidied


class _Generator(GenerateJsonSchema):
    """What has no form in JSON Schema can be anything here: check has the last word."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as its base

    def handle_invalid_for_json_schema(self, *_: object) -> JsonSchemaValue:
        """Take anything."""
        return {}

    def encode_default(self, dft: Any) -> Any:
        """Write defaults as they are written in TOML; leave out those that have no such form."""
        if isinstance(dft, (tuple, frozenset)) and not hasattr(dft, "_fields"):
            return [self.encode_default(one) for one in (sorted(dft, key=str))]
        if hasattr(dft, "_asdict"):
            return {key: self.encode_default(one) for key, one in dft._asdict().items()}
        try:
            return to_jsonable_python(dft)
        except ValueError as error:
            raise PydanticOmit from error


def _tidied(schema: Any) -> Any:
    """Without what TOML does not have (null), and what no reader of the schema needs."""
    if isinstance(schema, list):
        return [_tidied(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            found[key] = {name: _tidied(one) for name, one in value.items()}
        elif key == "anyOf":
            found |= _without_null(value)
        elif key in {"title", "uniqueItems"} or (key == "default" and value is None):
            continue
        elif key in {"default", "enum", "const"}:
            found[key] = value
        elif key == "description":
            found[key] = value.replace("``", "`")
        else:
            found[_BOUNDS.get(key) or key] = _tidied(value)
    return found


def _without_null(choices: Iterable[Any]) -> dict[str, Any]:
    left = [_tidied(one) for one in choices if one != {"type": "null"}]
    flat = [inner for one in left for inner in (one["anyOf"] if one.keys() == {"anyOf"} else [one])]
    return flat[0] if len(flat) == 1 else {"anyOf": flat}
