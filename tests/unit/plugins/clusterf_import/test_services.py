from __future__ import annotations

import pytest

from clusterf.model.address import Address, Family
from clusterf.model.service import Frontend, Ports
from clusterf.model.table import AddressKey, FwmarkKey, Method, Protocol
from clusterf_import.services import ImportedBackend, keys, name_of, plain_name, unique_name

V4, V6 = Address.parse("192.0.2.10"), Address.parse("2001:db8::10")


def test_a_frontend_asks_for_one_entry_for_each_address_and_protocol() -> None:
    both = Frontend(ipv4=V4, ipv6=V6, ports=Ports(tcp=80, udp=53))
    assert list(keys(both)) == [
        AddressKey(Protocol.TCP, V4, 80),
        AddressKey(Protocol.UDP, V4, 53),
        AddressKey(Protocol.TCP, V6, 80),
        AddressKey(Protocol.UDP, V6, 53),
    ]
    assert list(keys(Frontend(fwmark=7))) == [FwmarkKey(Family.INET, 7)]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (AddressKey(Protocol.TCP, V4, 80), "tcp-192-0-2-10-80"),
        (AddressKey(Protocol.SCTP, V6, 0), "sctp-2001-db8-10-0"),
        (FwmarkKey(Family.INET, 7), "fwmark-7"),
        (FwmarkKey(Family.INET6, 7), "fwmark-7-inet6"),
    ],
)
def test_a_service_without_a_name_is_called_by_its_key(
    key: AddressKey | FwmarkKey, name: str
) -> None:
    assert name_of(key) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [("VSG_1", "VSG_1"), (" a b/c ", "a-b-c"), ("日本", "service"), ("x" * 300, "x" * 100)],
)
def test_names_need_no_quotes(text: str, name: str) -> None:
    assert plain_name(text) == name


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert unique_name("web", []) == "web"
    assert unique_name("web", ["web", "web-2"]) == "web-3"


def test_a_backend_is_called_by_its_address_and_port() -> None:
    assert str(ImportedBackend(address=V6, port=80, weight=1, method=Method.MASQ)) == (
        "[2001:db8::10]:80"
    )
