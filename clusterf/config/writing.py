"""TOML by the library toml, read back and compared: its writer loses some values silently."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import toml

from clusterf.model.errors import ClusterfError

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 100
"""Columns that an array takes in one line."""


class Table(dict[str, Any]):
    """Written with a header, [table] or in a list [[table]]. Any other dictionary is inline."""


class NotWritable(ClusterfError):
    """These values have no form in TOML."""


def write_toml(values: Mapping[str, Any]) -> str:
    """The text, that tomllib reads to the same values.

    Raises:
        NotWritable: it does not.
    """
    try:
        text = "\n".join(_parts(values))
        same = tomllib.loads(text.encode().decode()) == values
    except (TypeError, ValueError) as error:
        raise NotWritable(f"cannot be written as TOML: {error}") from error
    if not same:
        raise NotWritable("cannot be written as TOML: it reads back as something else")
    return text


def _parts(values: Mapping[str, Any]) -> Iterator[str]:
    """Values without a table, then the sections, each with all that is in it."""
    sections = {
        key: value
        for key, value in values.items()
        if isinstance(value, Table) or (isinstance(value, list) and _are_tables(value))
    }
    if bare := {key: value for key, value in values.items() if key not in sections}:
        yield toml.dumps(bare, encoder=_Encoder())
    for key, value in sections.items():
        yield toml.dumps({key: value}, encoder=_Encoder()).lstrip("\n")


def _are_tables(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, Table) for value in values)


class _Encoder(toml.TomlEncoder):  # type: ignore[type-arg] # its stub has a parameter, it has none
    """What the library's own encoder gets wrong: inline tables in arrays, odd strings and keys."""

    def dump_value(self, v: Any) -> str:
        """One value, in place."""
        if isinstance(v, str):
            return _string(v)
        if isinstance(v, Mapping):
            pairs = (f"{_key(key)} = {self.dump_value(one)}" for key, one in v.items())
            return f"{{ {', '.join(pairs)} }}" if v else "{}"
        if isinstance(v, (list, tuple)):
            return self._array([self.dump_value(one) for one in v])
        if v is None:
            raise TypeError("TOML has no null")
        return str(super().dump_value(v))

    def dump_sections(self, o: Any, sup: str) -> tuple[str, dict[str, Any]]:
        """The values of a table, and the tables in it by their headers."""
        text, tables, arrays = "", {}, ""
        prefix = f"{sup}." if sup else ""
        for key, value in o.items():
            name = _key(key)
            if isinstance(value, Table):
                tables[name] = value
            elif isinstance(value, list) and _are_tables(value):
                for one in value:
                    body, _ = self.dump_sections(dict(one), "")
                    arrays += f"\n[[{prefix}{name}]]\n{body}"
            else:
                text += f"{name} = {self.dump_value(value)}\n"
        return text + arrays, tables

    def _array(self, items: list[str]) -> str:
        line = f"[{', '.join(items)}]"
        if len(line) <= _LONGEST or any("\n" in item for item in items):
            return line
        return "[\n" + "".join(f"  {item},\n" for item in items) + "]"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, but that DEL may not stand for itself."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
