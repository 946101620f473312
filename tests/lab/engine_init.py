"""First process of a private Docker Engine's PID namespace.

    python -I -S engine_init.py SCRATCH dockerd ARGUMENT...

All that the engine starts (containerd, its shims, the containers) lives in this namespace, and all
that it mounts in the mount namespace that comes with it. So the end of this process, for whatever
reason, is the end of all of it. It ends when its standard input does.

Commands on standard input: ``start``, ``signal N``. News on standard output: ``up``, ``ready``,
``ended STATUS``. The engine's log goes to standard error.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def isolate(scratch: Path) -> None:
    """Show the engine a machine where nothing that it writes outside ``scratch`` stays.

    It writes a key to /etc/docker and containerd puts the shims' sockets below /run, wherever its
    own state is.
    """
    mount("-t", "proc", "proc", "/proc")
    mount("-t", "tmpfs", "tmpfs", "/run")
    mount("-t", "tmpfs", "tmpfs", "/opt")
    upper, work = scratch / "etc", scratch / "etc-work"
    upper.mkdir()
    work.mkdir()
    mount("-t", "overlay", "-o", f"lowerdir=/etc,upperdir={upper},workdir={work}", "etc", "/etc")


class Init:
    """Reaps, and runs at most one engine at a time."""

    def __init__(self, notices: socket.socket, command: list[str]) -> None:
        self._notices = notices
        self._command = command
        self._engine = 0

    def serve(self) -> None:
        wake, waker = socket.socketpair()
        for end in (wake, waker):
            end.setblocking(False)
        signal.set_wakeup_fd(waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        say("up")
        pending = b""
        while True:
            sources = [0, wake.fileno(), self._notices.fileno()]
            for ready in select.select(sources, [], [])[0]:
                if ready == wake.fileno():
                    wake.recv(4096)
                    self._reap()
                elif ready == self._notices.fileno():
                    if b"READY=1" in self._notices.recv(4096):
                        say("ready")
                else:
                    data = os.read(0, 4096)
                    if not data:
                        return
                    *lines, pending = (pending + data).split(b"\n")
                    for line in lines:
                        self._obey(line.decode().split())

    def _obey(self, words: list[str]) -> None:
        if words[0] == "start":
            self._engine = os.spawnvp(os.P_NOWAIT, self._command[0], self._command)  # noqa: S606
        elif self._engine:
            os.kill(self._engine, int(words[1]))

    def _reap(self) -> None:
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            if child == self._engine:
                self._engine = 0
                say(f"ended {os.waitstatus_to_exitcode(status)}")


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


def main() -> None:
    scratch = Path(sys.argv[1])
    isolate(scratch)
    # sd_notify(3): the engine says itself when it is ready to serve.
    path = Path("/run/notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(path))
        os.environ["NOTIFY_SOCKET"] = str(path)
        Init(notices, sys.argv[2:]).serve()


if __name__ == "__main__":
    main()
