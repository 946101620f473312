"""The guest's command: take every sample that the job asks for, tell each as it is there.

    python -m tests.bench.inside SENDER JOB

The job is the JSON of a list of steps, each `{"step": NAME, ...}` with the arguments of the
function of that name here. A result carries its step's name, its place in the job (`at`), and who
was measured (`who`).
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.bench import cluster, containers, costs, guest, loaders, namespace, process, writes
from tests.bench.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Result = dict[str, Any]

_BEGAN: Final = time.monotonic()


def load(
    sender: Path, shape: str, who: list[str], rounds: int, within: float = math.inf
) -> Iterator[Result]:
    """Every loader once in each round, so that a pair has the same conditions.

    No second or further round begins when this program has run for `within` seconds.
    """
    size = Shape.parse(shape)
    for turn in range(rounds):
        if turn and time.monotonic() - _BEGAN > within:
            break
        for name in who:
            taken = loaders.sample(loaders.LOADERS[name], size, sender, Path.cwd())
            yield {"who": name, "shape": shape, "round": turn, **taken}


def change(sender: Path, shape: str, times: int) -> Iterator[Result]:
    """One weight changes in a table of this shape; the `ns` of each change."""
    size = Shape.parse(shape)
    with namespace.fresh():
        process.finish(loaders.sender_load(size, sender))
        sizes = map(str, (size.services, size.destinations, times))
        done = process.finish([str(sender), "weight", *sizes])
        yield {"who": "c", "shape": shape, **json.loads(done.output)}
    with namespace.fresh():
        done = process.finish(loaders.python("running", "change", shape, times))
        process.holds(size)
    yield {"who": "ours", "shape": shape, **json.loads(done.output)}


def relist(_: Path, shape: str) -> Iterator[Result]:
    """A source says all that it has said before."""
    with namespace.fresh():
        done = process.finish(loaders.python("running", "relist", shape))
    yield {"who": "ours", "shape": shape, **json.loads(done.output)}


def again(sender: Path, shape: str) -> Iterator[Result]:
    """A new process finds the table as it wants it: `writes` is what the kernel saw of it."""
    size, command = Shape.parse(shape), loaders.python("ours", "again", shape)
    with namespace.fresh():
        process.finish(loaders.sender_load(size, sender))
        told = json.loads(process.finish(command).output)
        if writes.countable():
            with writes.counted() as seen:
                process.finish(command)
                told["writes"] = seen()
        process.holds(size)
    yield {"who": "ours", "shape": shape, **told}


def whole(_: Path, shape: str, rounds: int) -> Iterator[Result]:
    """The whole process against `ipvsadm -R`, then a second start over what the first left."""
    size, scratch = Shape.parse(shape), Path.cwd()
    rules, once = loaders.rules(size, scratch), process.run_once(size, scratch)
    for turn in range(rounds):
        with namespace.fresh():
            mine = process.finish(once, has_log=True)
            process.holds(size)
        rss = {"peak_rss_kb": mine.peak_rss_kb}
        yield {"who": "ours", "shape": shape, "round": turn, "ns": mine.ns, **rss}
        with namespace.fresh():
            theirs = process.finish(["ipvsadm", "-R"], rules)
            process.holds(size)
        yield {"who": "ipvsadm", "shape": shape, "round": turn, "ns": theirs.ns}
    with namespace.fresh():
        process.finish(once, has_log=True)
        if writes.countable():
            with writes.counted() as seen:
                process.finish(once, has_log=True)
                yield {"who": "ours", "shape": shape, "restart_writes": seen()}
        process.holds(size)


STEPS: Final[dict[str, Callable[..., Iterator[Result]]]] = {
    "load": load,
    "change": change,
    "relist": relist,
    "again": again,
    "whole": whole,
    "container": containers.starts,
    "etcd-load": cluster.loads,
    "etcd-put": cluster.puts,
    "etcd-hundred": cluster.hundreds,
    "start": costs.starts,
    "parse": costs.parses,
}


def main() -> int:
    sender, job = Path(sys.argv[1]), json.loads(sys.argv[2])
    failed = False
    for at, step in enumerate(job):
        name = step.pop("step")
        try:
            for result in STEPS[name](sender, **step):
                guest.tell({"step": name, "at": at, **result})
        except Exception:  # noqa: BLE001 - the other steps are still worth their time
            failed = True
            guest.tell({"step": name, "at": at, "error": traceback.format_exc(), **step})
    return failed


if __name__ == "__main__":
    Path(guest.SCRATCH).mkdir(parents=True, exist_ok=True)
    os.chdir(guest.SCRATCH)
    sys.exit(main())
