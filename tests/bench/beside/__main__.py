"""``make beside``: start, size and memory of the executable, beside three programs of Debian.

    python -m tests.bench.beside [--rounds N] [--services N,N]

Sizes and the time of ``--version`` are of this machine; memory and the time to the first answer of
a kernel with IPVS: this one, or user-mode Linux, where system calls are dear. Programs take turns.
Writes build/beside.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.beside import sizes
from tests.bench.beside.programs import PROGRAMS, Program
from tests.frozen import executables
from tests.frozen.executables import ROOT
from tests.lab import choice
from tests.lab.network import Networks
from tests.lab.wiring import Wiring

STARTS = 20
PATIENCE = 600.0
JSON = ROOT / "build" / "beside.json"
Result = dict[str, Any]


def start(program: Program) -> tuple[float, float]:
    """Seconds on the wall, and of the processor, that it takes to tell its version."""
    before = time.perf_counter()
    started = subprocess.Popen(
        program.version, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, spent = os.wait4(started.pid, 0)
    wall = time.perf_counter() - before
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode != 0:
        raise ChildProcessError(f"{program.version}: {started.returncode}")
    return wall, spent.ru_utime + spent.ru_stime


def starts() -> dict[str, tuple[float, float]]:
    """The median of the wall clock, and of the processor, by name."""
    taken: dict[str, list[tuple[float, float]]] = {program.name: [] for program in PROGRAMS}
    for _ in range(STARTS):
        for program in PROGRAMS:
            taken[program.name].append(start(program))
    return {
        name: (
            statistics.median(wall for wall, _ in all_),
            statistics.median(cpu for _, cpu in all_),
        )
        for name, all_ in taken.items()
    }


def served(services: int, rounds: int) -> Iterator[Result]:
    """What tests.bench.beside.inside tells, in a kernel with IPVS."""
    with Networks() as networks, Wiring(networks).kernel("beside", [], memory=2048) as kernel:
        path = os.pathsep.join(str(ROOT / part) for part in ("", "plugins", "packaging"))
        words = kernel.python("-m", "tests.bench.beside.inside", str(services), str(rounds))
        running = kernel.spawn(words, env={"PYTHONPATH": path})
        number = 0
        while (line := running.line(number, PATIENCE)) is not None:
            number += 1
            yield json.loads(line)
        if running.wait() != 0:
            raise ChildProcessError(running.errors())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.beside", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--services", default="10,1000", help="default: %(default)s")
    given = parser.parse_args()
    if missing := [one.name for one in PROGRAMS if shutil.which(one.version[0]) is None]:
        sys.exit(f"not installed: {', '.join(missing)} (apt install keepalived haproxy caddy)")
    executables.make()
    shapes = [int(word) for word in given.services.split(",")]
    begun = starts()
    samples = [result for services in shapes for result in served(services, given.rounds)]
    rows = [_row(program, begun[program.name], samples) for program in PROGRAMS]
    kernel = choice.choose().kind
    JSON.write_text(json.dumps({"kernel": kernel, "rows": rows, "samples": samples}, indent=1))
    Console(width=None if sys.stdout.isatty() else 150).print(_table(rows, shapes, kernel))


def _row(program: Program, begun: tuple[float, float], samples: list[Result]) -> Result:
    download, installed = sizes.of(program)
    row: Result = {
        "name": program.name,
        "download": download,
        "installed": installed,
        "wall": round(begun[0], 4),
        "cpu": round(begun[1], 4),
    }
    own = [sample for sample in samples if sample["name"] == program.name]
    for services in dict.fromkeys(sample["services"] for sample in own):
        those = [sample for sample in own if sample["services"] == services]
        row[f"of {services}"] = {
            key: statistics.median(sample[key] for sample in those)
            for key in ("served", "cpu", "rss", "pss", "processes")
        }
    return row


def _table(rows: list[Result], shapes: list[int], kernel: str) -> Table:
    place = "this kernel" if kernel == "host" else "user-mode Linux"
    table = Table(title=f"Services of 10 servers, in {place}", title_justify="left")
    table.add_column("program")
    for heading in ("download", "installed", "--version, CPU"):
        table.add_column(heading, justify="right")
    for services in shapes:
        for heading in ("memory", "first answer"):
            table.add_column(f"{services} services: {heading}", justify="right")
    for row in rows:
        cells = [f"{row['download'] / 1e6:.1f} MB", f"{row['installed'] / 1e6:.1f} MB"]
        cells += [f"{row['cpu'] * 1000:.0f} ms"]
        for services in shapes:
            of = row[f"of {services}"]
            cells += [f"{of['pss'] / 1000:.0f} MB", f"{of['served']:.1f} s"]
        table.add_row(row["name"], *cells)
    return table


if __name__ == "__main__":
    main()
