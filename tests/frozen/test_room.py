"""The one file finds a folder to unpack to, or says what is wrong with each."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from clusterf import __version__
from freeze import trial
from tests.frozen.executables import DIST, FOLDER, ONE_FILE

USUAL = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108 - they are looked at, not used
HERE = Path("/mnt")
"""Where the executables are seen, as the folder of the project may be below /tmp."""

VERSION = f"clusterf {__version__}\n"
"""All that is printed: no folder has stayed."""

FITTING = "size=200m,exec"


def run_where(
    mounts: Mapping[str, str], *words: str, folder: bool = False, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run it where folders are mounted with these options, in a mount namespace of its own."""
    script = [f"mount --bind {DIST} {HERE}"]
    script += [f"mount -t tmpfs -o {options} none {place}" for place, options in mounts.items()]
    program = HERE / (FOLDER if folder else ONE_FILE).path.relative_to(DIST)
    script.append(f'{program} "$@" || exit $?')
    script.append(f"find {' '.join(mounts)} -maxdepth 1 -name '_MEI*'")
    alone = ["unshare", "--mount"]
    if os.geteuid() != 0:
        alone = ["unshare", "--user", "--map-root-user", "--mount"]
    clean = {
        name: value for name, value in os.environ.items() if name not in {"TMPDIR", "TEMP", "TMP"}
    }
    return subprocess.run(
        [*alone, "sh", "-c", "\n".join(["set -e", *script]), "sh", *words],
        env={**clean, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def nowhere(**others: str) -> dict[str, str]:
    return dict.fromkeys(USUAL, "noexec") | others


@pytest.mark.parametrize("options", ["noexec", "size=8m", "ro", "nr_inodes=1", "nr_inodes=50"])
def test_an_unfit_tmp_is_passed_over(options: str) -> None:
    done = run_where({"/tmp": options, "/var/tmp": FITTING}, "--version")  # noqa: S108
    assert done.returncode == 0, done.stderr
    assert done.stdout == VERSION


@pytest.mark.parametrize("place", USUAL)
def test_any_of_the_usual_folders_will_do(place: str) -> None:
    done = run_where(nowhere(**{place: FITTING}), "--version")
    assert (done.returncode, done.stdout) == (0, VERSION), done.stderr


def test_a_given_folder_comes_first() -> None:
    done = run_where(nowhere(**{"/srv": FITTING}), "--version", TMPDIR="/srv")
    assert (done.returncode, done.stdout) == (0, VERSION), done.stderr


def test_without_any_it_says_what_is_wrong_with_each() -> None:
    mounts = {
        "/tmp": "noexec",  # noqa: S108
        "/var/tmp": "size=8m",  # noqa: S108
        "/dev/shm": "ro",  # noqa: S108
        "/run": "noexec",
    }
    done = run_where(mounts, "--version", TMPDIR="/nonexistent")
    size = -(-ONE_FILE.path.stat().st_size // 1_000_000)
    assert done.returncode == 69
    assert done.stdout == ""
    assert done.stderr == (
        f"clusterf: no folder to unpack to has {size} MB and allows programs to run\n"
        "  /nonexistent: No such file or directory\n"
        "  /tmp: mounted noexec\n"
        "  /var/tmp: 8 MB free\n"
        "  /dev/shm: Read-only file system\n"
        "  /run: mounted noexec\n"
        "(hint: set TMPDIR to such a folder, or use clusterf-folder, which need not be unpacked)\n"
    )


def test_the_folder_needs_no_room() -> None:
    done = run_where(dict.fromkeys(USUAL, "ro,noexec"), "--version", folder=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("given", [None, "/srv"])
def test_children_see_the_users_tmpdir(tmp_path: Path, given: str | None) -> None:
    """What clusterf had to take instead is its own affair."""
    laid_out = trial.prepared(ONE_FILE.path, tmp_path)
    # /srv is not fit, and /tmp with the configuration in it must stay in sight.
    script = 'mount -t tmpfs -o noexec none /srv && exec "$@"'
    alone = ["unshare", "--mount"]
    if os.geteuid() != 0:
        alone = ["unshare", "--user", "--map-root-user", "--mount"]
    env = {
        name: value for name, value in os.environ.items() if name not in {"TMPDIR", "TEMP", "TMP"}
    }
    if given:
        env["TMPDIR"] = given
    words = ["trial", "-c", str(laid_out.configuration), "child", "printenv", "TMPDIR"]
    done = subprocess.run(
        [*alone, "sh", "-c", script, "sh", str(ONE_FILE.path), *words],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f'"printed": "{given or ""}' in done.stdout
