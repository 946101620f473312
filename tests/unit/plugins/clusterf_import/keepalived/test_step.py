from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.cli.main import main

Shown = pytest.CaptureFixture[str]

TEXT = """\
@one include one.conf
@two include two.conf
"""


@pytest.mark.parametrize("name", ["one", "two"])
def test_the_lines_of_one_id_count(name: str, tmp_path: Path, capsys: Shown) -> None:
    (tmp_path / "k.conf").write_text(TEXT, "utf-8")
    for other in ("one", "two"):
        (tmp_path / f"{other}.conf").write_text(
            f"virtual_server 192.0.2.1 80 {{\nprotocol TCP\nsnmp_name {other}\n"
            "real_server 198.51.100.1 80 {\n}\n}\n",
            "utf-8",
        )
    assert main(["import", "keepalived", "-i", name, str(tmp_path / "k.conf")]) == 0
    assert f"[services.{name}]" in capsys.readouterr().out


def test_a_file_that_is_missing(capsys: Shown) -> None:
    assert main(["import", "keepalived", "missing.conf"]) == 66
    assert capsys.readouterr().err == "clusterf: missing.conf: no such file or directory\n"


def test_without_a_file_it_is_misused(capsys: Shown) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["import", "keepalived"])
    assert ended.value.code == 2
    assert "FILE" in capsys.readouterr().err
