from __future__ import annotations

import os
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from clusterf_import.ending import NotReadable
from clusterf_import.files import SIZE_MAX, Unreadable, content, decoded, read_text


def test_a_file_is_called_as_it_was_named(tmp_path: Path) -> None:
    (tmp_path / "table").write_text("-A", "utf-8")
    assert read_text(f"{tmp_path}/table") == (f"{tmp_path}/table", "-A")


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"a")))
    assert read_text("-") == ("standard input", "a")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "no such file or directory"),
        ("folder", "not a regular file"),
        ("pipe", "not a regular file"),
        ("large", "larger than 16 MiB"),
        ("a\0b", "embedded null byte"),
        ("x" * 300, "file name too long"),
    ],
)
def test_what_cannot_be_read(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(SIZE_MAX + 1)
    with pytest.raises(NotReadable) as told:
        read_text(f"{tmp_path}/{name}")
    assert str(told.value) == f"{tmp_path}/{name}: {message}"
    assert told.value.exit_code == 66


def test_some_modes_may_be_forbidden(tmp_path: Path) -> None:
    (tmp_path / "script").touch(mode=0o744)
    assert content(tmp_path / "script", forbidden=0o011) == ""
    with pytest.raises(Unreadable, match="is executable"):
        content(tmp_path / "script", forbidden=0o100)


def test_old_files_are_read_as_they_were_written() -> None:
    assert decoded("é".encode()) == "é"
    assert decoded("é".encode("latin-1")) == "é"
