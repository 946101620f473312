"""What the command says, as JSON."""

import argparse
import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clusterf.plugin import Invocation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which report, and about what."""
    parser.add_argument("report", choices=sorted(REPORTS))
    parser.add_argument("words", nargs="*")


async def run(invocation: Invocation) -> int:
    """Print one report."""
    given = invocation.arguments
    invocation.write(json.dumps(REPORTS[given.report](*given.words)) + "\n")
    return 0


def imports(path: str) -> dict[str, Any]:
    """How many of the modules that a file lists can be imported, which cannot, and why."""
    names = Path(path).read_text("utf-8").split()
    faults: dict[str, str] = {}
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 - modules of all kinds; each is reported
            last = traceback.format_exception_only(error)[-1].strip()
            faults[name] = last
    return {"imported": len(names) - len(faults), "faults": faults}


def metadata(*names: str) -> dict[str, str]:
    """Versions of distributions."""
    return {name: importlib.metadata.version(name) for name in names}


def child(*words: str) -> dict[str, Any]:
    """What a program prints that is started from here."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return {"status": done.returncode, "printed": done.stdout, "errors": done.stderr}


def process() -> dict[str, Any]:
    """Where this process is, and what it was given."""
    return {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "environment": dict(os.environ),
        "path": sys.path,
        "flags": {name: getattr(sys.flags, name) for name in ("isolated", "utf8_mode")},
        "unpacked": getattr(sys, "_MEIPASS", ""),
    }


REPORTS: dict[str, Callable[..., Any]] = {
    "child": child,
    "imports": imports,
    "metadata": metadata,
    "process": process,
}
