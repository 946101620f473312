"""Where there is no IPVS: the program says so and ends, or goes on without it if told to.

Not in the lab, but on the host outside of it; where that has IPVS there is nothing to see.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.lab import process, scratch
from tests.lab.kernel import has_ipvs

CONFIGURATION = """\
[clusterf]
managed = ["198.51.100.0/25"]
control = "control.sock"
state_dir = "state"

[outputs.kernel]
type = "ipvs"

[services.web]
frontend = { ipv4 = "198.51.100.1", tcp = 80 }
"""


@pytest.mark.parametrize("command", [["run"], ["run", "--once"], ["plan"]], ids=" ".join)
def test_without_ipvs_a_command_is_unavailable(tmp_path: Path, command: list[str]) -> None:
    if has_ipvs():
        pytest.skip("this kernel has IPVS")
    file = tmp_path / "clusterf.toml"
    file.write_text(CONFIGURATION, encoding="utf-8")
    ended = process.run(
        [sys.executable, "-m", "clusterf", *command, "-c", str(file)],
        cwd=scratch.ROOT,
        check=False,
    )
    assert ended.returncode == 69, ended.stderr
    assert "modprobe ip_vs" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "control.sock").exists()
