"""A terminal for each shell, with the completion script that clusterf makes for it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from pathlib import Path

import pytest

from clusterf.cli.main import SHELLS, main
from tests.lab.remote import impossible
from tests.shells.shells import Shell, is_there, started
from tests.unit.control.scene import scene

__all__ = ["scene"]


@pytest.fixture(scope="module", params=SHELLS)
def name(request: pytest.FixtureRequest) -> str:
    """Each shell in its turn."""
    shell: str = request.param
    if not is_there(shell):
        impossible(f"there is no {shell}: packaging/setup/system.sh")
    return shell


@pytest.fixture(scope="module")
def folder(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The current directory of the shell."""
    return tmp_path_factory.mktemp(name)


@pytest.fixture(scope="module")
def shell(name: str, folder: Path) -> Iterator[Shell]:
    """With the commands of the bundled plugins."""
    with ExitStack() as stack:
        yield started(name, script_of(name, "--bundled-only"), folder, stack)


def script_of(name: str, *words: str) -> str:
    """What the command prints."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert main(["completion", name, *words]) == 0
    return printed.getvalue()
