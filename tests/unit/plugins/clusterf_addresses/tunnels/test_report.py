from __future__ import annotations

import errno

from clusterf.model.address import Network
from clusterf.model.table import Tunnel, TunnelType
from clusterf.plugin import Severity
from clusterf_addresses.tunnels.modules import Modules
from clusterf_addresses.tunnels.planning import TunnelRules
from clusterf_addresses.tunnels.receiving import SeenLink
from clusterf_addresses.tunnels.report import detail, findings, problems
from clusterf_addresses.tunnels.world import TunnelWorld

V4 = Network.parse("192.0.2.0/24")
RULES = TunnelRules((Tunnel(TunnelType.IPIP), Tunnel(TunnelType.GUE, 6080)), "ipv4", "auto", (V4,))
OURS = SeenLink("clusterf-ipip", "ipip", anybody=True)
ALL = Modules(frozenset({"ipip", "fou", "nf_tables"}), frozenset())


def test_nothing_is_said_where_nothing_is_configured() -> None:
    for said in (detail, problems):
        assert list(said(TunnelRules(), TunnelWorld(refused=errno.EPERM))) == []
    assert list(findings(TunnelRules(), TunnelWorld(), Modules(loadable=frozenset()))) == []


def test_what_arrives_and_how_large_segments_may_be() -> None:
    assert list(detail(RULES, TunnelWorld(links=(OURS,), mtu=1500))) == [
        "takes ipip, gue at port 6080",
        "segments of at most 1428 bytes, of IPv6 1408",
    ]


def test_a_stranger_s_device_is_named() -> None:
    theirs = SeenLink("tunl0", "ipip", anybody=True)
    assert "tunl0, which takes ipip here, is not ours and not guarded" in list(
        detail(RULES, TunnelWorld(links=(theirs,)))
    )


def test_without_nftables_that_is_a_problem_with_a_hint() -> None:
    seen = TunnelWorld(links=(OURS,), refused=errno.EOPNOTSUPP)
    [problem] = problems(RULES, seen)
    assert problem.startswith("nftables: operation not supported")
    assert "modprobe nf_tables" in problem
    assert list(detail(RULES, seen)) == ["takes ipip, gue at port 6080"]


def test_without_the_capability_the_hint_is_another_one() -> None:
    [problem] = problems(RULES, TunnelWorld(refused=errno.EPERM))
    assert "CAP_NET_ADMIN" in problem


def test_modules_that_are_not_there_are_found() -> None:
    assert list(findings(RULES, TunnelWorld(), ALL)) == []
    found = list(findings(RULES, TunnelWorld(), Modules(loadable=frozenset())))
    assert [(one.severity, one.message.partition(":")[0]) for one in found] == [
        (Severity.ERROR, "ipip devices"),
        (Severity.ERROR, "GUE"),
        (Severity.WARNING, "nftables"),
    ]


def test_modules_that_can_be_loaded_are_enough() -> None:
    loadable = Modules(loadable=frozenset({"ipip", "fou", "nf_tables"}))
    assert list(findings(RULES, TunnelWorld(), loadable)) == []
    assert list(findings(RULES, TunnelWorld(), Modules())) == []


def test_a_kernel_that_refuses_the_table_is_found() -> None:
    [found] = findings(RULES, TunnelWorld(refused=errno.EOPNOTSUPP), ALL)
    assert found.severity is Severity.WARNING
