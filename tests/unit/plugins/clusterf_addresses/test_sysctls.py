from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clusterf_addresses import sysctls

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc of a host with IPv4 only and no IPVS."""
    for name, text in {
        "net.ipv4.ip_forward": "1\n",
        "net.ipv4.conf.all.rp_filter": "0\n",
        "net.ipv4.conf.default.rp_filter": "1\n",
        "net.ipv4.conf.lo.rp_filter": "1\n",
        "net.ipv4.conf.eth0/7.rp_filter": "1\n",
        "net.ipv4.conf.all.arp_ignore": "what?\n",
    }.items():
        file = sysctls.path(tmp_path, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_what_is_there_is_read(proc: Path) -> None:
    assert sysctls.read(proc) == {
        "net.ipv4.ip_forward": 1,
        "net.ipv4.conf.all.rp_filter": 0,
        "net.ipv4.conf.eth0/7.rp_filter": 1,
    }


def test_an_interface_with_a_dot_keeps_it(proc: Path) -> None:
    file = sysctls.path(proc, "net.ipv4.conf.eth0/7.rp_filter")
    assert file == proc / "sys/net/ipv4/conf/eth0.7/rp_filter"


def test_nothing_is_read_where_there_is_nothing(tmp_path: Path) -> None:
    assert sysctls.read(tmp_path) == {}


def test_what_is_set_is_read(proc: Path) -> None:
    assert sysctls.write("net.ipv4.ip_forward", 0, proc) == ("", "")
    assert sysctls.read(proc)["net.ipv4.ip_forward"] == 0


def test_what_cannot_be_set_is_told(proc: Path) -> None:
    error, hint = sysctls.write("net.ipv4.vs.expire_nodest_conn", 1, proc)
    assert error == ("net.ipv4.vs.expire_nodest_conn: no such file or directory (ENOENT)")
    assert hint == "modprobe ip_vs"


@pytest.mark.parametrize(
    ("line", "expected"),
    [("000001ffffffffff", True), ("0000000000001000", True), ("0000000000000fff", False)],
)
def test_the_capability_is_read(tmp_path: Path, line: str, expected: bool) -> None:  # noqa: FBT001
    (tmp_path / "thread-self").mkdir()
    (tmp_path / "thread-self/status").write_text(f"Name:\tx\nCapPrm:\t0\nCapEff:\t{line}\n")
    assert sysctls.capable(tmp_path) is expected
