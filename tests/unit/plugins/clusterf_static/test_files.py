from __future__ import annotations

import gc
from pathlib import Path

import pytest

from clusterf.plugin import SourceUnavailable
from clusterf_static.files import Kind, list_files, read_file, read_files, signature


def test_a_directory_is_listed_by_name(tmp_path: Path) -> None:
    for name in ("b.toml", "a.toml", ".c.toml", "d.tom", "toml"):
        (tmp_path / name).touch()
    (tmp_path / "e.toml").symlink_to("nowhere")
    listing = list_files(tmp_path)
    assert listing.kind is Kind.DIRECTORY
    assert [path.name for path in listing.files] == ["a.toml", "b.toml", "e.toml"]
    assert listing.files[tmp_path / "e.toml"] is None
    assert listing.links == [tmp_path / "e.toml"]


def test_a_file_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "any.name"
    path.touch()
    assert list_files(path) == (Kind.FILE, {path: signature(path)}, [])


def test_no_path_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="none: no such file or directory"):
        list_files(tmp_path / "none")


def test_a_signature_follows_links(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").symlink_to("a")
    assert signature(tmp_path / "a") == signature(tmp_path / "b")


def test_the_collector_works_again_after_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("oops")
    assert gc.isenabled()
    assert read_files([path], "sources.x")[path].problem is not None
    assert gc.isenabled()


def test_faults_have_places(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[services.web]\nweight = -1\n")
    reading = read_file(path, "sources.x", "a.toml")
    assert reading.content is not None
    assert [(problem.line, problem.column) for problem in reading.problems] == [(2, 10)]
