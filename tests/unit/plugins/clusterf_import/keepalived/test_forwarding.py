from __future__ import annotations

import pytest

from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf_import.keepalived.forwarding import forwarding
from clusterf_import.places import Findings
from tests.unit.plugins.clusterf_import.keepalived.written import statement, told


@pytest.mark.parametrize(
    ("text", "method", "tunnel"),
    [
        ("NAT", Method.MASQ, Tunnel()),
        ("DR", Method.DROUTE, Tunnel()),
        ("TUN", Method.TUNNEL, Tunnel()),
        ("TUN type ipip nocsum", Method.TUNNEL, Tunnel()),
        ("TUN type gue port 6080", Method.TUNNEL, Tunnel(TunnelType.GUE, 6080)),
        ("TUN remcsum port 1 type gue", Method.TUNNEL, Tunnel(TunnelType.GUE, 1, "remcsum")),
        ("TUN type gre csum", Method.TUNNEL, Tunnel(TunnelType.GRE, 0, "csum")),
    ],
)
def test_methods(text: str, method: Method, tunnel: Tunnel) -> None:
    findings = Findings()
    assert forwarding(statement(f"lb_kind {text}"), findings, "it") == (method, tunnel)
    assert not findings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: error: it: has no forwarding method"),
        ("nat", '1:9: error: it: "nat" is not a forwarding method'),
        ("TUN type", '1:1: error: it: "" is not a type of tunnel'),
        ("TUN type vxlan", '1:1: error: it: "vxlan" is not a type of tunnel'),
        ("TUN port x", '1:1: error: it: "x" is not a port'),
        ("TUN fast", '1:1: error: it: "fast" is not an option of a tunnel'),
        ("TUN type gue", "1:1: error: it: a tunnel of type gue needs a port, and others have none"),
        ("TUN port 5", "1:1: error: it: a tunnel of type gue needs a port, and others have none"),
        ("TUN csum", "1:1: error: it: a tunnel of type ipip has no csum"),
        ("TUN type gre remcsum", "1:1: error: it: a tunnel of type gre has no remcsum"),
    ],
)
def test_what_keepalived_ignores(text: str, message: str) -> None:
    findings = Findings()
    assert forwarding(statement(f"lb_kind {text}"), findings, "it") is None
    assert told(findings) == [message]
