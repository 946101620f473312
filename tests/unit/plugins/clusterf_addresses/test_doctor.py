from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from clusterf.config.configuration import Configuration, Instance
from clusterf.model.defaults import Defaults
from clusterf.model.service import StickyClients
from clusterf.model.table import Method
from clusterf.plugin import Configured, Finding, OutputType, Settings, Verdict
from clusterf.testing import InstanceContext
from clusterf_addresses import clusterf_register_outputs
from clusterf_addresses.doctor import examinations, findings
from clusterf_addresses.settings import AddressesSettings

[ADDRESSES] = clusterf_register_outputs()
FILES = {
    "net/ipv4/ip_forward": 1,
    "net/ipv4/conf/all/arp_ignore": 0,
    "net/ipv4/conf/all/arp_announce": 0,
    "net/ipv4/conf/all/rp_filter": 0,
    "net/ipv4/conf/eth0/rp_filter": 1,
    "net/ipv4/conf/eth1/rp_filter": 2,
    "net/ipv4/vs/expire_quiescent_template": 0,
    "net/ipv4/vs/expire_nodest_conn": 1,
    "net/ipv4/vs/conn_reuse_mode": 1,
}


def host(root: Path, changed: Mapping[str, int] = {}) -> Path:
    for name, value in {**FILES, **changed}.items():
        path = root / "proc/sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    return root


def configuration(defaults: Defaults, *, addresses: bool = False) -> Configured:
    outputs = {
        "outputs.vips": Instance(
            name="outputs.vips", type=ADDRESSES, settings=AddressesSettings(arp="auto")
        )
    }
    return Configuration(
        path=Path("clusterf.toml"), defaults=defaults, outputs=outputs if addresses else {}
    )


def warnings(results: list[Finding]) -> list[str]:
    return [one.hint for one in results if one.verdict is Verdict.WARNING]


MASQ, DROUTE = Defaults(), Defaults(method=Method.DROUTE)
STICKY = Defaults(persistence=StickyClients(60))


@pytest.mark.parametrize(
    ("configured", "hints"),
    [
        (None, []),
        (configuration(MASQ), []),
        (configuration(STICKY), ["sysctl -w net.ipv4.vs.expire_quiescent_template=1"]),
        (configuration(DROUTE), ["sysctl -w net.ipv4.conf.all.rp_filter=2"]),
        (
            configuration(DROUTE, addresses=True),
            [
                "sysctl -w net.ipv4.conf.all.arp_ignore=1",
                "sysctl -w net.ipv4.conf.all.arp_announce=2",
                "sysctl -w net.ipv4.conf.all.rp_filter=2",
            ],
        ),
    ],
)
def test_what_is_amiss_depends_on_the_methods(
    tmp_path: Path, configured: Configured | None, hints: list[str]
) -> None:
    assert warnings(findings(configured, host(tmp_path))) == hints


def test_what_is_well_is_told(tmp_path: Path) -> None:
    told = [one.message for one in findings(None, host(tmp_path))]
    assert told[0].startswith("as needed: net.ipv4.ip_forward 1")
    assert told[1] == "rp_filter: strict on eth0, which matters with droute and tunnel only"


def test_no_interface_is_strict_where_all_is_loose(tmp_path: Path) -> None:
    root = host(tmp_path, {"net/ipv4/conf/all/rp_filter": 2})
    results = findings(configuration(DROUTE), root)
    assert "rp_filter: strict on no interface" in [one.message for one in results]


def test_many_strict_interfaces_are_a_number(tmp_path: Path) -> None:
    more = {f"net/ipv4/conf/veth{number}/rp_filter": 1 for number in range(9)}
    [told] = [
        one.message
        for one in findings(None, host(tmp_path, more))
        if one.message.startswith("rp_filter")
    ]
    assert "eth0, veth0, veth1, veth2, veth3, veth4 and 4 more" in told


def modules(root: Path) -> list[str]:
    return [one.message for one in findings(None, root) if one.message.startswith("modules")]


def test_modules(tmp_path: Path) -> None:
    root = host(tmp_path)
    assert modules(root) == [
        (
            "modules out of sight, as in a container: dummy, ipip, sit, ip6_tunnel, ip_gre,"
            " ip6_gre, fou, nf_tables"
        )
    ]
    (root / "proc/modules").write_text("ipip 1 1\n")
    (root / "proc/sys/kernel").mkdir()
    (root / "proc/sys/kernel/osrelease").write_text("6.1.0\n")
    (root / "lib/modules/6.1.0").mkdir(parents=True)
    (root / "lib/modules/6.1.0/modules.dep").write_text("kernel/fou.ko:\nkernel/dummy.ko:\n")
    (root / "sys/module/nf_tables").mkdir(parents=True)
    assert modules(root) == [
        "modules there: ipip, nf_tables",
        "modules loaded when asked for: dummy, fou",
        "modules not there, needed for tunnels or create only: sit, ip6_tunnel, ip_gre, ip6_gre",
    ]


async def test_a_host_that_only_publishes_is_not_examined(tmp_path: Path) -> None:
    publishing = OutputType(
        name="etcd",
        settings=Settings,
        create=lambda *_: None,  # type: ignore[arg-type,return-value]
        summary="",
        publishes=True,
    )
    agent = Configuration(
        path=tmp_path / "clusterf.toml",
        outputs={"a": Instance(name="a", type=publishing, settings=Settings())},
    )
    assert examinations(agent) == []
    [one] = examinations(None)
    results = list(await one.examine(InstanceContext("doctor.network", folder=tmp_path)))
    assert {each.verdict for each in results} <= set(Verdict)
    assert any(each.message.startswith("modules") for each in results)
