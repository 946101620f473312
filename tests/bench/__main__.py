"""`make bench` and `make bench-quick`.

    python -m tests.bench            everything, on QEMU's instruction clock
    python -m tests.bench --quick    up to 11,000 entries in user-mode Linux, within two minutes
    python -m tests.bench --costs    what plain Python costs on the instruction clock

Ends with 1 when a step failed and, on the instruction clock, when a target is missed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from tests.bench import guest, report, uml, vm
from tests.bench.rootfs import BUILD

Job = list[dict[str, Any]]

_ALL: Final = ["ours", "ipvsadm", "c", "pyroute2"]
# pyroute2 takes 3 ms an entry: beyond the smallest size it comes once.
FULL: Final[Job] = [
    {"step": "load", "shape": "100x10", "who": _ALL, "rounds": 5},
    {"step": "load", "shape": "1000x10", "who": ["ours", "ipvsadm", "c"], "rounds": 5},
    {"step": "load", "shape": "1000x10", "who": ["ours", "pyroute2"], "rounds": 1},
    {"step": "load", "shape": "10000x10", "who": ["ours", "ipvsadm", "c"], "rounds": 5},
    {"step": "load", "shape": "1000x100", "who": ["ours", "ipvsadm", "c"], "rounds": 1},
    {"step": "change", "shape": "10x10", "times": 25},
    {"step": "change", "shape": "10000x10", "times": 25},
    {"step": "relist", "shape": "10000x10"},
    {"step": "again", "shape": "10000x10"},
    {"step": "container", "times": 25},
    {"step": "etcd-load", "shape": "100x100", "rounds": 5},
    {"step": "etcd-put", "shape": "100x50", "times": 25},
    {"step": "etcd-hundred", "shape": "100x50", "times": 5},
    {"step": "whole", "shape": "10000x10", "rounds": 3},
]
QUICK: Final[Job] = [
    # With limits: as busy as the machine is, ipvsadm takes 5 to 17 s for 11,000 entries.
    {"step": "load", "shape": "100x10", "who": ["ours", "ipvsadm", "c"], "rounds": 5, "within": 8},
    {
        "step": "load",
        "shape": "1000x10",
        "who": ["ours", "ipvsadm", "c"],
        "rounds": 5,
        "within": 18,
    },
    {"step": "load", "shape": "100x10", "who": ["ours", "pyroute2"], "rounds": 1},
    {"step": "change", "shape": "10x10", "times": 9},
    {"step": "change", "shape": "1000x10", "times": 9},
    {"step": "relist", "shape": "1000x10"},
    {"step": "again", "shape": "1000x10"},
    {"step": "whole", "shape": "1000x10", "rounds": 1},
]
_MODULES: Final = (
    "",
    *(
        "tomllib",
        "argparse",
        "logging",
        "dataclasses",
        "ipaddress",
        "asyncio",
        "importlib.metadata",
    ),
    *("trio", "pluggy", "pydantic.main", "pyroute2", "docker", "watchfiles", "rich.table"),
)
COSTS: Final[Job] = [
    {"step": "start", "modules": _MODULES, "rounds": 1},
    {
        "step": "parse",
        "shape": "10000x10",
        "forms": ["toml strings", "toml text", "json", "toml tables"],
    },
]
# Real seconds until a run is given up.
_DEADLINE: Final = {"full": 5400.0, "costs": 900.0, "quick": 115.0}


def main() -> int:
    arguments = _arguments()
    sender = _compiled()
    job = {"full": FULL, "costs": COSTS, "quick": QUICK}[arguments.kind]
    argv = guest.command(sys.executable, str(sender), job)
    deadline = _DEADLINE[arguments.kind]
    if arguments.kind == "quick":
        clock = "real time in user-mode Linux"
        coming = uml.run(argv, deadline)
    else:
        clock = f"instruction clock, {vm.POSSIBLE_CPUS} possible CPUs"
        coming = vm.run(argv, [sender], deadline)
    results: list[dict[str, Any]] = []
    broken = None
    try:
        for result in coming:
            results.append(result)
            sys.stderr.write(f"{_short(result)}\n")
    except guest.GuestError as error:
        broken = error  # what was measured before it is still worth a report
    judged = report.write(results, clock)
    if broken:
        sys.stderr.write(f"{broken}\n")
    failed = broken is not None or any("error" in result for result in results)
    missed = arguments.kind == "full" and any(row.holds is False for row in judged)
    return int(failed or missed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.set_defaults(kind="full")
    kinds = parser.add_mutually_exclusive_group()
    for kind in ("quick", "costs"):
        kinds.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind)
    return parser.parse_args()


def _compiled() -> Path:
    """Compile the C sender, static, so that it runs in every guest."""
    BUILD.mkdir(parents=True, exist_ok=True)
    source, sender = Path(__file__).with_name("sender.c"), BUILD / "sender"
    warnings = ("-Wall", "-Wextra", "-Werror")
    subprocess.run(["gcc", "-O2", "-static", *warnings, "-o", sender, source], check=True)
    return sender


def _short(result: dict[str, Any]) -> str:
    if "error" in result:
        return f"{result['step']}: {result['error'].splitlines()[-1]}"
    facts = (f"{key}={value}" for key, value in result.items() if key not in {"step", "at"})
    return f"{result['step']}: {' '.join(facts)}"


if __name__ == "__main__":
    sys.exit(main())
