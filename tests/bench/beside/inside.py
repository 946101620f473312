"""In a kernel with IPVS: each program in turn, until it serves and is at rest. A line of JSON each.

python -m tests.bench.beside.inside SERVICES ROUNDS
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from tests.bench.beside.programs import PROGRAMS, SERVERS, VIP, Program
from tests.lab.polling import eventually

PATIENCE = 120.0
REST = 1.0
"""Seconds without any processor time: whatever it does at its start is done."""

_OPEN = build_opener(ProxyHandler({})).open
_TICKS = os.sysconf("SC_CLK_TCK")


class Answer(BaseHTTPRequestHandler):
    """A real server."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_: object) -> None:
        pass


def serves() -> bool:
    """Whether the last service answers, from one of the servers."""
    try:
        with _OPEN(f"http://{VIP}/", timeout=1) as answer:
            return bool(answer.read() == b"ok\n")
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    """A process and what it has started."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(words[1]), []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def processor(pids: list[int]) -> float:
    """Seconds of processor time, of ended children too."""
    words = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(sum(map(int, word[11:15])) for word in words) / _TICKS


def kilobytes(pids: list[int], kind: str) -> int:
    """``Rss``, or ``Pss``, in which shared pages count once; smaps_rollup, proc(5)."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{kind}:"):
                total += int(line.split()[1])
    return total


def sample(program: Program, services: int, folder: Path) -> dict[str, object]:
    """Start it, wait for the first answer and for rest, and end it."""
    file = folder / "configuration"
    file.write_text(program.configuration(services), "utf-8")
    begun = time.monotonic()
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(
            program.run(file),
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=folder,
            env={**os.environ, "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )
    try:
        eventually(serves, f"{program.name} serves", within=PATIENCE, every=0.005)
        served = time.monotonic() - begun
        spent = -1.0

        def rests() -> bool:
            nonlocal spent
            before, spent = spent, processor(descendants(started.pid))
            return before == spent

        eventually(rests, f"{program.name} is at rest", within=PATIENCE, every=REST)
        pids = descendants(started.pid)
        return {
            "name": program.name,
            "services": services,
            "served": round(served, 3),
            "cpu": spent,
            "rss": kilobytes(pids, "Rss"),
            "pss": kilobytes(pids, "Pss"),
            "processes": len(pids),
        }
    except TimeoutError:
        sys.stderr.write((folder / "log").read_text()[-2000:])
        raise
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        started.wait(20)
        if Path("/proc/net/ip_vs").exists():
            subprocess.run(["ipvsadm", "-C"], check=True)


def main() -> None:
    services, rounds = int(sys.argv[1]), int(sys.argv[2])
    for address in (VIP, *SERVERS):
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    for address in SERVERS:
        server = ThreadingHTTPServer((address, 80), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in range(rounds):
        for program in PROGRAMS:
            with tempfile.TemporaryDirectory() as folder:
                line = json.dumps(sample(program, services, Path(folder)))
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
