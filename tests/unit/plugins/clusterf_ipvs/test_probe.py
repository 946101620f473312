"""The probe on made-up hosts: folders with the files that it reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clusterf.model.table import SCHEDULERS, Method, Persistence
from clusterf.plugin import Severity
from clusterf_ipvs.probe import examine
from tests.strategies import destination, entry, target, tcp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clusterf.plugin import ProbeResult

ALL = [f"kernel/net/netfilter/ipvs/ip_vs_{name}.ko.xz: x" for name in SCHEDULERS]
FILES = {
    "proc/sys/kernel/osrelease": "6.1.0-9-amd64\n",
    "proc/modules": "ip_vs 167936 2 ip_vs_wlc, Live 0x0\nnf_conntrack 1 1 - Live 0x0\n",
    "lib/modules/6.1.0-9-amd64/modules.dep": "\n".join(["kernel/ip_vs.ko:", *ALL]),
    "lib/modules/6.1.0-9-amd64/modules.builtin": "kernel/lib/x.ko\n",
    "proc/self/status": "Name:\tclusterf\nCapEff:\t0000003fffffffff\n",
    "proc/sys/net/ipv4/ip_forward": "1\n",
    **{
        f"proc/sys/net/ipv4/vs/{name}": f"{value}\n"
        for name, value in {
            "expire_nodest_conn": 1,
            "expire_quiescent_template": 1,
            "conn_reuse_mode": 1,
            "conntrack": 0,
            "run_estimation": 1,
        }.items()
    },
}


def host(root: Path, changed: Mapping[str, str | None]) -> Path:
    """A host on which all is well, but for what is changed; None: the file is not there."""
    for name, content in {**FILES, **changed}.items():
        if content is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content, encoding="utf-8")
    return root


def said(results: list[ProbeResult], severity: Severity) -> list[str]:
    return [result.message for result in results if result.severity is severity]


def test_a_host_on_which_all_is_well(tmp_path: Path) -> None:
    assert examine(host(tmp_path, {}), None) == []


def test_a_module_that_is_not_loaded(tmp_path: Path) -> None:
    (result,) = examine(host(tmp_path, {"proc/modules": "x 1 1\n"}), None)
    assert result.severity is Severity.ERROR
    assert result.message == "ip_vs: the kernel module is not loaded"
    assert result.hint == "modprobe ip_vs"


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    gone = {"proc/modules": "", "lib/modules/6.1.0-9-amd64/modules.dep": ""}
    (result,) = examine(host(tmp_path, gone), None)
    assert result.severity is Severity.ERROR
    assert "not there" in result.message


def test_a_module_that_is_built_in(tmp_path: Path) -> None:
    builtin = {
        "proc/modules": "",
        "lib/modules/6.1.0-9-amd64/modules.builtin": "kernel/net/netfilter/ipvs/ip_vs.ko\n",
    }
    assert examine(host(tmp_path, builtin), None) == []


def test_a_container_that_does_not_see_the_modules(tmp_path: Path) -> None:
    unseen = {
        "lib/modules/6.1.0-9-amd64/modules.dep": None,
        "proc/net/ip_vs": "",
        "proc/modules": "",
    }
    assert examine(host(tmp_path, unseen), None) == []


def test_schedulers_that_are_not_available(tmp_path: Path) -> None:
    some = "\n".join(line for line in ALL if "_mh." not in line and "_twos." not in line)
    missing = {"lib/modules/6.1.0-9-amd64/modules.dep": some}
    (result,) = examine(host(tmp_path, missing), None)
    assert result.severity is Severity.WARNING
    assert result.message == "schedulers mh: not available in this kernel"


@pytest.mark.parametrize("bits", ["0000000000000000", "0000003fffffefff"])
def test_a_missing_capability(tmp_path: Path, bits: str) -> None:
    poor = {"proc/self/status": f"Name:\tx\nCapEff:\t{bits}\n"}
    (result,) = examine(host(tmp_path, poor), None)
    assert result.severity is Severity.ERROR
    assert "CAP_NET_ADMIN" in result.hint


@pytest.mark.parametrize(("name", "value"), [("expire_nodest_conn", 0), ("conn_reuse_mode", 0)])
def test_sysctls_that_are_wrong_for_drains(tmp_path: Path, name: str, value: int) -> None:
    results = examine(host(tmp_path, {f"proc/sys/net/ipv4/vs/{name}": f"{value}\n"}), None)
    assert [result.severity for result in results] == [Severity.WARNING]
    assert name in results[0].message
    assert name in results[0].hint


def test_quiescent_templates_matter_to_persistence_only(tmp_path: Path) -> None:
    root = host(tmp_path, {"proc/sys/net/ipv4/vs/expire_quiescent_template": "0\n"})
    assert examine(root, None) == []
    assert examine(root, {tcp(): entry(1)}) == []
    (result,) = examine(root, {tcp(): entry(1, persistence=Persistence(60, 32))})
    assert "expire_quiescent_template" in result.message


@pytest.mark.parametrize(("release", "warned"), [("5.4.0", True), ("5.10.3-1", False)])
def test_conntrack_matters_to_old_kernels_only(
    tmp_path: Path,
    release: str,
    warned: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    changed = {
        "proc/sys/kernel/osrelease": release,
        "proc/sys/net/ipv4/vs/conntrack": "1\n",
        f"lib/modules/{release}/modules.dep": "\n".join(ALL),
    }
    assert bool(examine(host(tmp_path, changed), None)) is warned


def test_estimation_matters_to_many_entries_on_old_kernels(tmp_path: Path) -> None:
    many = {tcp(port=port): entry(*[1] * 100) for port in range(1, 101)}
    root = host(tmp_path, {})
    (result,) = examine(root, many)
    assert "run_estimation is 1" in result.message
    assert "10100 entries" in result.message
    few = {tcp(port=port): entry(*[1] * 10) for port in range(1, 101)}
    assert examine(root, few) == []
    new = {"proc/sys/kernel/osrelease": "6.2.0", "lib/modules/6.2.0/modules.dep": "\n".join(ALL)}
    assert examine(host(tmp_path, new), many) == []


def test_forwarding_matters_to_masq_only(tmp_path: Path) -> None:
    root = host(tmp_path, {"proc/sys/net/ipv4/ip_forward": "0\n"})
    assert "ip_forward" in said(examine(root, None), Severity.WARNING)[0]
    assert "ip_forward" in said(examine(root, {tcp(): entry(1)}), Severity.WARNING)[0]
    direct = replace(entry(), destinations={target(): destination(1, Method.DROUTE)})
    assert examine(root, {tcp(): direct}) == []


def test_a_host_that_shows_nothing_is_no_traceback(tmp_path: Path) -> None:
    results = examine(tmp_path, None)
    assert said(results, Severity.ERROR) == ["ip_vs: the kernel module is not there"]


def test_a_strange_release_counts_as_new(tmp_path: Path) -> None:
    changed = {
        "proc/sys/kernel/osrelease": "mainline",
        "lib/modules/mainline/modules.dep": "\n".join(ALL),
        "proc/sys/net/ipv4/vs/conntrack": "1\n",
    }
    assert examine(host(tmp_path, changed), None) == []
