from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError

from clusterf.model.address import Address, Network
from clusterf.plugin.settings import (
    Duration,
    IPAddress,
    IPNetwork,
    PathName,
    PortNumber,
    Settings,
    WeightNumber,
)


def read(kind: Any, value: object) -> Any:
    adapter = TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True, strict=True))
    return adapter.validate_python(value)


def refuse(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    return str(caught.value)


class Example(Settings):
    wait: Duration = 5.0
    count: int = 1


def test_a_table_is_frozen_and_has_its_defaults() -> None:
    one = Example.model_validate({"wait": "1m"})
    assert (one.wait, one.count) == (60.0, 1)
    with pytest.raises(ValidationError):
        one.count = 2  # type: ignore[misc]


@pytest.mark.parametrize("table", [{"wiat": 1}, {"count": "1"}, {"count": 1.5}, {"count": True}])
def test_unknown_keys_and_wrong_types_are_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Example.model_validate(table)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("250ms", 0.25),
        ("5s", 5.0),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        ("1d", 86400.0),
        ("0s", 0.0),
        (7, 7.0),
        (0.5, 0.5),
        (0, 0.0),
    ],
)
def test_durations_are_read(value: object, seconds: float) -> None:
    assert read(Duration, value) == seconds


@pytest.mark.parametrize(
    "value", ["", "5", "s", "5 s", "-5s", "5x", "5s6", "1e3s", "s5", -1, True, None, [], 10**10]
)
def test_what_is_no_duration_is_refused(value: object) -> None:
    assert "not a duration" in refuse(Duration, value)


def test_addresses_and_prefixes_are_read() -> None:
    assert read(IPAddress, "192.0.2.1") == Address.parse("192.0.2.1")
    assert read(IPAddress, Address.parse("::1")) == Address.parse("::1")
    assert read(IPNetwork, "192.0.2.0/24") == Network.parse("192.0.2.0/24")
    assert read(IPNetwork, Network.parse("::/0")) == Network.parse("::/0")


@pytest.mark.parametrize("value", ["192.0.2", "", 7, None, b"\xc0\x00\x02\x01"])
def test_what_is_no_address_is_refused(value: object) -> None:
    assert "is not an IP address" in refuse(IPAddress, value)


@pytest.mark.parametrize("value", ["192.0.2.1/24", "192.0.2.0/255.255.255.0", "", 7, None])
def test_what_is_no_prefix_is_refused(value: object) -> None:
    assert "is not a prefix" in refuse(IPNetwork, value)


def test_paths_are_read() -> None:
    assert read(PathName, "services.d") == Path("services.d")
    assert read(PathName, Path("/etc")) == Path("/etc")


@pytest.mark.parametrize("value", ["", "a\0b", 7, None])
def test_what_is_no_path_is_refused(value: object) -> None:
    assert "is not a path" in refuse(PathName, value)


def test_ports_and_weights_have_their_bounds() -> None:
    assert [read(PortNumber, port) for port in (1, 65535)] == [1, 65535]
    assert [read(WeightNumber, weight) for weight in (0, 2**31 - 1)] == [0, 2**31 - 1]
    for port in (0, 65536, -1):
        refuse(PortNumber, port)
    for weight in (-1, 2**31):
        refuse(WeightNumber, weight)
