from __future__ import annotations

import pytest

from clusterf.model.address import Family
from clusterf_import.numbers import address, addresses, number, port, prefix


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), (" 7 ", 7), ("10", 10), ("11", None), ("-1", None), ("1.5", None), ("", None),
     ("x", None), ("٣", None), ("9" * 5000, None)],
)  # fmt: skip
def test_numbers(text: str, value: int | None) -> None:
    assert number(text, 0, 10) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1/24", "192.0.2.1"),
        ("192.0.2.1-9", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("web1", "None"),
        ("192.0.2.256", "None"),
        ("", "None"),
    ],
)
def test_addresses_of_servers(text: str, found: str) -> None:
    assert str(address(text)) == found


@pytest.mark.parametrize(
    ("text", "value"),
    [(None, 0), ("0", 0), ("000", 0), ("80", 80), ("65536", None), ("http", None), ("-1", None)],
)
def test_ports(text: str | None, value: int | None) -> None:
    assert port(text) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("192.0.2.1", ["192.0.2.1"]),
        ("192.0.2.1-3", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        ("192.0.2.255-192.0.3.0", ["192.0.2.255", "192.0.3.0"]),
        ("192.0.2.10/31", ["192.0.2.10", "192.0.2.11"]),
        ("192.0.2.11/31", ["192.0.2.10", "192.0.2.11"]),
        ("2001:db8::9-a", ["2001:db8::9", "2001:db8::a"]),
        ("2001:db8::ffff-2001:db8::1:0", ["2001:db8::ffff", "2001:db8::1:0"]),
        ("2001:db8::/127", ["2001:db8::", "2001:db8::1"]),
    ],
)
def test_ranges(text: str, found: list[str]) -> None:
    assert list(map(str, addresses(text))) == found


@pytest.mark.parametrize(
    "text",
    ["", "web", "192.0.2.9-1", "192.0.2.1-300", "192.0.2.1-x", "192.0.2.1-", "192.0.2.1-1_0",
     "192.0.2.1-2001:db8::1", "192.0.2.0/33", "10.0.0.0/8", "2001:db8::/64", "2001:db8::1-10000",
     "192.0.2.1-2.3"],
)  # fmt: skip
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match=r'^".*" '):
        addresses(text)


@pytest.mark.parametrize(
    ("text", "family", "length"),
    [
        ("255.255.255.0", Family.INET, 24),
        ("255.255.255.255", Family.INET, 32),
        ("128.0.0.0", Family.INET, 1),
        ("0.0.0.0", Family.INET, None),
        ("255.0.255.0", Family.INET, None),
        ("24", Family.INET, None),
        ("64", Family.INET6, 64),
        ("0", Family.INET6, None),
        ("129", Family.INET6, None),
        ("ffff::", Family.INET, None),
    ],
)
def test_granularities(text: str, family: Family, length: int | None) -> None:
    assert prefix(text, family) == length
