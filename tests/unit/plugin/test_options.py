from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from clusterf.model.address import Address, Network
from clusterf.model.table import Method
from clusterf.plugin import (
    Duration,
    FlagNames,
    IPAddress,
    IPNetwork,
    IPv4,
    IPv6,
    MethodName,
    PathName,
    PortNumber,
    SchedulerName,
    Settings,
    Sticky,
    TLSSettings,
    TunnelSettings,
)
from clusterf.plugin.loader import load_plugins
from clusterf.plugin.options import Option, options_of
from clusterf.plugin.registry import ROLES


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def option(annotation: Any, default: Any = ...) -> Option:
    """The only option of a model that has it."""
    namespace = {"__annotations__": {"x": annotation}, "__module__": __name__}
    if default is not ...:
        namespace["x"] = default
    found = list(options_of(type("Model", (Settings,), namespace)))
    return found[0]


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (str, "string"),
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (Any, "anything"),
        (str | None, "string"),
        (int | str, "integer or string"),
        (list[str], "array of strings"),
        (tuple[int, ...], "array of integers"),
        (list, "array"),
        (dict[str, int], "table"),
        (dict, "table"),
        (Path, "path"),
        (Literal["a"], '"a"'),
        (Literal["a", "b", 3], '"a", "b" or 3'),
        (Colour, '"red" or "blue"'),
        (Duration, "duration"),
        (Duration | None, "duration"),
        (Annotated[Duration, Field(ge=0.05, le=600)], "duration from 50ms to 10m"),
        (Annotated[Duration, Field(gt=0)], "duration more than 0"),
        (Annotated[Duration, Field(ge=0)], "duration"),
        (Annotated[int, Field(ge=2)], "integer at least 2"),
        (Annotated[int, Field(le=9)], "integer at most 9"),
        (Annotated[int, Field(lt=9)], "integer less than 9"),
        (PortNumber, "integer from 1 to 65535"),
        (IPAddress, "address"),
        (IPv4 | None, "IPv4 address"),
        (IPv6, "IPv6 address"),
        (IPNetwork, "prefix"),
        (list[IPNetwork], "array of prefixes"),
        (list[Annotated[str, Field(min_length=1)]], "array of strings"),
        (PathName | None, "path"),
        (MethodName, "forwarding method"),
        (SchedulerName, "scheduler"),
        (FlagNames, "array of flags"),
        (Sticky, "duration or table"),
        (TunnelSettings | None, "table"),
        (TLSSettings | None, "table"),
        (list[Literal["a", "b"]], 'array of "a" or "b"'),
    ],
)
def test_what_a_key_takes_is_said_in_words(annotation: Any, kind: str) -> None:
    assert option(annotation).kind == kind


@pytest.mark.parametrize(
    ("annotation", "default", "written", "value"),
    [
        (str, "x", '"x"', "x"),
        (str, 'a "b"', '"a \\"b\\""', 'a "b"'),
        (bool, False, "false", False),
        (int, 0, "0", 0),
        (int | None, None, "", None),
        (Duration, 0, "0", 0),
        (Duration, 0.25, '"250ms"', 0.25),
        (Duration, 1.5, '"1.5s"', 1.5),
        (Duration, 90.0, '"90s"', 90.0),
        (Duration, 300.0, '"5m"', 300.0),
        (Duration, 7200, '"2h"', 7200),
        (Duration, 86400, '"1d"', 86400),
        (list[str], [], "[]", []),
        (list[str], ["a", "b"], '["a", "b"]', ["a", "b"]),
        (frozenset[str], frozenset({"b", "a"}), '["a", "b"]', ["a", "b"]),
        (PathName, Path("/x"), '"/x"', "/x"),
        (IPAddress, Address.parse("192.0.2.1"), '"192.0.2.1"', "192.0.2.1"),
        (IPNetwork, Network.parse("192.0.2.0/24"), '"192.0.2.0/24"', "192.0.2.0/24"),
        (MethodName, Method.MASQ, '"masq"', "masq"),
        (dict[str, int], {"a": 1}, "{ a = 1 }", {"a": 1}),
        (dict[str, int], {}, "{}", {}),
        (TLSSettings, TLSSettings(), "{  }", {"ca": None, "cert": None, "key": None}),
    ],
)
def test_a_default_is_written_as_toml_and_given_as_json(
    annotation: Any, default: Any, written: str, value: object
) -> None:
    found = option(annotation, default)
    assert (found.default, found.value, found.required) == (written, value, False)


def test_a_key_without_a_default_is_mandatory() -> None:
    found = option(str)
    assert (found.required, found.default, found.value) == (True, "", None)


def test_what_makes_its_default_is_asked_for_it() -> None:
    assert option(list[str], Field(default_factory=lambda: ["x"])).default == '["x"]'


def test_tables_within_are_told_behind_their_key() -> None:
    class Inner(Settings):
        deep: int = Field(description="how deep")
        again: Inner | None = None

    class Outer(Settings):
        first: Inner | None = None
        last: bool = True

    Inner.model_rebuild(_types_namespace={"Inner": Inner})
    Outer.model_rebuild(_types_namespace={"Inner": Inner})
    found = list(options_of(Outer))
    assert [one.name for one in found] == ["first", "first.deep", "first.again", "last"]
    assert (found[1].description, found[1].required) == ("how deep", True)


def test_of_every_bundled_type_every_option_is_described() -> None:
    registry = load_plugins()
    lacking = [
        f"{role} {name}: {found.name}"
        for role in ROLES
        if role != "command"
        for name, kind in registry.of(role).items()
        for found in options_of(kind.settings)
        if not found.description or not found.kind.strip()
    ]
    assert lacking == []
