"""The pages, made once, and as a terminal shows them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from manual.__main__ import share
from tests.lab.remote import impossible


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    missing = [name for name in ("man", "mandoc", "lexgrog") if shutil.which(name) is None]
    if missing:
        impossible(f"there is no {', '.join(missing)}: packaging/setup/system.sh")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a package takes as /usr/share."""
    folder = tmp_path_factory.mktemp("share")
    for name, text in share():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="session")
def pages(made: Path) -> Mapping[str, Path]:
    """By name and section: ``clusterf.8``."""
    return {path.name: path for path in sorted(made.glob("man/*/*"))}


@pytest.fixture(scope="session")
def shown(pages: Mapping[str, Path]) -> Mapping[str, Mapping[str, str]]:
    """What a terminal without an end to its lines shows: sections of the page by their heading.

    Subsections (commands, types) are there by their heading, too.
    """
    return {name: _sections(_rendered(path)) for name, path in pages.items()}


def _rendered(path: Path) -> str:
    done = subprocess.run(
        ["man", "--local-file", str(path)],
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "1000", "MAN_KEEP_FORMATTING": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)


def _sections(text: str) -> Mapping[str, str]:
    parts = re.split(r"^( {0,3}\S.*)$", text, flags=re.MULTILINE)
    return {
        head.strip(): body
        for head, body in zip(parts[1::2], parts[2::2], strict=True)
        if body.strip()
    }
