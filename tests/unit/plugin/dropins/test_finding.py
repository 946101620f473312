from __future__ import annotations

import os
from pathlib import Path

import pytest

from clusterf.model.errors import PluginLoadError
from clusterf.plugin.dropins.finding import drop_ins, entry_of
from tests.unit.plugin.texts import drop_in, good, load, only_failure


def test_files_and_packages_are_drop_ins_in_the_order_of_their_names(folder: Path) -> None:
    drop_in(folder, "b.py", "")
    drop_in(folder, "c/__init__.py", "")
    drop_in(folder, "a-9.py", "")
    found = list(drop_ins(folder))
    assert [path.name for path in found] == ["a-9.py", "b.py", "c"]
    assert [entry_of(path).name for path in found] == ["a-9.py", "b.py", "__init__.py"]


@pytest.mark.parametrize(
    "name",
    ["_x.py", ".x.py", "x.txt", "x.py.bak", "x.py~", "README.md", "notes/read.me", ".git/x.py"],
)
def test_other_files_are_not_looked_at(folder: Path, name: str) -> None:
    drop_in(folder, name, "raise SystemExit")
    assert list(drop_ins(folder)) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x.so", "is a compiled extension, and this program takes Python files only"),
        (
            "x.cpython-311-x86_64-linux-gnu.so",
            "is a compiled extension, and this program takes Python files only",
        ),
        ("x.pyc", "is compiled Python, and this program takes Python files only"),
        ("x-1.0-py3-none-any.whl", "is an archive"),
        ("x.zip", "is an archive"),
        ("x y.py", 'the name "x y" cannot be that of a plugin'),
        ("9x.py", 'the name "9x" cannot be that of a plugin'),
        ("x.y.py", 'the name "x.y" cannot be that of a plugin'),
        ("a.b/__init__.py", 'the name "a.b" cannot be that of a plugin'),
        ("notes/x.py", "is a folder with Python files and no __init__.py"),
        ("notes/__init__.py/x", "is a folder with Python files and no __init__.py"),
    ],
)
def test_what_looks_like_a_drop_in_and_is_none_is_told(
    folder: Path, name: str, message: str
) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    drop_in(folder, name, "CLUSTERF_API = '1.0'\nraise SystemExit('it ran')")
    failure = only_failure(load(folder))
    assert failure.message == message
    assert failure.hint


def test_a_pipe_blocks_nobody(folder: Path) -> None:
    os.mkfifo(folder / "x.py", 0o644)
    assert only_failure(load(folder)).message == "is no regular file"


def test_a_package_has_no_compiled_part(folder: Path) -> None:
    drop_in(folder, "x/__init__.py", good())
    drop_in(folder, "x/_vendor/fast.so", "")
    failure = only_failure(load(folder))
    assert failure.message.startswith("its part _vendor/fast.so is a compiled extension")
    assert "socket" in failure.hint


def test_other_files_in_a_package_are_its_own_concern(folder: Path) -> None:
    drop_in(
        folder,
        "x/__init__.py",
        "from pathlib import Path\n"
        "assert (Path(__file__).parent / 'words.txt').read_text() == 'hello'\n" + good(),
    )
    drop_in(folder, "x/words.txt", "hello")
    assert load(folder).failures == []


def test_an_entry_that_is_not_there(folder: Path) -> None:
    with pytest.raises(PluginLoadError, match="no regular file"):
        entry_of(folder / "nowhere.py")
