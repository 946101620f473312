"""Options: what a plugin's settings ask of clusterf.toml, told from the model alone."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from clusterf.model.address import Address, Network
from clusterf.plugin.faults import shown
from clusterf.plugin.forwarding import (
    FlagNames,
    IPv4,
    IPv6,
    MethodName,
    SchedulerName,
    Sticky,
    TunnelSettings,
)
from clusterf.plugin.settings import Duration, IPAddress, IPNetwork, PathName, Settings

DURATION = "duration"
TABLE = "table"


def _validator(alias: Any) -> BeforeValidator:
    """What tells an annotated type of the API from others of the same plain type."""
    [found] = [one for one in get_args(alias)[1:] if isinstance(one, BeforeValidator)]
    return found


_WORDS: Mapping[BeforeValidator, str] = {
    _validator(Duration): DURATION,
    _validator(IPAddress): "address",
    _validator(IPv4): "IPv4 address",
    _validator(IPv6): "IPv6 address",
    _validator(IPNetwork): "prefix",
    _validator(PathName): "path",
    _validator(MethodName): "forwarding method",
    _validator(SchedulerName): "scheduler",
    _validator(FlagNames): "array of flags",
    _validator(Sticky): "duration or table",
    _validator(TunnelSettings): TABLE,
}
_PLAIN: Mapping[Any, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    Any: "anything",
    Address: "address",
    Network: "prefix",
}
_ARRAYS = (list, tuple, set, frozenset)
_UNITS = (("d", 86400), ("h", 3600), ("m", 60))


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One key of a table. ``name`` is dotted where it is in a table within.

    ``kind`` says in words what it takes. ``default`` is as TOML writes it, empty where there is
    none: then the key is mandatory or has no effect by its absence. ``value`` is the default as
    JSON has it; durations are in seconds.
    """

    name: str
    kind: str
    required: bool
    default: str
    value: object
    description: str


def options_of(model: type[Settings]) -> Iterator[Option]:
    """All keys of a table, in the order of the model; those of a table within behind it."""
    return _options(model, "", ())


def _options(
    model: type[BaseModel], above: str, within: tuple[type[BaseModel], ...]
) -> Iterator[Option]:
    for name, field in model.model_fields.items():
        key = f"{above}{field.alias or name}"
        kind = _kind(field.annotation, field.metadata)
        default = _default(field)
        value = _plain(default)
        yield Option(
            name=key,
            kind=kind,
            required=field.is_required(),
            default=_written(value, duration=kind.startswith(DURATION)),
            value=value,
            description=field.description or "",
        )
        inner = _table_in(field.annotation)
        if inner is not None and inner not in within:
            yield from _options(inner, f"{key}.", (*within, inner))


# --- kinds ----------------------------------------------------------------------------------------


def _kind(annotation: Any, metadata: Any = ()) -> str:
    """In words for who writes TOML, with the bounds."""
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        metadata = [*metadata, *more]
    known = [_WORDS[one] for one in metadata if isinstance(one, BeforeValidator) and one in _WORDS]
    word = known[0] if known else _word(annotation)
    return word + _bounds(metadata, _lasting if word == DURATION else str)


def _word(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return _either([shown(one) for one in arguments])
    if origin in {Union, types.UnionType}:
        return _either([_kind(one) for one in arguments if one is not type(None)])
    if origin in _ARRAYS:
        return f"array of {_plural(_kind(arguments[0]))}" if arguments else "array"
    if annotation in _ARRAYS:
        return "array"
    if isinstance(origin or annotation, type):
        kind = origin or annotation
        if issubclass(kind, Enum):
            return _either([shown(one.value) for one in kind])
        if issubclass(kind, (BaseModel, Mapping)):
            return TABLE
        if issubclass(kind, PurePath):
            return "path"
    return _PLAIN.get(annotation) or str(getattr(annotation, "__name__", annotation))


def _either(words: list[str]) -> str:
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} or {last}" if first else last


def _plural(kind: str) -> str:
    """Of one word; what is more than that stays as it is."""
    if not kind.replace(" ", "").isalpha() or " or " in kind:
        return kind
    return f"{kind}{'es' if kind.endswith(('s', 'x')) else 's'}"


def _bounds(metadata: Any, written: Callable[[Any], str]) -> str:
    low, high = _bound(metadata, "ge"), _bound(metadata, "le")
    above, below = _bound(metadata, "gt"), _bound(metadata, "lt")
    if low is not None and high is not None:
        return f" from {written(low)} to {written(high)}"
    words = (
        ("at least", low or None),  # nothing is negative here
        ("more than", above),
        ("at most", high),
        ("less than", below),
    )
    return "".join(f" {word} {written(bound)}" for word, bound in words if bound is not None)


def _bound(metadata: Any, name: str) -> Any:
    return next((getattr(one, name) for one in metadata if hasattr(one, name)), None)


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """The model of a table within, also of one that may be left out."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {Union, types.UnionType}:
        found = [_table_in(one) for one in get_args(annotation) if one is not type(None)]
        return found[0] if len(found) == 1 else None
    return None


# --- defaults -------------------------------------------------------------------------------------


def _default(field: FieldInfo) -> object:
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True, validated_data={})
    return None if value is PydanticUndefined else value


def _plain(value: object) -> object:
    """As JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (Address, Network, PurePath)):
        return str(value)
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(str(_plain(one)) for one in value)
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(value)


def _written(value: object, *, duration: bool = False) -> str:
    """As TOML has it; nothing where nothing is said."""
    if value is None:
        return ""
    if duration and isinstance(value, (int, float)) and not isinstance(value, bool):
        return f'"{_lasting(value)}"' if value else "0"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, dict):
        pairs = (f"{key} = {_written(one)}" for key, one in value.items() if one is not None)
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return shown(value)


def _lasting(seconds: float) -> str:
    """``5m``, ``500ms``; 0 without a unit, as it often means "not at all"."""
    if not seconds:
        return "0"
    for unit, size in _UNITS:
        if seconds % size == 0:
            return f"{seconds // size:g}{unit}"
    if seconds < 1 and (thousands := round(seconds * 1000, 6)).is_integer():
        return f"{thousands:g}ms"
    return f"{seconds:g}s"
