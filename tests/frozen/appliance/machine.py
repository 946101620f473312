"""An appliance: Debian's minimal root without Python, booted in an IPVS kernel of the lab.

Where the host's kernel has IPVS, it is that root in namespaces of its own; else it is the root of a
user-mode guest. The root is read-only in both, what is written lies in tmpfs. Programs of the test
itself (busybox, ipvsadm, the agent) are shown at `TOOLS`, and are no part of the appliance.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.frozen import bare
from tests.frozen.executables import DIST
from tests.lab import choice, process, scratch, uml
from tests.lab.channel import Channel, GuestLostError, GuestProcess, Message
from tests.lab.kernel import SCHEDULERS, Kernel, load_modules
from tests.lab.process import Argv, Completed, Environment, LabError, Running
from tests.lab.wiring import Card, Wiring

HERE = Path(__file__).parent
TOOLS = "/mnt"
"""Where the appliance shows what the test brings."""

PATH = f"/usr/sbin:/usr/bin:{TOOLS}/bin"
MODULES = ("ipv6", "ip_vs", *(f"ip_vs_{name}" for name in SCHEDULERS), "nf_conntrack", "nlmon")
BOOT = 60.0
"""Seconds until it must have said its first word."""

_STAT = re.compile(r"(?P<pid>\d+) \((?P<name>.*)\) (?P<state>.) \d+ \d+ (?P<session>\d+) ")
"""The beginning of a line of /proc/pid/stat, proc(5)."""

_SHOWN = """\
set -e
root=$1 programs=$2 exchange=$3
shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind "$programs" "$root/opt"
mount --bind "$exchange" "$root/mnt"
"""
_AS_GUEST = f'{_SHOWN}exec "$@"\n'
_AS_NAMESPACES = f"""{_SHOWN}\
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
exec chroot "$root" /bin/sh -c 'sh {TOOLS}/folders.sh && exec sh {TOOLS}/agent.sh'
"""


class Appliance(Kernel):
    """A booted one, with these cards, which are up and have no addresses.

    Statuses of its programs are those of a shell: 128 and the number of the signal.
    """

    def __init__(self, wiring: Wiring, cards: Sequence[Card], *, memory: int = 512) -> None:
        super().__init__()
        self.exchange = scratch.directory("appliance")
        self._log = self.exchange / "console.log"
        chosen = choice.choose()
        if chosen.kind == "none":
            raise LabError(chosen.reason)
        self._kind = chosen.kind
        _bring(self.exchange)
        near, far = socket.socketpair()
        with far, self._log.open("wb") as log:
            if chosen.kind == "host":
                load_modules()
                argv = wiring.plugged("appliance", cards).command(self._isolated(_AS_NAMESPACES))
                self._process = process.popen(argv, stdin=far, stdout=far, stderr=log)  # type: ignore[arg-type]
            else:
                guest = self._kernel(cards, wiring, memory, far.fileno())
                argv = wiring.namespace.command(self._isolated(_AS_GUEST, *guest))
                self._process = process.popen(
                    argv,
                    env=uml.memory_place(memory),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[far.fileno()],
                )
        self._channel = Channel(near, self.exchange, self.console, self._lay_out)
        try:
            self.release = self._channel.ready(BOOT)
        except BaseException:
            self.close()
            raise

    @property
    def description(self) -> str:
        place = "namespaces of" if self._kind == "host" else "user-mode Linux"
        return f"a bare Debian root in {place} {self.release}"

    def console(self, characters: int = 4000) -> str:
        """The end of what its kernel and init wrote."""
        with contextlib.suppress(FileNotFoundError):
            return self._log.read_bytes()[-characters:].decode("utf-8", "replace")
        return ""

    # --- programs ------------------------------------------------------------------------------

    def exec(
        self,
        argv: Argv,
        *,
        text: str = "",
        env: Environment | None = None,
        cwd: str | os.PathLike[str] | None = None,
        timeout: float = 30,
        check: bool = True,
    ) -> Completed:
        command = process.words(argv)
        request = {"do": "exec", "argv": command, "env": env or {}, "cwd": cwd, "text": text}
        reply = self._channel.ask({**request, "timeout": timeout}, timeout + 15)
        output, errors = (
            self._channel.take(reply["reply"], stream).decode("utf-8", "replace")
            for stream in ("output", "errors")
        )
        for leftover in ("sh", "input"):
            (self.exchange / f"{reply['reply']}.{leftover}").unlink()
        if reply["late"]:
            raise TimeoutError(f"{command} took more than {timeout} s\n{output}{errors}")
        completed = Completed(command, reply["returncode"], output, errors)
        return completed.check() if check else completed

    def sh(self, script: str, *, check: bool = True) -> str:
        """Run lines of a shell script; what they print."""
        return self.exec(["sh", "-e"], text=script, check=check).stdout

    def ip(self, *commands: str) -> str:
        return self.sh("".join(f"busybox ip {command}\n" for command in commands))

    def put(self, path: str, text: str) -> None:
        """Write a file of the appliance: whole, by renaming, as editors do."""
        script = 'cat > "$1.new"; mv "$1.new" "$1"'
        self.exec(["sh", "-ec", script, "sh", path], text=text)

    def bring(self, source: Path, name: str) -> str:
        """Show a file or a folder of this machine below `TOOLS`; returns its path there."""
        target = self.exchange / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
        return f"{TOOLS}/{name}"

    def processes(self, name: str = "clusterf", session: int | None = None) -> list[int]:
        """Ids of all processes with this name, or of those in one session."""
        # What ends meanwhile has no such file any more.
        said = self.sh("cat /proc/[0-9]*/stat 2> /dev/null || true\n")
        found = (_STAT.match(line) for line in said.splitlines())
        return sorted(
            int(one["pid"])
            for one in found
            if one is not None
            and (one["name"], one["state"] == "Z") == (name, False)
            and session in {None, int(one["session"])}
        )

    def _start(
        self,
        argv: Argv,
        env: Environment,
        cwd: str | os.PathLike[str],  # noqa: ARG002 - of outside
    ) -> Running:
        return GuestProcess(self._channel, process.words(argv), {"env": dict(env)})

    # --- its end -------------------------------------------------------------------------------

    def tidy(self) -> None:
        self._stop_all()
        self.sh("ipvsadm -C; busybox ip address flush dev lo scope global\n")

    def crash(self) -> None:
        self._kill()

    def close(self) -> None:
        self._running.clear()
        with contextlib.suppress(GuestLostError):
            self._channel.power_off(5)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._kill()
        self._channel.close()
        shutil.rmtree(self.exchange, ignore_errors=True)
        super().close()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    # --- how it is made ------------------------------------------------------------------------

    def _isolated(self, script: str, *argv: str) -> tuple[str, ...]:
        """In namespaces, so that no mount of it is seen elsewhere and no process outlives it."""
        alone = ("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child=KILL")
        shown = (str(bare.made()), str(DIST), str(self.exchange))
        return (*alone, "--", "sh", "-c", script, "sh", *shown, *argv)

    def _kernel(
        self, cards: Sequence[Card], wiring: Wiring, memory: int, console: int
    ) -> tuple[str, ...]:
        program = uml.program()
        if program is None:
            raise LabError("user-mode Linux is not installed")
        return (
            program,
            *("root=/dev/root", "rootfstype=hostfs", f"rootflags={bare.made()}", "ro", "quiet"),
            f"mem={memory}M",
            f"init={TOOLS}/init.sh",
            *("con=null", "con0=null,fd:1", f"con1=fd:{console}"),
            *(f"uml_dir={self.exchange}", "umid=uml"),
            f"APPLIANCE_EXCHANGE={self.exchange}",
            f"APPLIANCE_CARDS={':'.join(card.name for card in cards)}",
            *(
                f"vec{n}:transport=tap,ifname={nic.tap},depth=128,mac={nic.mac}"
                for n, nic in enumerate(wiring.nics(cards))
            ),
        )

    def _lay_out(self, number: int, request: Message) -> None:
        """A request as the call of a function of agent.sh."""
        calls = {
            "exec": lambda: ["exec_", number, request["timeout"], *_command(request)],
            "spawn": lambda: ["spawn", number, *_command(request)],
            "signal": lambda: ["signal", number, request["child"], request["signal"]],
            "power off": lambda: ["exit"],
        }
        (self.exchange / f"{number}.input").write_text(request.get("text", ""), "utf-8")
        line = shlex.join(map(str, calls[request["do"]]()))
        (self.exchange / f"{number}.sh").write_text(f"{line}\n", "utf-8")


def _command(request: Message) -> list[str]:
    given = {"PATH": PATH, **request["env"]}
    return ["env", "-i", *(f"{key}={value}" for key, value in given.items()), *request["argv"]]


def _bring(exchange: Path) -> None:
    """Lay out what the appliance is shown at `TOOLS`."""
    exchange.chmod(0o755)
    for script in ("init.sh", "folders.sh", "agent.sh"):
        shutil.copy(HERE / script, exchange)
    (exchange / "init.sh").chmod(0o755)
    programs = exchange / "bin"
    programs.mkdir()
    shutil.copy("/bin/busybox", programs)
    _with_libraries("ipvsadm", programs, exchange / "lib")
    folder = next(uml.MODULES.iterdir(), None)
    if folder is not None:
        wanted = [folder / path for path in in_order((folder / "modules.dep").read_text(), MODULES)]
        (exchange / "ko").mkdir()
        for path in wanted:
            shutil.copy(path, exchange / "ko")
        listed = "".join(f"{TOOLS}/ko/{path.name}\n" for path in wanted)
        (exchange / "modules").write_text(listed)


def _with_libraries(name: str, programs: Path, libraries: Path) -> None:
    """A program of this machine, with its libraries and the linker that it knows."""
    program = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None:
        raise LabError(f"{name} is not installed")
    libraries.mkdir()
    words = process.run(["ldd", program]).stdout.split()
    for path in (word for word in words if word.startswith("/")):
        shutil.copy(path, libraries)
    (linker,) = libraries.glob("ld-linux*")
    shutil.copy(program, libraries / name)
    there = f"{TOOLS}/{libraries.name}"
    script = f'exec {there}/{linker.name} --library-path {there} {there}/{name} "$@"'
    (programs / name).write_text(f"#!/bin/sh\n{script}\n")
    (programs / name).chmod(0o755)


def in_order(dependencies: str, names: Sequence[str]) -> list[str]:
    """Paths of modules and of what they need, each after what it needs itself.

    ``dependencies`` is a modules.dep(5): there the last is what has to come first.
    """
    needs: dict[str, list[str]] = {}
    for line in dependencies.splitlines():
        path, _, others = line.partition(":")
        needs[Path(path).name.partition(".")[0]] = [*reversed(others.split()), path]
    return list(dict.fromkeys(path for name in names for path in needs[name]))
