from __future__ import annotations

import pytest

from clusterf_etcd.commands.picture import picture
from clusterf_etcd.commands.showing import lines, summary
from clusterf_etcd.wire import KeyValue
from tests.unit.plugins.clusterf_etcd.commands.given import entry

LIVES = {5: 8, 10: 600, 255: -1}
"""Seconds that the leases of these tests still live."""


def table(*entries: KeyValue) -> list[str]:
    return [text for text, _ in lines(picture(entries, "/clusterf", "etcd"), LIVES)]


WEB = entry(
    "services/web/frontend",
    '{"ipv4":"192.0.2.10","ipv6":"2001:db8::10","tcp":80,"udp":53,'
    '"scheduler":"mh","flags":["mh-port"],"persistence":300}',
)
B1 = entry("services/web/backends/b1", '{"ipv4":"198.51.100.1","tcp":8080,"weight":10}')


def test_a_service_with_all_that_it_has() -> None:
    container = "3f2a0c99" * 8
    assert table(
        WEB,
        entry(
            f"services/web/backends/{container}",
            '{"ipv4":"203.0.113.7","ipv6":"2001:db8:7::1","tcp":80,"udp":53,"weight":0,'
            '"quiesced":"unhealthy","method":"tunnel","tunnel":{"type":"gue","port":6080},'
            '"upper_threshold":9,"lower_threshold":3,"agent":"host1"}',
            lease=5,
        ),
        B1,
    ) == [
        "Prot VIP:Port Scheduler Settings",
        "  -> Backend      Address                   Ports         Weight Agent Lease",
        "web",
        "tcp  192.0.2.10:80 mh mh-port persistent 300",
        "tcp  [2001:db8::10]:80 mh mh-port persistent 300",
        "udp  192.0.2.10:53 mh mh-port persistent 300",
        "udp  [2001:db8::10]:53 mh mh-port persistent 300",
        (
            "  -> 3f2a0c993f2a 203.0.113.7 2001:db8:7::1 tcp 80,udp 53 0      host1 8s    "
            "Tunnel, gue port 6080, upper 9, lower 3, quiesced: unhealthy"
        ),
        "  -> b1           198.51.100.1              tcp 8080      10     -     -",
    ]


def test_a_network_is_shown_by_the_beginning_of_its_id() -> None:
    network = "8c0a2b5c4c2c5704dd8515f507bbcb432df08c835042264c19e3ef42c3298c3b"
    rows = table(
        entry(f"routes/{network}", "{}"),
        entry(f"routes/{network}-inet6", "{}"),
        entry(f"routes/{network}0", "{}"),
    )
    assert [row.split()[0] for row in rows[1:]] == [
        "8c0a2b5c4c2c",
        "8c0a2b5c4c2c-inet6",
        f"{network}0",
    ]


def test_routes_with_what_they_do() -> None:
    assert table(
        entry("routes/all", "{}"),
        entry(
            "routes/host1",
            '{"Prefix":"203.0.113.0/26","Gateway":"192.0.2.11",'
            '"IPVSMethod":"droute","agent":"host1"}',
            lease=10,
        ),
        entry("routes/old", '{"Prefix4":"10.0.0.0/8","IpvsMethod":"masq"}'),
        entry("routes/t", '{"IPVSMethod":"tunnel","tunnel":"gre"}'),
    ) == [
        "Route Prefix         Forward Gateway    Agent Lease",
        "all   default        -       -          -     -     leaves its backends out",
        "host1 203.0.113.0/26 Route   192.0.2.11 host1 600s",
        (
            "old   10.0.0.0/8     Masq    -          -     -     "
            "written as Prefix4, which the original ignores since 0.5"
        ),
        "t     default        Tunnel  -          -     -     gre",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('{"fwmark":7}', "fwmark 7"),
        ('{"fwmark":7,"family":"inet6"}', "fwmark 7 inet6"),
        (
            '{"ipv4":"192.0.2.1","tcp":80,"frontends":[{"ipv4":"192.0.2.2","tcp":0}]}',
            "tcp  192.0.2.1:80|tcp  192.0.2.2:0",
        ),
        ('{"ipv4":"192.0.2.1"}', "192.0.2.1 no port"),
        ('{"tcp":80}', "no VIP tcp 80"),
        ("{}", "no frontend"),
        ('{"scheduler":"rr"}', "no frontend rr"),
        (
            (
                '{"ipv4":"192.0.2.1","tcp":80,"weight":5,"method":"tunnel","tunnel":"gre","elide":true,'
                '"persistence":{"timeout":60,"netmask":24,"netmask6":64}}'
            ),
            "tcp  192.0.2.1:80 persistent 60 /24 /64 weight 5 Tunnel gre elide",
        ),
        (
            '{"ipv4":"192.0.2.1","tcp":80,"elide":false,"upper_threshold":5}',
            "tcp  192.0.2.1:80 upper 5 no elide",
        ),
    ],
)
def test_frontends(value: str, shown: str) -> None:
    _, _, name, *rows = table(entry("services/web/frontend", value))
    assert name == "web"
    assert rows == shown.split("|")


def test_a_frontend_that_an_agent_published() -> None:
    web = entry("services/web/frontend", '{"ipv4":"192.0.2.1","tcp":80,"agent":"x"}', lease=255)
    assert table(web)[-1] == "tcp  192.0.2.1:80 [agent x, lease gone]"


def test_what_is_refused_is_told_where_it_belongs() -> None:
    assert table(
        WEB._replace(value=b"{"),
        entry("services/web/backends/b9", '{"tcp":"80"}'),
        entry("what\x1b[31m/x", ""),
    ) == [
        "Prot VIP:Port Scheduler Settings",
        "  -> Backend Address Ports Weight Agent Lease",
        "web",
        "no frontend",
        '  refused: /clusterf/services/web/backends/b9: tcp: must be a whole number, not "80"',
        (
            "  refused: /clusterf/services/web/frontend: is not JSON: expecting property name "
            "enclosed in double quotes at character 2"
        ),
        (
            r'refused: /clusterf/what\x1b[31m/x: has "what\x1b[31m" where services or routes is '
            "expected (hint: keys are services/NAME/frontend, services/NAME/backends/ID and "
            "routes/NAME)"
        ),
    ]


def test_one_long_name_does_not_push_all_the_others_away() -> None:
    long = entry(f"services/web/backends/{'x' * 200}", '{"ipv4":"198.51.100.2","tcp":80}')
    head, row, other = table(B1, long)[1], *table(B1, long)[-2:]
    assert len(head) < 100
    assert len(row) < 100
    assert "x" * 200 in other


def test_colours_are_for_what_needs_a_look() -> None:
    shown = picture(
        [WEB, B1, entry("services/web/backends/b2", '{"ipv4":"198.51.100.2","tcp":80,"weight":0}')],
        "/clusterf",
        "etcd",
    )
    assert [style for _, style in lines(shown, LIVES)][-2:] == ["", "yellow"]


def test_nothing_is_shown_as_nothing() -> None:
    assert table() == []
    assert summary(picture([], "/clusterf", "etcd")) == "0 services, 0 backends, 0 routes"


def test_how_much_there_is() -> None:
    found = picture([WEB, B1, entry("routes/r"), entry("x")], "/clusterf", "etcd")
    assert summary(found) == "1 service, 1 backend, 1 route, 1 key refused"
