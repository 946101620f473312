"""It starts, fast, and is no larger than it may be."""

from __future__ import annotations

import resource

import pytest

from clusterf import __version__
from freeze.__main__ import MOST
from tests.frozen.executables import FOLDER, ONE_FILE, ROOT, Executable


def test_it_tells_its_version(executable: Executable) -> None:
    done = executable.run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"clusterf {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--help"], 0),
        (["nonsense"], 2),
        (["check", "--offline", "-c", str(ROOT / "clusterf.toml")], 0),
        (["check", "-c", "/nonexistent.toml"], 78),
        (["plugins"], 0),
    ],
)
def test_exit_codes_pass_through(executable: Executable, words: list[str], status: int) -> None:
    done = executable.run(*words)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


def seconds_of_processor(executable: Executable) -> float:
    """Of the whole start, the unpacking included. What a clock on the wall says of a machine that
    others use as well is no property of the executable."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    executable.run("--version")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_it_starts_within_three_tenths_of_a_second(executable: Executable) -> None:
    assert min(seconds_of_processor(executable) for _ in range(5)) < 0.3


def test_it_has_at_most_40_megabytes() -> None:
    assert MOST == 40_000_000
    assert ONE_FILE.path.stat().st_size <= MOST


def test_the_folder_is_as_small() -> None:
    files = [path for path in FOLDER.path.parent.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MOST
