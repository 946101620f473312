"""Trees of keys as people and the original's own writers have them, and the tables they mean.

The shapes are those of the data on which the original tests itself: its spellings (`IpvsMethod`,
`Prefix4`), spaces, values without a weight, values from before a field existed.
"""

# ruff: noqa: E501 - values are as they are stored, each in one line

from __future__ import annotations

from typing import NamedTuple

PREFIX = "/clusterf"


class Tree(NamedTuple):
    """Values by what follows the prefix, and destinations by virtual service.

    A destination is written ``address:port method weight``. ``refused``: what names no destination.
    """

    values: dict[str, str]
    table: dict[str, set[str]]
    refused: frozenset[str] = frozenset()
    elide: bool = False


TREES: dict[str, Tree] = {
    "a service of two protocols, of which one backend offers one": Tree(
        values={
            "services/test/frontend": '{"ipv4":"192.0.2.1","tcp":80,"udp":80}',
            "services/test/backends/test1": '{"ipv4":"198.51.100.1","tcp":8080,"udp":8081,"weight":10}',
            "services/test/backends/test2": '{"ipv4":"198.51.100.2","tcp":8082,"weight":10}',
        },
        table={
            "tcp 192.0.2.1:80": {"198.51.100.1:8080 masq 10", "198.51.100.2:8082 masq 10"},
            "udp 192.0.2.1:80": {"198.51.100.1:8081 masq 10"},
        },
    ),
    "written by hand, without weights, with a line end": Tree(
        values={
            "services/test/frontend": '{"ipv4": "192.0.2.1", "tcp": 80}\n',
            "services/test/backends/test1": '{"ipv4": "198.51.100.1", "tcp": 8080}\n',
            "services/test/backends/test2": '{"ipv4": "198.51.100.2", "tcp": 8080, "weight": 0}\n',
        },
        table={"tcp 192.0.2.1:80": {"198.51.100.1:8080 masq 10", "198.51.100.2:8080 masq 0"}},
    ),
    "a service without a frontend is not served, one without backends is": Tree(
        values={
            "services/one/backends/test1": '{"ipv4":"198.51.100.1","tcp":8080}',
            "services/two/frontend": '{"ipv4":"192.0.2.2","tcp":80}',
            "services/three/frontend": "{}",
            "services/four/frontend": "",
        },
        table={"tcp 192.0.2.2:80": set()},
        refused=frozenset({"service one", "service three", "service four"}),
    ),
    "gateways take the port of the frontend": Tree(
        values={
            "routes/test1": '{"Prefix":"198.51.100.0/25","Gateway":"203.0.113.1","IPVSMethod":"droute"}',
            "routes/test2": '{"Prefix":"198.51.100.128/25","Gateway":"203.0.113.2","IPVSMethod":"droute"}',
            "services/test/frontend": '{"ipv4":"192.0.2.1","tcp":80}',
            "services/test/backends/test1": '{"ipv4":"198.51.100.1","tcp":80,"weight":10}',
            "services/test/backends/test2": '{"ipv4":"198.51.100.129","tcp":8080,"weight":10}',
        },
        table={"tcp 192.0.2.1:80": {"203.0.113.1:80 droute 10", "203.0.113.2:80 droute 10"}},
    ),
    "backends behind one gateway merge, their weights add up": Tree(
        values={
            "routes/test1": '{"Prefix":"198.51.100.0/25","Gateway":"203.0.113.1","IPVSMethod":"droute"}',
            "routes/test2": '{"Prefix":"198.51.100.128/25","Gateway":"203.0.113.2","IPVSMethod":"droute"}',
            "services/test/frontend": '{"ipv4":"192.0.2.1","tcp":80}',
            "services/test/backends/test1-1": '{"ipv4":"198.51.100.1","tcp":8080,"weight":10}',
            "services/test/backends/test1-2": '{"ipv4":"198.51.100.2","tcp":8080}',
            "services/test/backends/test2-1": '{"ipv4":"198.51.100.129","tcp":8080,"weight":0}',
            "services/test/backends/test2-2": '{"ipv4":"198.51.100.130","tcp":8080,"weight":10}',
        },
        table={"tcp 192.0.2.1:80": {"203.0.113.1:80 droute 20", "203.0.113.2:80 droute 10"}},
    ),
    "routes of the original up to 0.4, and between": Tree(
        values={
            "routes/test1": '{"Prefix4": "198.51.100.0/25", "Gateway4": "203.0.113.1", "IpvsMethod": "droute"}',
            "routes/test2": '{"Prefix": "198.51.100.128/25", "IpvsMethod": "droute"}',
            "services/test/frontend": '{"ipv4": "192.0.2.1", "tcp": 80}',
            "services/test/backends/test1": '{"ipv4": "198.51.100.1", "tcp": 8080}',
            "services/test/backends/test2": '{"ipv4": "198.51.100.129", "tcp": 80}',
            "services/test/backends/test3": '{"ipv4": "192.0.2.77", "tcp": 8080}',
        },
        table={
            "tcp 192.0.2.1:80": {
                "203.0.113.1:80 droute 10",
                "198.51.100.129:80 droute 10",
                "192.0.2.77:8080 masq 10",
            }
        },
    ),
    "names of fields in any case": Tree(
        values={
            "routes/test": '{"PREFIX":"198.51.100.0/24","gateway":"203.0.113.1","ipvsmethod":"tunnel"}',
            "services/test/frontend": '{"IPv4":"192.0.2.1","TCP":80}',
            "services/test/backends/test1": '{"Ipv4":"198.51.100.1","Tcp":80,"WEIGHT":3}',
        },
        table={"tcp 192.0.2.1:80": {"203.0.113.1:80 tunnel 3"}},
    ),
    "the longest prefix holds, whatever the names and the order": Tree(
        values={
            "routes/a-default": '{"IPVSMethod":"masq"}',
            "routes/b-host": '{"Prefix":"198.51.100.7/32","IPVSMethod":"tunnel"}',
            "routes/c-wide": '{"Prefix":"198.51.0.0/16","IPVSMethod":"droute","Gateway":"203.0.113.9"}',
            "routes/d-near": '{"Prefix":"198.51.100.9/24","IPVSMethod":"droute"}',
            "services/test/frontend": '{"ipv4":"192.0.2.1","tcp":80}',
            "services/test/backends/b1": '{"ipv4":"198.51.100.7","tcp":80}',
            "services/test/backends/b2": '{"ipv4":"198.51.100.8","tcp":80}',
            "services/test/backends/b3": '{"ipv4":"198.51.101.1","tcp":80}',
            "services/test/backends/b4": '{"ipv4":"203.0.113.1","tcp":80}',
        },
        table={
            "tcp 192.0.2.1:80": {
                "198.51.100.7:80 tunnel 10",
                "198.51.100.8:80 droute 10",
                "203.0.113.9:80 droute 10",
                "203.0.113.1:80 masq 10",
            }
        },
    ),
    "a default route without a method leaves only what another route claims": Tree(
        values={
            "routes/default": "{}",
            "routes/test1": '{"Prefix":"198.51.100.0/25","IPVSMethod":"masq"}',
            "services/test/frontend": '{"ipv4":"192.0.2.1","tcp":80}',
            "services/test/backends/test1": '{"ipv4":"198.51.100.1","tcp":80,"weight":10}',
            "services/test/backends/test2": '{"ipv4":"198.51.100.129","tcp":8080,"weight":10}',
            "services/test2/frontend": '{"ipv4":"192.0.2.1","tcp":81}',
            "services/test2/backends/test1": '{"ipv4":"198.51.100.129","tcp":8081,"weight":10}',
        },
        table={
            "tcp 192.0.2.1:80": {"198.51.100.1:80 masq 10"},
            "tcp 192.0.2.1:81": set(),
        },
        refused=frozenset({"service test backend test2", "service test2 backend test1"}),
    ),
    "a service that is left without backends is elided where asked": Tree(
        values={
            "routes/default": '{"Gateway":"203.0.113.1"}',
            "routes/test1": '{"Prefix":"198.51.100.0/25","IPVSMethod":"masq"}',
            "services/test/frontend": '{"ipv4":"192.0.2.1","tcp":80}',
            "services/test/backends/test1": '{"ipv4":"198.51.100.1","tcp":80,"weight":0}',
            "services/test2/frontend": '{"ipv4":"192.0.2.1","tcp":81}',
            "services/test2/backends/test1": '{"ipv4":"198.51.100.129","tcp":8081,"weight":10}',
            "services/test3/frontend": '{"ipv4":"192.0.2.1","tcp":82,"elide":false}',
        },
        table={"tcp 192.0.2.1:80": {"198.51.100.1:80 masq 0"}, "tcp 192.0.2.1:82": set()},
        refused=frozenset({"service test2 backend test1"}),
        elide=True,
    ),
    "IPv6: a prefix of one family never holds for the other": Tree(
        values={
            "routes/four": '{"Prefix":"0.0.0.0/0","IPVSMethod":"tunnel"}',
            "routes/six": '{"Prefix":"2001:db8:a::/48","Gateway":"2001:db8:b::1","IPVSMethod":"droute"}',
            "services/test6/frontend": '{"ipv6": "2001:db8:1::1", "tcp": 80}',
            "services/test6/backends/test1": '{"ipv6": "2001:db8:a::1", "tcp": 8080}',
            "services/test6/backends/test2": '{"ipv6": "2001:DB8:A:0::2", "tcp": 8080, "weight": 5}',
            "services/test6/backends/test3": '{"ipv6": "2001:db8:c::1", "tcp": 8080}',
            "services/test6/backends/test4": '{"ipv4": "198.51.100.1", "tcp": 80}',
        },
        table={
            "tcp [2001:db8:1::1]:80": {
                "[2001:db8:b::1]:80 droute 15",
                "[2001:db8:c::1]:8080 masq 10",
                "198.51.100.1:80 tunnel 10",
            }
        },
    ),
    "both families at once": Tree(
        values={
            "services/test/frontend": '{"ipv4":"192.0.2.1","ipv6":"2001:db8:1::1","tcp":80}',
            "services/test/backends/test1": '{"ipv4":"198.51.100.1","ipv6":"2001:db8:a::1","tcp":8080}',
            "services/test/backends/test2": '{"ipv4":"198.51.100.2","tcp":8080}',
        },
        table={
            "tcp 192.0.2.1:80": {"198.51.100.1:8080 masq 10", "198.51.100.2:8080 masq 10"},
            "tcp [2001:db8:1::1]:80": {"[2001:db8:a::1]:8080 masq 10"},
        },
    ),
    "what the original does not know": Tree(
        values={
            "services/test/frontend": (
                '{"ipv4":"192.0.2.1","tcp":80,"frontends":[{"ipv4":"192.0.2.2","tcp":81},{"fwmark":3}],'
                '"weight":7,"health":{"path":"/"},"from":"a later version"}'
            ),
            "services/test/backends/test1": '{"ipv4":"198.51.100.1","tcp":8080,"agent":"host1"}',
            "services/test/backends/test2": (
                '{"ipv4":"198.51.100.2","tcp":8080,"weight":0,"quiesced":"stopping","agent":"host1"}'
            ),
        },
        table={
            "tcp 192.0.2.1:80": {"198.51.100.1:8080 masq 7", "198.51.100.2:8080 masq 0"},
            "tcp 192.0.2.2:81": {"198.51.100.1:8080 masq 7", "198.51.100.2:8080 masq 0"},
            "fwmark 3": {"198.51.100.1:8080 masq 7", "198.51.100.2:8080 masq 0"},
        },
    ),
    "one bad key stays one bad key": Tree(
        values={
            "routes/bad": '{"Prefix":"198.51.100.0/33","IPVSMethod":"droute"}',
            "routes/worse": '{"IPVSMethod":"nat"}',
            "services/test/frontend": '{"ipv4":"192.0.2.1","tcp":80}',
            "services/test/backends/b1": '{"ipv4":"198.51.100.1","tcp":8080}',
            "services/test/backends/b2": '{"ipv4":"198.51.100.2","tcp":"8080"}',
            "services/test/backends/b3": "not json",
            "services/test/backends/b4/more": "{}",
            "services/test2/frontend": '{"ipv4":"2001:db8:1::1","tcp":80}',
            "services/..": "{}",
            "other": "{}",
        },
        table={"tcp 192.0.2.1:80": {"198.51.100.1:8080 masq 10"}},
        refused=frozenset(
            {
                "route bad",
                "route worse",
                "service test backend b2",
                "service test backend b3",
                "key /clusterf/services/test/backends/b4/more",
                "service test2",
                "key /clusterf/services/..",
                "key /clusterf/other",
            }
        ),
    ),
}
