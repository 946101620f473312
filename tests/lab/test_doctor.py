"""``clusterf doctor`` in a kernel that has IPVS; without one: tests/unit/cli/test_doctor_cmd.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clusterf.cli.main import main
from tests.lab.network import Namespace

pytestmark = pytest.mark.lab

CONFIGURATION = """
[clusterf]
managed = ["192.0.2.0/24"]
[outputs.kernel]
type = "ipvs"
[services.web]
frontend = { ipv4 = "192.0.2.1", tcp = 80 }
"""


def findings(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str]]:
    """Verdict and hint by the message."""
    path.write_text(CONFIGURATION)
    main(["doctor", "-c", str(path), "--format", "json"])
    said = json.loads(capsys.readouterr().out)
    return {one["message"]: (one["verdict"], one["hint"]) for one in said["findings"]}


def test_a_kernel_with_ipvs(
    netns: Namespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    netns.sysctl(ipv4__ip_forward=1, ipv4__vs__expire_nodest_conn=1)
    found = findings(tmp_path / "clusterf.toml", capsys)
    assert any(message.startswith("ip_vs: ") for message in found)
    assert not any(verdict == "error" for verdict, _ in found.values()), found
    assert any("expire_nodest_conn 1" in message for message in found)
    assert found["this process may program the kernel (CAP_NET_ADMIN)"][0] == "ok"


def test_a_sysctl_that_is_not_as_it_should_be(
    netns: Namespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    netns.sysctl(ipv4__ip_forward=0, ipv4__vs__expire_nodest_conn=0)
    path = tmp_path / "clusterf.toml"
    warned = {hint for verdict, hint in findings(path, capsys).values() if verdict == "warning"}
    assert "sysctl -w net.ipv4.vs.expire_nodest_conn=1" in warned
    assert "sysctl -w net.ipv4.ip_forward=1" in warned
    netns.sysctl(ipv4__ip_forward=1, ipv4__vs__expire_nodest_conn=1)
    warned = {hint for verdict, hint in findings(path, capsys).values() if verdict == "warning"}
    assert not any("nodest" in hint or "ip_forward" in hint for hint in warned)
