"""Shell completion is as good from the executable."""

from __future__ import annotations

import pytest

from clusterf.cli.main import SHELLS
from tests.frozen.executables import Executable
from tests.shells.conftest import script_of


@pytest.mark.parametrize("shell", SHELLS)
def test_it_prints_the_same_script(executable: Executable, shell: str) -> None:
    done = executable.run("completion", shell, "--bundled-only")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == script_of(shell, "--bundled-only")


def test_it_tells_words(executable: Executable) -> None:
    done = executable.run("completion", "words", "PLUGIN", "plugins", "-c", "/nonexistent.toml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "clusterf_docker\n" in done.stdout
