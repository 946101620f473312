"""The same inputs give the same bytes, wherever they are."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from tests.frozen import executables
from tests.frozen.executables import DIST, ROOT


def digests(folder: Path) -> dict[str, str]:
    """Of what is frozen: a package may lie beside it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".deb"
    }


@pytest.mark.timeout(600)
def test_elsewhere_and_later_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "an other" / "place"
    for path in executables.sources(ROOT):
        (elsewhere / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, elsewhere / path)  # without modes and times
    work = elsewhere / "build" / "freeze"
    work.mkdir(parents=True)
    for downloaded in (ROOT / "build").glob("pyinstaller-*.tar.gz"):
        shutil.copy(downloaded, work.parent)
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    monkeypatch.setenv("HOME", str(tmp_path))
    umask = os.umask(0o077)
    try:
        executables.freeze(elsewhere, elsewhere / "made", work)
    finally:
        os.umask(umask)
    assert digests(elsewhere / "made") == digests(DIST)
