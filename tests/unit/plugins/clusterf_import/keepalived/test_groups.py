from __future__ import annotations

import pytest

from clusterf.model.address import Family
from clusterf_import.keepalived.groups import Group, group
from clusterf_import.places import Findings
from tests.unit.plugins.clusterf_import.keepalived.written import statement, told


def read(*inside: str) -> tuple[Group, list[str]]:
    findings = Findings()
    body = "\n".join(inside)
    found = group(statement(f"virtual_server_group g {{\n{body}\n}}"), findings)
    return found, told(findings)


def test_entries() -> None:
    found, messages = read(
        "192.0.2.1 80", "192.0.2.8-9", "fwmark 7", "fwmark 8 inet6", "2001:db8::1 53"
    )
    assert messages == []
    assert [
        (one.address and str(one.address), one.port, one.mark, one.family) for one in found.entries
    ] == [
        ("192.0.2.1", 80, None, None),
        ("192.0.2.8", 0, None, None),
        ("192.0.2.9", 0, None, None),
        (None, 0, 7, None),
        (None, 0, 8, Family.INET6),
        ("2001:db8::1", 53, None, None),
    ]
    assert found.families == set(Family)
    assert [one.place.line for one in found.entries] == [2, 3, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("224.0.0.1 80", "224.0.0.1 is no address of a virtual server"),
        ("223.255.255.255-224.0.0.0 80", "224.0.0.0 is no address of a virtual server"),
        ("web 80", '"web" is not an IP address'),
        ("192.0.2.1 x", '"x" is not a port'),
        ("192.0.2.9-1 80", '"192.0.2.9-1" ends before it begins'),
        ("fwmark x", '"x" is not a firewall mark'),
        ("fwmark 7 ipv6", '"ipv6" is not an address family'),
        ("fwmark", '"fwmark" is not an IP address'),
    ],
)
def test_what_is_wrong_is_left_out_alone(text: str, message: str) -> None:
    found, messages = read(text, "192.0.2.1 80")
    assert len(found.entries) == 1
    assert messages == [f"2:1: error: virtual_server_group g: {message}; it is left out"]


def test_there_is_an_end_to_it() -> None:
    found, messages = read("10.0.0.0/16 80", "192.0.2.1 80", "192.0.2.2 80")
    assert len(found.entries) == 65536
    [message] = messages
    assert message.startswith("3:1: error: virtual_server_group g: has more than 65536 addresses")
