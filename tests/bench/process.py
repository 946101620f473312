"""The project as its user starts it: one process, from exec to a full table."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench import namespace, shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.shapes import Shape

_LONGEST: Final = 300.0  # seconds of the clock that measures
_CONFIGURATION: Final = f"""
[clusterf]
managed = ["10.0.0.0/8"]
state_dir = "state"
start_wait = "5m"

[defaults]
scheduler = "{shapes.SCHEDULER}"
method = "masq"
weight = {shapes.WEIGHT}

[sources.file]
type = "static"
path = "services.toml"

[outputs.kernel]
type = "ipvs"
"""


class RunError(Exception):
    """A program ended in an error, or the kernel has not what it was to load."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended well: time from exec to exit, and peak memory."""

    ns: int
    peak_rss_kb: int
    output: str


def finish(argv: Sequence[str], stdin: Path | None = None, *, has_log: bool = False) -> Finished:
    """Run a program to its end.

    Raises:
        RunError: it failed; or it wrote to stderr, which is all that `ipvsadm -R` does then, and
            `has_log` does not say that it writes its log there.
    """
    with (
        (stdin or Path(os.devnull)).open() as source,
        tempfile.TemporaryFile("w+") as output,
        tempfile.TemporaryFile("w+") as errors,
    ):
        began = time.perf_counter_ns()
        program = subprocess.Popen(argv, stdin=source, stdout=output, stderr=errors)
        if not _ended_within(program.pid, _LONGEST):
            program.kill()
        _, status, usage = os.wait4(program.pid, 0)
        ns = time.perf_counter_ns() - began
        program.returncode = os.waitstatus_to_exitcode(status)
        for file in (output, errors):
            file.seek(0)
        told, complaint = output.read(), errors.read()
    if program.returncode or (complaint and not has_log):
        raise RunError(f"{argv} ended with {program.returncode}: {complaint[-3000:]}")
    return Finished(ns, usage.ru_maxrss, told)


def _ended_within(pid: int, seconds: float) -> bool:
    """Wait for an end without reaping it: only wait4 tells of the memory."""
    descriptor = os.pidfd_open(pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def holds(shape: Shape) -> None:
    """Hold this process's namespace against the shape: no exit status proves a load.

    Raises:
        RunError: the kernel has another number of entries.
    """
    found = namespace.entries()
    if found != (shape.services, shape.services * shape.destinations):
        raise RunError(f"the kernel has {found} services and destinations instead of {shape}")


def run_once(shape: Shape, scratch: Path) -> list[str]:
    """The command that programs `shape` from files and ends.

    All settings are the defaults, but for `start_wait`: on the instruction clock, a file of 110,000
    entries takes longer to read than a source has by default.
    """
    folder = scratch / f"{shape}.clusterf"
    file = folder / "clusterf.toml"
    if not folder.exists():
        folder.mkdir()
        file.write_text(_CONFIGURATION)
        with (folder / "services.toml").open("w") as out:
            out.writelines(shapes.toml_of_strings(shape))
    return [sys.executable, "-m", "clusterf", "run", "--once", "-c", str(file)]
