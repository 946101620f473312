"""On a root without Python, as root and as nobody, and where nothing can be written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clusterf import __version__
from freeze import trial
from tests.frozen import bare
from tests.frozen.bare import NOBODY, PREPARED, PROGRAMS
from tests.frozen.executables import DIST, ROOT, Executable

pytestmark = pytest.mark.timeout(600)  # the first one may have to make the root

TMP = f"{PREPARED}/written"
"""Where the configurations write to; the owner of a folder of the test may."""


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """What the root shows: the sample, and a configuration that uses the drop-ins."""
    tmp_path.chmod(0o755)
    trial.prepared(Path("unused"), tmp_path)
    shutil.copy(ROOT / "clusterf.toml", tmp_path / "sample.toml")
    written = tmp_path / "written"
    written.mkdir()
    written.chmod(0o777)
    text = trial.CONFIGURATION.replace('path = "table"', f'path = "{TMP}/table"')
    (tmp_path / "clusterf.toml").write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def program(executable: Executable) -> str:
    return str(Path(PROGRAMS, executable.path.relative_to(DIST)))


def test_it_is_bare() -> None:
    root = bare.made()
    assert not [*root.glob("usr/bin/python*"), *root.glob("usr/lib/python*")]
    assert not list(root.glob("usr/lib/x86_64-linux-gnu/libssl*"))


@pytest.mark.parametrize(
    ("user", "read_only"),
    [(0, False), (NOBODY, True)],
    ids=["root", "nobody, and the root is read-only"],
)
def test_it_works(program: str, shown: Path, user: int, read_only: bool) -> None:  # noqa: FBT001 - a parameter of the test
    def run(*words: str, status: int = 0) -> str:
        done = bare.run([program, *words], shown, user=user, read_only=read_only)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    assert run("--version") == f"clusterf {__version__}\n"
    run("check", "--offline", "-c", f"{PREPARED}/sample.toml")
    listed = run("plugins", "-c", f"{PREPARED}/both.toml", status=78)
    assert "SQLite" in listed
    assert "flask" in listed
    run("run", "--once", "-c", f"{PREPARED}/clusterf.toml")
    assert (shown / "written" / "table").read_text("utf-8") == trial.TABLE


def test_where_nothing_can_be_written_the_folder_works(shown: Path) -> None:
    argv = [f"{PROGRAMS}/clusterf-folder/clusterf", "--version"]
    done = bare.run(argv, shown, read_only=True, tmp="ro", dev_shm="ro")
    assert (done.returncode, done.stderr) == (0, "")


def test_where_nothing_can_be_written_the_one_file_says_so(shown: Path) -> None:
    argv = [f"{PROGRAMS}/clusterf", "--version"]
    done = bare.run(argv, shown, read_only=True, tmp="ro", dev_shm="ro")
    assert done.returncode == 69
    assert "/tmp: Read-only file system" in done.stderr  # noqa: S108 - what it says
    assert "hint: set TMPDIR" in done.stderr
