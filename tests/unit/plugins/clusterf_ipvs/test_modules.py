from __future__ import annotations

from pathlib import Path

from clusterf_ipvs.modules import Modules, read_text, release
from tests.unit.plugins.clusterf_ipvs.test_probe import host


def test_what_runs_and_what_can_be_loaded(tmp_path: Path) -> None:
    modules = Modules.read(host(tmp_path, {}))
    assert {"ip_vs", "nf_conntrack", "x"} == modules.running
    assert modules.builtin == {"x"}
    assert modules.loadable is not None
    assert {"ip_vs", "ip_vs_wlc"} <= modules.loadable
    assert release(tmp_path) == "6.1.0-9-amd64"


def test_without_lists_the_kernel_s_own_file_tells_of_ip_vs(tmp_path: Path) -> None:
    assert Modules.read(tmp_path) == Modules(frozenset(), frozenset(), None)
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/ip_vs").touch()
    assert Modules.read(tmp_path).builtin == {"ip_vs"}
    assert read_text(tmp_path / "proc") is None
