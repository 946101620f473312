from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clusterf_addresses.tunnels import modules
from clusterf_addresses.tunnels.modules import Modules

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with ipip loaded, sit built in and ip_gre to be loaded."""
    for name, text in {
        "proc/modules": "ipip 20480 0 - Live 0x0000000000000000\n",
        "proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
        "lib/modules/6.1.0-18-amd64/modules.builtin": "kernel/net/ipv6/sit.ko\n",
        "lib/modules/6.1.0-18-amd64/modules.dep": (
            "kernel/net/ipv4/ip_gre.ko.xz: kernel/net/ipv4/gre.ko.xz\nkernel/net/ipv6/ip6-gre.ko:\n"
        ),
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_what_runs_and_what_could_be_loaded(root: Path) -> None:
    found = modules.read(root)
    assert found == Modules(frozenset({"ipip", "sit"}), frozenset({"ip_gre", "ip6_gre"}))
    assert found.missing(["ipip", "sit", "ip_gre", "fou"]) == ["fou"]


def test_where_modules_are_out_of_sight_none_is_said_to_be_missing(root: Path) -> None:
    (root / "lib/modules/6.1.0-18-amd64/modules.dep").unlink()
    found = modules.read(root)
    assert found.loadable is None
    assert found.missing(["fou"]) == []


def test_an_unreadable_host_is_an_unknown_one(tmp_path: Path) -> None:
    assert modules.read(tmp_path) == Modules()
