from __future__ import annotations

import pytest

from clusterf.model.address import Address, Family
from clusterf.model.service import Frontend, Ports, StickyClients
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf_import.ipvsadm.rules import rules
from clusterf_import.ipvsadm.table import services
from clusterf_import.places import Findings
from clusterf_import.services import ImportedService

WEB = "-A -t 192.0.2.1:80 -s rr\n"
ALL = "-A -t 192.0.2.1:0 -s rr -p\n"
SIX = "-A -u [2001:db8::1]:53 -s sh -b sh-port -p 60 -M 64 -o\n"
MARK = "-A -f 7 -6\n"


def read(text: str) -> tuple[list[ImportedService], list[str]]:
    findings = Findings()
    found = services(rules("t", text, findings), findings)
    return found, [str(problem).removeprefix("t:") for problem in findings]


def only(text: str) -> ImportedService:
    [one], messages = read(text)
    assert messages == []
    return one


def test_services() -> None:
    web, six, mark = (only(text) for text in (WEB, SIX, MARK))
    assert web.frontends == (Frontend(ipv4=Address.parse("192.0.2.1"), ports=Ports(tcp=80)),)
    assert (web.name, web.title) == ("tcp-192-0-2-1-80", "-A -t 192.0.2.1:80 -s rr (t:1)")
    assert six.frontends == (Frontend(ipv6=Address.parse("2001:db8::1"), ports=Ports(udp=53)),)
    assert (six.scheduler, six.flags) == ("sh", {"sh-port", "ops"})
    assert six.persistence == StickyClients(60, prefix6=64)
    assert mark.frontends == (Frontend(fwmark=7, family=Family.INET6),)
    assert (mark.scheduler, only(ALL).persistence) == ("wlc", StickyClients(300))


def test_destinations() -> None:
    one = only(
        WEB + "-a -t 192.0.2.1:80 -r 198.51.100.1:8080 -m -w 3 -x 9 -y 8\n"
        "-a -t 192.0.2.1:80 -r 198.51.100.2\n"
        "-a -t 192.0.2.1:80 -r [2001:db8::2]:80 -i --tun-type gue --tun-port 5 --tun-csum -w 0\n"
    )
    nat, direct, tunnel = one.backends
    assert (str(nat), nat.weight, nat.upper_threshold, nat.lower_threshold, nat.method) == (
        "198.51.100.1:8080", 3, 9, 8, Method.MASQ
    )  # fmt: skip
    assert (str(direct), direct.weight, direct.method) == ("198.51.100.2:80", 1, Method.DROUTE)
    assert tunnel.tunnel == Tunnel(TunnelType.GUE, 5, "csum")
    assert (str(tunnel), tunnel.weight, tunnel.origin) == ("[2001:db8::2]:80", 0, "t:4")


def test_ports_behind_marks_and_all_ports() -> None:
    for text, real, port in (
        ("-A -f 7\n-a -f 7 -r", "198.51.100.1:0 -m", 0),
        ("-A -f 7\n-a -f 7 -r", "198.51.100.1:80 -m", 80),
        (ALL + "-a -t 192.0.2.1:0 -r", "198.51.100.1:0 -g", 0),
    ):
        assert only(f"{text} {real}").backends[0].port == port


def test_a_port_that_only_masq_could_change_is_kept_as_it_comes() -> None:
    [one], messages = read(WEB + "-a -t 192.0.2.1:80 -r 198.51.100.1:81 -g")
    assert one.backends[0].port == 80
    [message] = messages
    assert message.startswith("2:23: warning: port 81 is not that of tcp 192.0.2.1:80; ")


@pytest.mark.parametrize("option", ["-b mh-port", "--pe sip"])
def test_what_is_not_carried_over(option: str) -> None:
    [one], messages = read(f"-A -t 192.0.2.1:80 -s rr {option}")
    assert one.flags == frozenset()
    assert len(messages) == 1
    assert "warning" in messages[0]
    assert "is not carried over" in messages[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-t 192.0.2.1:80", "1:1: error: is neither -A nor -a"),
        ("-A -s rr", "1:1: error: names no virtual service"),
        ("-A -t 224.0.0.1:80", "1:7: error: 224.0.0.1 is no address of a virtual service"),
        ("-A -t web:80", '1:7: error: "web" is not an IP address'),
        ("-A -t 192.0.2.1:http", '1:7: error: "http" is not a port'),
        ("-A -t [192.0.2.1", '1:7: error: "[192.0.2.1" is not an IP address'),
        ("-A -f 0", '1:7: error: "0" is not a firewall mark'),
        ("-A -t 192.0.2.1:80 -s x", '1:23: error: unknown scheduler "x"'),
        ("-A -t 192.0.2.1", "1:7: error: all ports need persistence"),
        ("-A -f 1 -p 0", "1:12: error: -p is not a number of seconds from 1 to 2678400"),
        ("-A -f 1 -M 255.0.0.0", "1:12: error: -M is of no use without -p"),
        ("-A -f 1 -p 5 -M 255.0.1.0", "1:17: error: -M is no netmask"),
        ("-A -t 192.0.2.1:80 -o", "1:20: error: one-packet scheduling is for UDP"),
        (WEB + WEB, "2:7: error: tcp 192.0.2.1:80 is there already"),
        ("-a -f 1 -r 198.51.100.1", "1:7: error: there is no virtual service fwmark 1 before it"),
        (WEB + "-a -t 192.0.2.1:80", "2:1: error: has no -r"),
        (WEB + "-a -t 192.0.2.1:80 -r 0.0.0.0", "2:23: error: 0.0.0.0 is no address of a server"),
        (WEB + "-a -t 192.0.2.1:80 -r [2001:db8::1]:80",
         "2:23: error: 2001:db8::1 is not of the address family of tcp 192.0.2.1:80"),
        (WEB + "-a -t 192.0.2.1:80 -r 198.51.100.1 -w x",
         "2:39: error: -w is not a number from 0 to 2147483647"),
        (WEB + "-a -t 192.0.2.1:80 -r 198.51.100.1 -y 5",
         "2:39: error: 5 is above the upper threshold, 0"),
        (WEB + "-a -t 192.0.2.1:80 -r 198.51.100.1 -i --tun-type x",
         '2:50: error: "x" is not a type of tunnel'),
        (WEB + "-a -t 192.0.2.1:80 -r 198.51.100.1 -i --tun-csum",
         "2:36: error: a tunnel of type ipip has no csum"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_left_out_alone(text: str, message: str) -> None:
    _, messages = read(text)
    assert messages == [f"{message}; the line is left out"]


def test_a_destination_is_there_once() -> None:
    real = "-a -t 192.0.2.1:80 -r 198.51.100.1:80\n"
    [one], messages = read(WEB + real + real)
    assert len(one.backends) == 1
    assert messages == ["3:23: error: 198.51.100.1:80 is there already; the line is left out"]
