from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.cli.main import main

Shown = pytest.CaptureFixture[str]

GOOD = """\
virtual_server 192.0.2.10 80 {
    protocol TCP
    lb_algo rr
    real_server 198.51.100.11 80 {
    }
}
"""
CHECKED = GOOD.replace("11 80 {", "11 80 {\n TCP_CHECK {\n }")
WRONG = GOOD + "virtual_server nowhere 80 {\n}\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def imported(text: str, *options: str) -> int:
    Path("k.conf").write_text(text, "utf-8")
    return main(["import", "keepalived", "k.conf", *options])


def test_the_result_is_printed_and_the_report_stands_beside_it(capsys: Shown) -> None:
    assert imported(CHECKED) == 0
    printed, report = capsys.readouterr()
    assert printed.startswith("# Imported by `clusterf import keepalived` from k.conf.\n")
    assert "k.conf:5:2: warning: " in report
    assert report.endswith("0 errors, 1 warning\nimported 1 service with 1 backend\n")


def test_what_is_wrong_is_left_out_and_seen_in_the_exit_status(capsys: Shown) -> None:
    assert imported(WRONG) == 65
    printed, report = capsys.readouterr()
    assert "[services.tcp-192-0-2-10-80]" in printed
    assert 'k.conf:7:16: error: virtual_server nowhere 80: "nowhere" is not an IP address' in report


@pytest.mark.parametrize(("text", "status"), [(GOOD, 0), (CHECKED, 1), (WRONG, 65)])
def test_strict_minds_whatever_is_not_carried_over(text: str, status: int) -> None:
    assert imported(text, "--strict") == status


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no virtual server in it to import"),
        ("global_defs {\n}\n", "there is no virtual server in it to import"),
        (GOOD + "}", "nothing is imported (hint: mend the errors first)"),
    ],
)
def test_where_there_is_nothing_nothing_is_written(text: str, told: str, capsys: Shown) -> None:
    assert imported(text, "-o", "clusterf.toml") == 65
    printed, report = capsys.readouterr()
    assert (printed, report.splitlines()[-1]) == ("", f"clusterf: k.conf: {told}")
    assert not Path("clusterf.toml").exists()


def test_a_file_is_written_and_not_written_over(capsys: Shown) -> None:
    assert imported(GOOD, "-o", "clusterf.toml") == 0
    assert capsys.readouterr().out == ""
    before = Path("clusterf.toml").read_text("utf-8")
    assert imported(GOOD.replace("rr", "lc"), "-o", "clusterf.toml") == 1
    assert capsys.readouterr().err == (
        "clusterf: clusterf.toml is there already (hint: --force replaces it)\n"
    )
    assert Path("clusterf.toml").read_text("utf-8") == before


def test_force_replaces_the_file_and_keeps_who_may_read_it() -> None:
    Path("clusterf.toml").write_text("old", "utf-8")
    Path("clusterf.toml").chmod(0o640)
    assert imported(GOOD, "-o", "clusterf.toml", "--force") == 0
    assert "[services." in Path("clusterf.toml").read_text("utf-8")
    assert Path("clusterf.toml").stat().st_mode & 0o777 == 0o640
    assert sorted(map(str, Path().iterdir())) == ["clusterf.toml", "k.conf"]


def test_a_link_that_leads_nowhere_is_something() -> None:
    Path("clusterf.toml").symlink_to("missing")
    assert imported(GOOD, "-o", "clusterf.toml") == 1


@pytest.mark.parametrize("option", [[], ["--force"]])
def test_a_folder_that_is_missing_is_told(option: list[str], capsys: Shown) -> None:
    assert imported(GOOD, "-o", "missing/clusterf.toml", *option) == 73
    assert capsys.readouterr().err == "clusterf: missing/clusterf.toml: no such file or directory\n"
