"""QEMU without KVM: a Debian kernel on a clock that counts instructions.

With `-icount shift=0` one instruction is one nanosecond of the guest's time, so repeated runs
agree and a busy machine cannot spoil them. The default CPU model stays: with `-cpu max` a string
instruction would count by the byte. Everything lies in the initramfs: while a guest waits for a
disk the clock jumps ahead.
"""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.bench import cpio, guest, kernel, rootfs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MEMORY_MB: Final = 3072

POSSIBLE_CPUS: Final = 8
"""How many CPUs the kernel lays its per-CPU memory out for; one of them runs.

Every destination takes a piece of per-CPU memory. For one possible CPU the kernel makes chunks of
2 MB a CPU, and walks the chunk's whole map at each allocation (mm/percpu.c,
pcpu_embed_first_chunk and pcpu_chunk_refresh_hint): 9 of 15 us of a new destination. A machine
of 8 CPUs has chunks of 256 KB a CPU and none of that.
"""
_END: Final = "@bench-end "


def run(argv: Sequence[str], files: Sequence[Path], deadline: float) -> Iterator[dict[str, Any]]:
    """Boot, run one command of the guest, give its results as they come.

    The whole console is kept in build/bench/vm.log. The guest dies with this process.

    Args:
        argv: the command.
        files: more files for the guest, under the path that they have here.
        deadline: real seconds for all of it.

    Raises:
        guest.GuestError: see there.
    """
    linux = kernel.debian()
    command: list[str | Path] = [
        *("setpriv", "--pdeathsig", "KILL", "--", "qemu-system-x86_64"),
        *("-accel", "tcg", "-icount", "shift=0,sleep=off", "-smp", "1", "-m", str(MEMORY_MB)),
        *("-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none"),
        *("-serial", "stdio", "-no-reboot"),
        *("-kernel", linux.image, "-initrd", _initramfs(linux, argv, files)),
        *("-append", f"console=ttyS0 quiet panic=-1 possible_cpus={POSSIBLE_CPUS}"),
    ]
    log = rootfs.BUILD / "vm.log"
    ended = None
    with (
        log.open("w") as copy,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as machine,
    ):
        try:
            for line in _lines(machine, time.monotonic() + deadline):
                copy.write(line + "\n")
                copy.flush()
                if (result := guest.read(line)) is not None:
                    yield result
                elif line.startswith(_END):
                    ended = line.removeprefix(_END)
        finally:
            machine.kill()
    if ended != "0":
        tail = "\n".join(log.read_text().splitlines()[-25:])
        raise guest.GuestError(f"the command ended with {ended}; the end of {log}:\n{tail}")


def _lines(machine: subprocess.Popen[bytes], deadline: float) -> Iterator[str]:
    assert machine.stdout is not None
    pending = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([machine.stdout], [], [], left)[0]:
            raise guest.GuestError("the guest did not end in time")
        data = os.read(machine.stdout.fileno(), 65536)
        if not data:
            return
        *whole, pending = (pending + data).split(b"\n")
        yield from (line.decode(errors="replace").strip("\r") for line in whole)


def _initramfs(linux: kernel.Kernel, argv: Sequence[str], files: Sequence[Path]) -> Path:
    """Two archives one after the other: the large one is kept from run to run."""
    script = _init_script(linux.modules, argv)
    base = rootfs.base_archive(linux)
    whole = rootfs.BUILD / "initramfs.cpio"
    own = {"/init": cpio.Program(script), **rootfs.project(), **{str(f): f for f in files}}
    with whole.open("wb") as out:
        out.write(base.read_bytes())
        cpio.write(out, own)
    return whole


def _init_script(modules: Sequence[Path], argv: Sequence[str]) -> str:
    """The first process. The guest powers off whatever happened to the command."""
    busybox = rootfs.program("busybox")
    exports = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": "/run", **guest.environment()}
    return "\n".join(
        [
            f"#!{busybox} sh",
            *(f"export {name}={shlex.quote(value)}" for name, value in exports.items()),
            f"b={busybox}",
            "$b mkdir -p /proc /sys /dev /run",
            "$b mount -t proc proc /proc",
            "$b mount -t sysfs sysfs /sys",
            "$b mount -t tracefs tracefs /sys/kernel/tracing",
            "$b mount -t devtmpfs devtmpfs /dev",
            "$b mount -t tmpfs -o size=75% tmpfs /run",
            *(f"$b insmod {shlex.quote(str(path))}" for path in modules),
            f"{shlex.join(argv)} 2>&1",
            f'$b echo "{_END}$?"',
            "$b poweroff -f",
            "",
        ]
    )
