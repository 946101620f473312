from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError, create_model

from clusterf.model.address import Address, Network
from clusterf.plugin import Settings
from clusterf_etcd import field_types
from clusterf_etcd.field_types import Few, is_text


@cache
def model_of(kind: str) -> type[Settings]:
    return create_model(kind, __base__=Settings, field=getattr(field_types, kind))


def read(kind: str, value: object) -> Any:
    return model_of(kind).model_validate({"field": value}).field  # type: ignore[attr-defined] # has


@pytest.mark.parametrize(
    ("kind", "value", "read_as"),
    [
        ("Port", 0, None),
        ("Port", 65535, 65535),
        ("AnyPort", 0, 0),
        ("VIP4", "", None),
        ("VIP4", "192.0.2.1", Address.parse("192.0.2.1")),
        ("VIP6", "", None),
        ("VIP6", "2001:DB8::0:1", Address.parse("2001:db8::1")),
        ("Backend4", "", None),
        ("Backend4", "127.0.0.1", Address.parse("127.0.0.1")),
        ("Backend6", "fe80::1", Address.parse("fe80::1")),
        ("Gateway", "", None),
        ("Gateway", "2001:db8::1", Address.parse("2001:db8::1")),
        ("Prefix", "", None),
        ("Prefix", "192.0.2.7/24", Network.parse("192.0.2.0/24")),
        ("Prefix", "192.0.2.7/32", Network.parse("192.0.2.7/32")),
        ("Prefix", "0.0.0.0/0", Network.parse("0.0.0.0/0")),
        ("Prefix", "2001:db8::1/64", Network.parse("2001:db8::/64")),
        ("Method", "", None),
        ("Method", "tunnel", "tunnel"),
        ("Text", "", None),
        ("Text", "größe 1", "größe 1"),
        ("Text", "x" * 255, "x" * 255),
        ("Table", {"a": [1]}, {"a": [1]}),
    ],
)
def test_what_is_read(kind: str, value: object, read_as: object) -> None:
    found = read(kind, value)
    assert found == read_as
    assert type(found) is not int or type(read_as) is int


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(("Port", value) for value in (-1, 65536, 0.0, -0.0, False, "0", [], {})),
        *(("VIP4", value) for value in ("::1", "192.0.2.01", "192.0.2.1 ", "a", 0, [], "\ud800")),
        *(("VIP6", value) for value in ("192.0.2.1", "fe80::1%lo", "[::1]", 0)),
        *(("Backend4", value) for value in ("0.0.0.0", "224.0.0.1", "255.255.255.255", "::1")),
        *(("Backend6", value) for value in ("::", "ff02::1", "192.0.2.1")),
        *(("Gateway", value) for value in ("0.0.0.0", "ff02::1", "gw1", 7)),
        *(("Prefix", value) for value in ("192.0.2.0", "192.0.2.0/", "/24", "192.0.2.0/33")),
        *(("Prefix", value) for value in ("192.0.2.0/24/1", "::/129", "192.0.2.0/255.255.255.0")),
        *(("Prefix", value) for value in (24, [], True, "\ud800/1")),
        *(("Method", value) for value in ("Masq", "DROUTE", "nat", "filter", 0)),
        *(("Text", value) for value in ("x" * 256, "a\0", "a\n", "\x1b[0m", "\ud800", "\u202e", 1)),
        *(("Table", value) for value in ([], "a", 1, True)),
    ],
)
def test_what_is_not_read(kind: str, value: object) -> None:
    with pytest.raises(ValidationError):
        read(kind, value)


def test_an_array_may_have_many_entries_but_not_any_number() -> None:
    array: TypeAdapter[list[int]] = TypeAdapter(Annotated[list[int], Few])
    assert len(array.validate_python([1] * 256)) == 256
    with pytest.raises(ValidationError, match="at most 256 entries"):
        array.validate_python([1] * 257)


def test_a_text_is_short_and_printable() -> None:
    assert is_text("unhealthy")
    assert not is_text("")
    assert not is_text("a\tb")
    assert not is_text("x" * 256)
