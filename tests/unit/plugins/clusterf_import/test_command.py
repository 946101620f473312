from __future__ import annotations

import pytest

from clusterf.cli.main import main

Shown = pytest.CaptureFixture[str]


def test_help_lists_what_can_be_imported(capsys: Shown) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["import", "--help"])
    assert ended.value.code == 0
    assert "keepalived" in capsys.readouterr().out


def test_nothing_else_can_be_imported(capsys: Shown) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["import", "nginx", "nginx.conf"])
    assert ended.value.code == 2
    assert "nginx" in capsys.readouterr().err


def test_the_command_is_listed_among_all(capsys: Shown) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "import " in capsys.readouterr().out
