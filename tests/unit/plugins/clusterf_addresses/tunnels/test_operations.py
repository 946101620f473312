from __future__ import annotations

from clusterf.model.address import Family, Network
from clusterf.model.operation import Operation, Stage
from clusterf_addresses.tunnels.operations import (
    AddressTunnel,
    ClosePort,
    CreateTunnel,
    ExchangeTable,
    OpenPort,
    RaiseTunnel,
    RemoveTable,
    RemoveTunnel,
)
from clusterf_addresses.tunnels.receiving import Device, Port
from clusterf_addresses.tunnels.ruleset import ruleset

GRE, SIT = Device("gre"), Device("sit")
INET, INET6 = Port(Family.INET, 6080), Port(Family.INET6, 6080)
RULES = ruleset("clusterf-", [Network.parse("192.0.2.0/24")], {Family.INET: 1420})


def test_operations_speak_as_ip_and_nft_do() -> None:
    said = {
        CreateTunnel(GRE): "ip link add clusterf-gre type gre external",
        CreateTunnel(Device("gre", checksums=True)): (
            "ip link add clusterf-gre type gre external icsum ocsum"
        ),
        CreateTunnel(SIT): "ip link add clusterf-sit type sit dev lo",
        AddressTunnel(GRE): "ip address add 192.0.0.8/32 dev clusterf-gre scope link",
        RaiseTunnel(GRE): "ip link set clusterf-gre up",
        RemoveTunnel(GRE): "ip link delete clusterf-gre",
        OpenPort(INET): "ip fou add port 6080 gue",
        OpenPort(INET6): "ip fou add port 6080 -6 gue",
        ClosePort(INET6, "clusterf-ip6tnl"): "ip fou del port 6080 -6",
        RemoveTable(): "nft delete table inet clusterf",
        ExchangeTable(RULES): (
            'nft table inet clusterf { chain arriving { iifname != "clusterf-*" accept;'
            " ip daddr 192.0.2.0/24 accept; counter drop } chain answering { ip saddr"
            " 192.0.2.0/24 tcp flags & syn == syn tcp option maxseg size set 1420 } }"
        ),
    }
    for operation, words in said.items():
        assert isinstance(operation, Operation)
        assert operation.describe() == words
        assert operation.subject is None


def test_what_goes_goes_last_unless_another_one_comes() -> None:
    assert {one.stage for one in (CreateTunnel(GRE), OpenPort(INET), ExchangeTable(RULES))} == {
        Stage.ADD
    }
    assert {one.stage for one in (RemoveTunnel(GRE), ClosePort(INET, ""), RemoveTable())} == {
        Stage.REMOVE
    }
    assert RemoveTunnel(GRE, replaced=True).stage is Stage.ADD


def test_each_says_why() -> None:
    for operation in (
        CreateTunnel(GRE),
        AddressTunnel(GRE),
        RaiseTunnel(GRE),
        OpenPort(INET),
        ClosePort(INET, ""),
        RemoveTable(),
    ):
        assert operation.reason()
    assert RemoveTunnel(GRE).reason() != RemoveTunnel(GRE, replaced=True).reason()
    assert ExchangeTable(RULES, "there is none").reason() == "there is none"
