"""The exact lines; tests/lab has ipvsadm itself read them."""

from __future__ import annotations

import pytest

from clusterf.model import notation
from clusterf.model.address import Family
from clusterf.model.table import (
    AddressKey,
    Destination,
    DestinationKey,
    FwmarkKey,
    Method,
    Persistence,
    Protocol,
    ServiceKey,
    Tunnel,
    TunnelType,
    VirtualService,
)
from tests.strategies import ip, target, tcp, udp

SIX = AddressKey(Protocol.TCP, ip("2001:db8:1::1"), 80)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (tcp(), "-t 192.0.2.1:80"),
        (udp(), "-u 192.0.2.1:53"),
        (AddressKey(Protocol.SCTP, ip("192.0.2.1"), 9), "--sctp-service 192.0.2.1:9"),
        (SIX, "-t [2001:db8:1::1]:80"),
        (FwmarkKey(Family.INET, 7), "-f 7"),
        (FwmarkKey(Family.INET6, 7), "-f 7 -6"),
    ],
)
def test_keys(key: ServiceKey, line: str) -> None:
    assert notation.service_key(key) == line


@pytest.mark.parametrize(
    ("key", "settings", "line"),
    [
        (tcp(), None, "-A -t 192.0.2.1:80"),
        (tcp(), VirtualService("wlc"), "-A -t 192.0.2.1:80 -s wlc"),
        (
            tcp(),
            VirtualService("wlc", persistence=Persistence(300, 32)),
            "-A -t 192.0.2.1:80 -s wlc -p 300",
        ),
        (
            tcp(),
            VirtualService("wlc", persistence=Persistence(300, 20)),
            "-A -t 192.0.2.1:80 -s wlc -p 300 -M 255.255.240.0",
        ),
        (
            SIX,
            VirtualService("wlc", persistence=Persistence(60, 64)),
            "-A -t [2001:db8:1::1]:80 -s wlc -p 60 -M 64",
        ),
        (
            SIX,
            VirtualService("wlc", persistence=Persistence(60, 128)),
            "-A -t [2001:db8:1::1]:80 -s wlc -p 60",
        ),
        (
            tcp(),
            VirtualService("sh", frozenset({"sh-port", "sh-fallback"})),
            "-A -t 192.0.2.1:80 -s sh -b sh-fallback,sh-port",
        ),
        (udp(), VirtualService("rr", frozenset({"ops"})), "-A -u 192.0.2.1:53 -s rr -o"),
        (
            udp(),
            VirtualService("mh", frozenset({"ops", "mh-port"})),
            "-A -u 192.0.2.1:53 -s mh -b mh-port -o",
        ),
    ],
)
def test_services(key: ServiceKey, settings: VirtualService | None, line: str) -> None:
    assert notation.service("-A", key, settings) == line


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (None, ""),
        (Destination(10, Method.MASQ), " -m -w 10"),
        (Destination(0, Method.DROUTE), " -g -w 0"),
        (Destination(1, Method.TUNNEL, tunnel=Tunnel()), " -i --tun-type ipip -w 1"),
        (Destination(1, Method.TUNNEL), " -i -w 1"),
        (
            Destination(1, Method.TUNNEL, tunnel=Tunnel(TunnelType.GUE, 6080, "csum")),
            " -i --tun-type gue --tun-port 6080 --tun-csum -w 1",
        ),
        (
            Destination(1, Method.TUNNEL, tunnel=Tunnel(TunnelType.GRE, 0, "nocsum")),
            " -i --tun-type gre --tun-nocsum -w 1",
        ),
        (Destination(1, Method.MASQ, tunnel=Tunnel()), " -m -w 1"),
        (Destination(10, Method.MASQ, 100, 50), " -m -w 10 -x 100 -y 50"),
        (Destination(10, Method.MASQ, 0, 50), " -m -w 10 -y 50"),
    ],
)
def test_destinations(settings: Destination | None, words: str) -> None:
    line = notation.destination("-a", tcp(), target(), settings)
    assert line == "-a -t 192.0.2.1:80 -r 198.51.100.1:8080" + words


def test_a_destination_of_the_other_family() -> None:
    key = DestinationKey(ip("2001:db8:2::1"), 80)
    assert (
        notation.destination("-d", tcp(), key, None) == "-d -t 192.0.2.1:80 -r [2001:db8:2::1]:80"
    )


@pytest.mark.parametrize(
    ("prefix", "mask"),
    [(0, "0.0.0.0"), (1, "128.0.0.0"), (24, "255.255.255.0"), (32, "255.255.255.255")],
)
def test_masks(prefix: int, mask: str) -> None:
    assert notation.netmask(Family.INET, prefix) == mask
    assert notation.netmask(Family.INET6, prefix) == str(prefix)
