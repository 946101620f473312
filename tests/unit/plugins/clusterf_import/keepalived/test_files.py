from __future__ import annotations

from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from clusterf_import.ending import NotReadable
from clusterf_import.files import Unreadable
from clusterf_import.keepalived.files import alternatives, find, read_source


def test_a_file_and_its_folder(tmp_path: Path) -> None:
    (tmp_path / "k.conf").write_bytes(b"a \xe9")
    source = read_source(str(tmp_path / "k.conf"))
    assert source == (str(tmp_path / "k.conf"), str(tmp_path), "a é")


def test_a_file_that_keepalived_does_not_read_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "k.conf").touch(mode=0o755)
    with pytest.raises(NotReadable, match="is executable"):
        read_source(str(tmp_path / "k.conf"))


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"a")))
    assert read_source("-") == ("standard input", "", "a")


def test_files_that_are_included_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.conf", "a.conf", "c.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d.conf").mkdir()
    folder = str(tmp_path)
    assert [one.text for one in find("*.conf", folder)] == ["a.conf", "b.conf"]
    assert [one.text for one in find("{c.txt,a.conf}", folder)] == ["c.txt", "a.conf"]
    assert [one.name for one in find(f"{folder}/c.txt", "/etc")] == [f"{folder}/c.txt"]
    for pattern in ("none", "*.none", "d.conf"):
        with pytest.raises(Unreadable):
            list(find(pattern, folder))


def test_braces_are_those_of_csh() -> None:
    assert alternatives("a{b,c{d,e}}f") == ["abf", "acdf", "acef"]
    assert alternatives("{foo/{,cat,dog},bar}") == ["foo/", "bar", "foo/cat", "foo/dog"]
    assert alternatives("a{b}") == ["a{b}"]


def test_braces_that_multiply_end() -> None:
    assert len(alternatives("{a,b}" * 20)) < 2000
