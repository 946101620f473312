from __future__ import annotations

import pytest

from clusterf.model.address import Address, Family
from clusterf.model.table import Method, Protocol
from clusterf_import.keepalived.servers import VirtualServer, virtual_server
from clusterf_import.places import Findings
from tests.unit.plugins.clusterf_import.keepalived.written import statement, told


def read(head: str, *inside: str) -> tuple[VirtualServer | None, list[str]]:
    findings = Findings()
    body = "\n".join(inside)
    found = virtual_server(statement(f"virtual_server {head} {{\n{body}\n}}"), findings)
    return found, told(findings)


def server(head: str, *inside: str) -> VirtualServer:
    found, messages = read(head, *inside)
    assert messages == []
    assert found is not None
    return found


def test_three_ways_to_say_where() -> None:
    one = server("192.0.2.1 80")
    assert (one.address, one.port, one.family) == (Address.parse("192.0.2.1"), 80, Family.INET)
    assert server("2001:db8::1").port == 0
    assert server("fwmark 7").mark == 7
    assert server("group web").group == "web"


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("", "1:1: error: virtual_server: has no address"),
        (
            "ff02::1 80",
            "1:16: error: virtual_server ff02::1 80: ff02::1 is no address of a virtual server",
        ),
        ("web 80", '1:16: error: virtual_server web 80: "web" is not an IP address'),
        ("192.0.2.1 x", '1:26: error: virtual_server 192.0.2.1 x: "x" is not a port'),
        ("fwmark 0", '1:23: error: virtual_server fwmark 0: "0" is not a firewall mark'),
        ("fwmark", '1:16: error: virtual_server fwmark: "fwmark" is not an IP address'),
    ],
)
def test_what_keepalived_skips(head: str, message: str) -> None:
    assert read(head) == (None, [f"{message}; the virtual server is left out"])


def test_settings() -> None:
    one = server(
        "192.0.2.1 80",
        "lvs_sched sh",
        "sh-port",
        "flag-1",
        "ops",
        "lvs_method DR",
        "persistence_timeout 50",
        "persistence_granularity 255.255.0.0",
        "protocol udp",
        "weight 4",
        "snmp_name web",
        "hashed",
    )
    assert (one.scheduler, one.flags) == ("sh", {"sh-port", "sh-fallback"})
    assert one.one_packet is not None
    assert one.forwarding is not None
    assert one.forwarding.method is Method.DROUTE
    assert (one.persistence, one.prefix, one.protocol) == (50, 16, Protocol.UDP)
    assert (one.weight, one.name) == (4, "web")


def test_persistence_without_a_number() -> None:
    assert server("192.0.2.1 80", "persistence_timeout").persistence == 360
    assert server("192.0.2.1 80", "persistence_granularity 255.0.0.0").persistence == 360


def test_a_flag_counts_behind_its_scheduler_only() -> None:
    found, messages = read("192.0.2.1 80", "mh-port", "lb_algo mh", "sh-port", "flag-3", "flag-2")
    assert found is not None
    assert found.flags == {"mh-port"}
    assert messages == [
        f"{line}:1: warning: virtual_server 192.0.2.1 80: {flag} is not carried over"
        for line, flag in ((2, "mh-port"), (4, "sh-port"), (5, "flag-3"))
    ]


def test_a_real_server_has_the_method_that_was_known_when_it_began() -> None:
    one = server(
        "192.0.2.1 80",
        "real_server 198.51.100.1 80 { }",
        "lb_kind DR",
        "real_server 198.51.100.2 80 { }",
    )
    assert [real.forwarding for real in one.servers] == [None, one.forwarding]


@pytest.mark.parametrize(
    ("inside", "family"),
    [
        ((), Family.INET),
        (("real_server 2001:db8::1 80 { }",), Family.INET6),
        (("ip_family inet6",), Family.INET6),
        (("persistence_granularity 64",), Family.INET6),
        (("lb_kind TUN", "real_server 2001:db8::1 80 { }"), Family.INET6),
        (
            ("lb_kind TUN", "real_server 2001:db8::1 80 { }", "real_server 198.51.100.1 80 { }"),
            Family.INET,
        ),
    ],
)
def test_the_family_of_a_mark(inside: tuple[str, ...], family: Family) -> None:
    assert server("fwmark 7", *inside).family is family


def test_only_tunnels_lead_into_the_other_family() -> None:
    other = "real_server 2001:db8::1 80 { }"
    assert len(server("192.0.2.1 80", "lb_kind TUN", other).servers) == 1
    found, messages = read("192.0.2.1 80", other)
    assert found is not None
    assert found.servers == []
    [message] = messages
    assert message.startswith("2:13: error: virtual_server 192.0.2.1 80: 2001:db8::1 is not of the")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lb_algo x", '2:9: error: V unknown scheduler "x"; keepalived ignores it'),
        ("protocol ICMP", '2:10: error: V "ICMP" is not a protocol'),
        ("ip_family x", '2:11: error: V "x" is not an address family'),
        ("ip_family inet6", "2:11: error: V inet6 is not the family of the virtual server"),
        ("persistence_timeout 0", ("2:21: error: V 0 is not a number of seconds from 1 to 2678400; "
         "keepalived ignores it")),
        ("persistence_granularity 24", '2:25: error: V "24" is not a netmask'),
        ("weight 0", ("2:8: error: V weight is not a number from 1 to 2147483647; keepalived "
         "ignores it")),
        ("lb_algo rr ops", '2:12: warning: V "ops" is ignored, as by keepalived'),
        ("quorum 2", "2:1: warning: V quorum is not carried over"),
        ("qourum 2", '2:1: warning: V unknown keyword "qourum", not carried over'),
    ],
)  # fmt: skip
def test_what_is_ignored_or_not_carried_over(text: str, message: str) -> None:
    found, messages = read("192.0.2.1 80", text)
    assert found is not None
    assert messages == [message.replace("V ", "virtual_server 192.0.2.1 80: ")]


def test_what_is_not_carried_over_is_kept_as_a_remark() -> None:
    found, _ = read("192.0.2.1 80", "sorry_server 198.51.100.9 80")
    assert found is not None
    assert found.remarks == ["k.conf:2: sorry_server 198.51.100.9 80"]
