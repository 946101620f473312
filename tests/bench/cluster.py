"""A director that follows an etcd: what a whole list, one put and a hundred at once cost it."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.bench import daemon, etcd, loaders, namespace, process, writes
from tests.bench.shapes import WEIGHT, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Result = dict[str, Any]

_CLIENTS: Final = ("bare", "ours")
_AT_ONCE: Final = 100

_QUIET: Final = 0.5
"""Seconds between two samples: closer changes are a storm to the engine, which then settles; and
after a second of silence the source asks etcd for a sign of life."""

_CONFIGURATION: Final = f"""
[clusterf]
managed = ["10.0.0.0/8"]
state_dir = "state"
control = "control.sock"

[defaults]
method = "masq"

[sources.cluster]
type = "etcd"
endpoints = ["{etcd.URL}"]
relist = "1h"

[outputs.kernel]
type = "ipvs"
look = "1h"
"""


def loads(_: Path, shape: str, rounds: int) -> Iterator[Result]:
    """The whole tree, by each client in turn; then again and again while nothing changes."""
    tree = etcd.tree(Shape.parse(shape))
    with namespace.fresh(), etcd.serving() as server:
        server.put_all(tree)
        for turn in range(rounds):
            for who in _CLIENTS:
                told = json.loads(process.finish(loaders.python("listing", who)).output)
                if told["keys"] != len(tree):
                    raise process.RunError(f"{who} read {told['keys']} keys of {len(tree)}")
                yield {"who": who, "shape": shape, "round": turn, **told}
        told = json.loads(process.finish(loaders.python("listing", "again")).output)
        yield {"who": "ours", "shape": shape, **told}


def puts(_: Path, shape: str, times: int) -> Iterator[Result]:
    """One weight after the other; `ns` from each put to the ACK, `own_ns` what of it is ours."""
    size = Shape.parse(shape)
    with _following(size) as (server, clusterf):
        taken, own = [], []
        # The first one warms up and does not count.
        for turn in range(times + 1):
            time.sleep(_QUIET)  # a distance in time is what is asked for, not an event
            # Spread over the table: the place of a service in it must not matter.
            changed = etcd.backend(size, turn * size.services // (times + 1), 0, WEIGHT + 1)
            before, began = clusterf.cpu_ns(), time.perf_counter_ns()
            server.put(*changed)
            clusterf.wait_for(1)
            taken.append(time.perf_counter_ns() - began)
            own.append(clusterf.cpu_ns() - before)
    yield {"who": "ours", "shape": shape, "ns": taken[1:], "own_ns": own[1:]}


def hundreds(_: Path, shape: str, times: int) -> Iterator[Result]:
    """A hundred services change at once: how often was something sent to the kernel for it?"""
    size, weights = Shape.parse(shape), itertools.count(WEIGHT + 1)
    with _following(size) as (server, clusterf):
        ways: dict[str, Callable[[Sequence[etcd.Pair]], None]] = {
            "transaction": server.put_all,
            "puts": server.put_each,
        }
        for who, put in ways.items():
            told: dict[str, list[int]] = {"sends": [], "messages": []}
            for weight in itertools.islice(weights, times):
                time.sleep(_QUIET)  # a distance in time, as above
                changed = [etcd.backend(size, n, 0, weight) for n in range(_AT_ONCE)]
                with writes.counted() as messages, writes.counted(writes.SENDS) as sends:
                    put(changed)
                    clusterf.wait_for(_AT_ONCE)
                    told["sends"].append(sends())
                    told["messages"].append(messages())
            yield {"who": who, "shape": shape, **told}


@contextlib.contextmanager
def _following(size: Shape) -> Iterator[tuple[etcd.Etcd, daemon.Clusterf]]:
    """A clusterf that has programmed what an etcd knows."""
    scratch = Path.cwd() / "cluster"
    scratch.mkdir(exist_ok=True)
    (scratch / "clusterf.toml").write_text(_CONFIGURATION)
    with namespace.fresh(), etcd.serving() as server:
        server.put_all(etcd.tree(size))
        with daemon.running(scratch / "clusterf.toml") as clusterf:
            clusterf.wait_for(size.entries)
            process.holds(size)
            yield server, clusterf
