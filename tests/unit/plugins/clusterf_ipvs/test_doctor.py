"""On made-up hosts, as the tests of the probe, whose rules are not tested again here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from clusterf.config.configuration import Configuration
from clusterf.plugin import Finding, Verdict
from clusterf.testing import InstanceContext
from clusterf_ipvs.doctor import examinations, findings
from tests.unit.plugins.clusterf_ipvs.test_probe import host

BITS = "sys/module/ip_vs/parameters/conn_tab_bits"
MEMORY = {"proc/meminfo": "MemTotal:        4194304 kB\nMemFree: 1 kB\n"}


def found(root: Path, changed: Mapping[str, str | None]) -> list[Finding]:
    return findings(host(root, changed))


def messages(results: list[Finding], verdict: Verdict) -> list[str]:
    return [one.message for one in results if one.verdict is verdict]


def test_a_host_on_which_all_is_well(tmp_path: Path) -> None:
    results = found(tmp_path, {BITS: "20\n", **MEMORY})
    assert messages(results, Verdict.OK) == [
        "ip_vs: loaded",
        (
            "schedulers: rr, wrr, lc, wlc, lblc, lblcr, dh, sh, mh, sed, nq, fo, ovf, twos"
            " loaded when asked for"
        ),
        "this process may program the kernel (CAP_NET_ADMIN)",
        (
            "net.ipv4.vs: conn_reuse_mode 1, conntrack 0, expire_nodest_conn 1,"
            " expire_quiescent_template 1"
        ),
        "connection table: 1048576 buckets, 8192 KiB",
        "conntrack: not in use",
    ]
    assert {one.verdict for one in results} == {Verdict.OK}


def test_without_the_module_only_that_is_said_of_it(tmp_path: Path) -> None:
    results = found(tmp_path, {"proc/modules": "x 1 1\n"})
    assert messages(results, Verdict.ERROR) == ["ip_vs: the kernel module is not loaded"]
    assert not any(one.message.startswith("schedulers") for one in results)


def test_in_a_container_the_list_is_out_of_sight(tmp_path: Path) -> None:
    lists = {f"lib/modules/6.1.0-9-amd64/modules.{one}": None for one in ("dep", "builtin")}
    assert "schedulers: the kernel's list of modules is out of sight, as in a container" in (
        messages(found(tmp_path, lists), Verdict.OK)
    )


@pytest.mark.parametrize(
    ("builtin", "hint"),
    [
        (False, "echo options ip_vs conn_tab_bits=18 > /etc/modprobe.d/ip_vs.conf, and reboot"),
        (True, "boot the kernel with ip_vs.conn_tab_bits=18"),
    ],
)
def test_a_small_connection_table_on_a_large_host(
    tmp_path: Path, *, builtin: bool, hint: str
) -> None:
    names = {"lib/modules/6.1.0-9-amd64/modules.builtin": "kernel/ip_vs.ko\n"} if builtin else {}
    results = found(tmp_path, {BITS: "12\n", **MEMORY, **names})
    [one] = [each for each in results if each.verdict is Verdict.WARNING]
    assert one.message.startswith("connection table: 4096 buckets, 32 KiB, which is little for a")
    assert "4.0 GiB" in one.message
    assert one.hint == hint
    assert ("ip_vs: built into the kernel" in messages(results, Verdict.OK)) is builtin


def test_where_the_memory_is_not_told_the_table_is_not_judged(tmp_path: Path) -> None:
    results = found(tmp_path, {BITS: "12\n"})
    assert not any(one.message.startswith("connection") for one in results)


@pytest.mark.parametrize(("count", "verdict"), [(799, Verdict.OK), (800, Verdict.WARNING)])
def test_connection_tracking_that_is_nearly_full(
    tmp_path: Path, count: int, verdict: Verdict
) -> None:
    folder = "proc/sys/net/netfilter/nf_conntrack_"
    results = found(tmp_path, {f"{folder}count": f"{count}\n", f"{folder}max": "1000\n"})
    [one] = [each for each in results if each.message.startswith("conntrack")]
    assert one.verdict is verdict
    assert f"{count} of at most 1000" in one.message
    assert one.hint in {"", "sysctl -w net.netfilter.nf_conntrack_max=4000"}


async def test_only_who_has_such_an_output_or_nothing_is_examined(tmp_path: Path) -> None:
    assert examinations(Configuration(path=tmp_path / "clusterf.toml")) == []
    [one] = examinations(None, host(tmp_path, {}))
    results = list(await one.examine(InstanceContext("doctor.ipvs", folder=tmp_path)))
    assert results == findings(tmp_path)
