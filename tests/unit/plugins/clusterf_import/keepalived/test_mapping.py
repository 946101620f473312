from __future__ import annotations

import pytest

from clusterf.model.address import Address, Family
from clusterf.model.service import Frontend, Ports, StickyClients
from clusterf_import.keepalived.groups import group
from clusterf_import.keepalived.mapping import services
from clusterf_import.keepalived.servers import virtual_server
from clusterf_import.places import Findings
from clusterf_import.services import ImportedService
from tests.unit.plugins.clusterf_import.keepalived.written import statements, told

REAL = "real_server 198.51.100.1 80 {\n}\n"


def mapped(text: str) -> tuple[list[ImportedService], list[str]]:
    findings = Findings()
    servers, groups = [], {}
    for one in statements(text):
        if one.keyword == "virtual_server":
            server = virtual_server(one, findings)
            assert server is not None
            servers.append(server)
        else:
            found = group(one, findings)
            groups[found.name] = found
    return services(servers, groups, findings), told(findings)


def only(text: str) -> ImportedService:
    [one], messages = mapped(text)
    assert messages == []
    return one


def web(*inside: str, head: str = "192.0.2.1 80") -> str:
    return f"virtual_server {head} {{\nprotocol TCP\n" + "\n".join(inside) + f"\n{REAL}}}\n"


def test_what_keepalived_takes_where_nothing_is_said() -> None:
    one = only(web())
    assert (one.scheduler, one.flags, one.persistence) == ("wlc", frozenset(), None)
    [backend] = one.backends
    assert (backend.weight, str(backend.method), backend.port) == (1, "masq", 80)
    assert (one.title, backend.origin) == ("virtual_server 192.0.2.1 80 (k.conf:1)", "k.conf:4")


def test_without_a_protocol_it_is_udp_and_that_is_told() -> None:
    [one], messages = mapped(web().replace("protocol TCP", ""))
    assert one.frontends == (Frontend(ipv4=Address.parse("192.0.2.1"), ports=Ports(udp=80)),)
    assert "has no protocol: keepalived takes UDP" in messages[0]


def test_weights() -> None:
    text = web("weight 4", "real_server 198.51.100.2 80 {\nweight 0\n}")
    assert [one.weight for one in only(text).backends] == [0, 4]


@pytest.mark.parametrize(
    ("head", "kind", "port", "own"),
    [
        ("192.0.2.1 80", "NAT", "8080", 8080),
        ("192.0.2.1 80", "NAT", "", 80),
        ("192.0.2.1 80", "DR", "", 80),
        ("192.0.2.1 80", "TUN", "80", 80),
        ("fwmark 7", "NAT", "8080", 8080),
        ("fwmark 7", "NAT", "", 0),
        ("fwmark 7", "DR", "", 0),
    ],
)
def test_ports_of_backends(head: str, kind: str, port: str, own: int) -> None:
    text = f"virtual_server {head} {{\nprotocol TCP\nlb_kind {kind}\n"
    one = only(text + f"real_server 198.51.100.1 {port} {{\n}}\n}}\n")
    assert [backend.port for backend in one.backends] == [own]


@pytest.mark.parametrize(("head", "own"), [("192.0.2.1 80", 80), ("fwmark 7", 0)])
def test_a_port_that_only_nat_could_change_is_kept_as_it_comes(head: str, own: int) -> None:
    text = web("lb_kind DR", "real_server 198.51.100.2 8080 {\n}", head=head)
    [one], messages = mapped(text)
    assert one.backends[0].port == own
    assert "port 8080 is not that of its virtual server" in messages[0]


def test_all_ports_need_persistence_and_get_it() -> None:
    [one], messages = mapped(web(head="192.0.2.1"))
    assert one.persistence == StickyClients(360)
    assert one.backends[0].port == 80
    assert "keepalived takes 360 s" in messages[0]


def test_persistence_is_of_one_family() -> None:
    masked = web("persistence_timeout 9", "persistence_granularity 255.0.0.0")
    assert only(masked).persistence == StickyClients(9, prefix4=8)
    six = "virtual_server fwmark 7 {\npersistence_granularity 64\n"
    assert only(six + "real_server 2001:db8::1 80 {\n}\n}").persistence == StickyClients(
        360, prefix6=64
    )


def test_one_packet_scheduling_is_for_udp_and_marks() -> None:
    assert only(web("protocol UDP", "ops")).flags == {"ops"}
    assert only(web("ops", head="fwmark 7")).flags == {"ops"}
    [one], messages = mapped(web("ops"))
    assert one.flags == frozenset()
    assert messages == ["3:1: warning: virtual_server 192.0.2.1 80: ops is not carried over"]


GROUP = "virtual_server_group g {\n192.0.2.1 80\n2001:db8::1 81\nfwmark 7\n}\n"


def test_a_group_is_one_service_with_many_frontends() -> None:
    real = "real_server 198.51.100.1 {\n}\n"
    one = only(GROUP + f"virtual_server group g {{\nprotocol TCP\nlb_kind TUN\n{real}}}\n")
    assert one.name == "g"
    assert one.frontends == (
        Frontend(ipv4=Address.parse("192.0.2.1"), ports=Ports(tcp=80)),
        Frontend(ipv6=Address.parse("2001:db8::1"), ports=Ports(tcp=81)),
        Frontend(fwmark=7, family=Family.INET),
    )
    assert one.backends[0].port == 0


def test_groups_that_are_used_twice_or_not_at_all() -> None:
    def user(protocol: str) -> str:
        return f"virtual_server group g {{\nprotocol {protocol}\nlb_kind TUN\n{REAL}}}\n"

    found, messages = mapped(
        "virtual_server_group g {\n192.0.2.1 80\n}\nvirtual_server_group h {\n192.0.2.2 80\n}\n"
        + user("TCP")
        + user("UDP")
    )
    assert [one.name for one in found] == ["g", "g-2"]
    assert messages == [
        "4:1: warning: virtual_server_group h: is used by no virtual_server, not carried over"
    ]


def test_what_cannot_be_is_left_out_alone() -> None:
    found, messages = mapped(
        web()
        + web()
        + "virtual_server 192.0.2.2 80 {\nprotocol TCP\n}\n"
        + "virtual_server group none {\n}\n"
        + "virtual_server_group empty {\n}\n"
        + "virtual_server group empty {\n}\n"
    )
    assert [one.name for one in found] == ["tcp-192-0-2-1-80"]
    assert [message.split(": ", 3)[-1] for message in messages] == [
        "tcp 192.0.2.1:80 is there already; it is left out",
        "has no real_server: keepalived leaves it out, and so it is here",
        "there is no such group; it is left out",
        "group empty is empty; it is left out",
    ]


def test_a_backend_that_is_there_twice_is_kept_once() -> None:
    [one], messages = mapped(web("real_server 198.51.100.1 {\nweight 7\n}"))
    assert [backend.weight for backend in one.backends] == [7]
    assert "198.51.100.1:80 is there already" in messages[0]


def test_a_backend_of_no_family_of_its_group_is_left_out() -> None:
    text = "virtual_server_group g {\n2001:db8::1 80\n}\n"
    found, messages = mapped(text + web(head="group g"))
    assert found == []
    assert "none of its real servers is left" in messages[0]
    assert "is of another address family than all of the group" in messages[1]


def test_a_lower_threshold_above_the_upper_one_is_not_carried_over() -> None:
    [one], messages = mapped(web("real_server 198.51.100.2 80 {\nlthreshold 5\n}"))
    assert one.backends[0].lower_threshold == 0
    assert "lthreshold 5 is above uthreshold 0" in messages[0]


def test_a_name_that_was_given_is_taken() -> None:
    assert only(web("snmp_name Front_1")).name == "Front_1"
