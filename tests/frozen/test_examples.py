"""The examples of drop-ins, which import what was promised to them, work in the executable."""

from __future__ import annotations

from pathlib import Path

from tests.docs.examples import Program, act, laid_out, listening
from tests.frozen.executables import Executable


def test_a_weight_by_label_a_log_of_changes_and_upstreams_of_nginx(
    executable: Executable, tmp_path: Path
) -> None:
    with listening() as posts:
        act(Program(laid_out(tmp_path), posts.server_port, [executable.path]), posts)
