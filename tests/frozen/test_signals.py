"""Signals reach clusterf; whoever is killed, no process goes on and no folder stays."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from freeze import trial
from tests.frozen.executables import FOLDER, ONE_FILE, Daemon, Executable, wait_for_end


def test_sigterm_stops_it(executable: Executable, tmp_path: Path, room: Path) -> None:
    with Daemon(executable, tmp_path / "d", TMPDIR=str(room)) as daemon:
        os.kill(daemon.pid, signal.SIGTERM)
        assert daemon.wait() == 0
        assert "stopped kernel=kept" in daemon.errors()
    assert list(room.iterdir()) == []


def test_sigint_stops_it(executable: Executable, tmp_path: Path, room: Path) -> None:
    with Daemon(executable, tmp_path / "d", TMPDIR=str(room)) as daemon:
        os.kill(daemon.pid, signal.SIGINT)
        assert daemon.wait() == 0
    assert list(room.iterdir()) == []


def test_sighup_reloads_it(executable: Executable, tmp_path: Path, room: Path) -> None:
    with Daemon(executable, tmp_path / "d", TMPDIR=str(room)) as daemon:
        file = tmp_path / "d" / "clusterf.toml"
        file.write_text(file.read_text("utf-8").replace("factor = 3", "factor = 5"), "utf-8")
        os.kill(daemon.pid, signal.SIGHUP)
        daemon.wait_for("configuration in force")
        daemon.wait_for("weight 50")
        assert daemon.poll() is None


def test_ctrl_c_is_heard_once(executable: Executable, tmp_path: Path, room: Path) -> None:
    laid_out = trial.prepared(executable.path, tmp_path)
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        started = subprocess.Popen(
            ["setsid", "--ctty", str(executable.path), "run", "-c", str(laid_out.configuration)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TMPDIR": str(room)},
        )
        os.close(theirs)
        with started:
            said = b""
            while b"started services=1" not in said:
                said += terminal.read(4096)
            terminal.write(b"\x03")
            assert started.wait(20) == 0
    assert list(room.iterdir()) == []


# --- the two processes of the one file ----------------------------------------------------------


def test_sigkill_of_the_bootloader_ends_clusterf(tmp_path: Path, room: Path) -> None:
    with Daemon(ONE_FILE, tmp_path / "d", TMPDIR=str(room)) as daemon:
        child = os.pidfd_open(daemon.child)
        [unpacked] = room.iterdir()
        assert unpacked.name.startswith("_MEI")
        os.kill(daemon.pid, signal.SIGKILL)
        assert wait_for_end(child), "clusterf goes on without its bootloader"
        assert daemon.wait() == -signal.SIGKILL
        assert "stopped kernel=kept" in daemon.errors()
    assert list(room.iterdir()) == []


def test_sigkill_of_clusterf_ends_the_bootloader(tmp_path: Path, room: Path) -> None:
    with Daemon(ONE_FILE, tmp_path / "d", TMPDIR=str(room)) as daemon:
        os.kill(daemon.child, signal.SIGKILL)
        assert daemon.wait() == -signal.SIGKILL
    assert list(room.iterdir()) == []


def test_sigkill_of_both_leaves_a_folder_that_the_next_start_removes(
    tmp_path: Path, room: Path
) -> None:
    with Daemon(ONE_FILE, tmp_path / "d", TMPDIR=str(room)) as daemon:
        child = os.pidfd_open(daemon.child)
        daemon.kill(signal.SIGSTOP)
        daemon.kill(signal.SIGKILL)
        assert wait_for_end(child)
        assert daemon.wait() == -signal.SIGKILL
    assert len(list(room.iterdir())) == 1
    assert ONE_FILE.run("--version", env={"TMPDIR": str(room)}).returncode == 0
    assert list(room.iterdir()) == []


def test_whoever_cleans_up_by_age_is_kept_off(tmp_path: Path, room: Path) -> None:
    """As systemd-tmpfiles does: who gets no lock of a folder leaves it alone, tmpfiles.d(5)."""
    with Daemon(ONE_FILE, tmp_path / "d", TMPDIR=str(room)) as daemon:
        [unpacked] = room.iterdir()
        assert subprocess.run(["flock", "--nonblock", unpacked, "true"], check=False).returncode
        assert daemon.stop() == 0


def test_folders_of_others_stay(tmp_path: Path, room: Path) -> None:
    (room / "_MEIofAnother").mkdir(0o700)
    (room / "_MEIofAnother" / "program").write_text("")
    open_to_all = room / "_MEIopenToAll"
    open_to_all.mkdir()
    (open_to_all / "clusterf.lock").write_text("4194304")
    (room / "_MEIlink").symlink_to(tmp_path)
    with Daemon(ONE_FILE, tmp_path / "d", TMPDIR=str(room)) as daemon:
        before = set(room.iterdir())
        assert ONE_FILE.run("--version", env={"TMPDIR": str(room)}).returncode == 0
        assert set(room.iterdir()) == before
        assert daemon.stop() == 0
    assert {path.name for path in room.iterdir()} == {"_MEIofAnother", "_MEIopenToAll", "_MEIlink"}
    assert (room / "_MEIofAnother" / "program").exists()


def test_it_does_not_begin_when_the_bootloader_has_ended_already(room: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    done = ONE_FILE.run(
        "--version",
        env={
            "TMPDIR": str(room),
            "CLUSTERF_UNPACKER": str(gone.pid),
            "_PYI_ARCHIVE_FILE": str(ONE_FILE.path),
            "_PYI_APPLICATION_HOME_DIR": str(room),
            "_PYI_PARENT_PROCESS_LEVEL": "0",
        },
    )
    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_folder_is_one_process(tmp_path: Path, room: Path, number: int) -> None:
    with Daemon(FOLDER, tmp_path / "d", TMPDIR=str(room)) as daemon:
        assert Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text() == ""
        os.kill(daemon.pid, number)
        assert daemon.wait() in {0, -signal.SIGKILL}
    assert list(room.iterdir()) == []
