from __future__ import annotations

from io import BytesIO, TextIOWrapper

import pytest

from clusterf.cli.main import main
from tests.imported import read_back

Shown = pytest.CaptureFixture[str]

TABLE = b"-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 198.51.100.1:80 -m -w 1\n"


def test_what_ipvsadm_prints_comes_through_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(TABLE)))
    assert main(["import", "ipvsadm", "-"]) == 0
    printed, report = capsys.readouterr()
    [one] = read_back(printed)
    assert [str(backend) for backend in one.backends] == ["198.51.100.1:80"]
    assert report.endswith("imported 1 service with 1 backend\n")


def test_an_empty_table_is_nothing_to_import(
    monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"")))
    assert main(["import", "ipvsadm", "-"]) == 65
    assert capsys.readouterr().out == ""
