"""All keys of an etcd read once, by us and by a client that does nothing with them.

    python -m tests.bench.listing bare     the pages over the same library, decoded, nothing else
    python -m tests.bench.listing ours     the source, until the board has every record
    python -m tests.bench.listing again    the source's periodic look at keys that have not changed

Each prints a JSON object, and has a warm library: the modules
that it imports with its first request, and what the first request makes for all that follow, are
there. `ns` are CPU time of the whole process, its threads and the kernel's part included
(CLOCK_PROCESS_CPUTIME_ID; in whole microseconds it is what getrusage tells), from before the
connection on.
"""

from __future__ import annotations

import gc
import json
import ssl
import sys
import time
from binascii import a2b_base64
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx2
import trio

from clusterf.engine.board import Board, BoardPublisher
from clusterf.testing import InstanceContext
from clusterf_etcd import wire
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.settings import EtcdSourceSettings
from clusterf_etcd.source import EtcdSource
from tests.bench import etcd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterf.model.service import Record

_NAME: Final = "sources.cluster"
_PAGE: Final = 1000
"""Keys of one answer, as `Gateway.list` has it."""
_CYCLES: Final = 5
_LONGEST: Final = 120.0


async def bare() -> dict[str, Any]:
    """The floor: no client of this library can do with less."""
    async with _transport() as transport:
        await _ask(transport, {"key": wire.text64(f"{etcd.PREFIX}/")})
    began = time.process_time_ns()
    found: list[tuple[bytes, bytes]] = []
    after, revision, more = None, 0, True
    async with _transport() as transport:
        while more:
            request = wire.range_request(etcd.PREFIX, _PAGE, after=after, revision=revision)
            answer = await _ask(transport, request)
            kvs = answer.get("kvs", ())
            found += [(a2b_base64(kv["key"]), a2b_base64(kv["value"])) for kv in kvs]
            after, more = found[-1][0].decode(), answer.get("more", False)
            revision = int(answer["header"]["revision"])
        ns = time.process_time_ns() - began
    return {"ns": ns, "keys": len(found)}


def _transport() -> httpx2.AsyncHTTPTransport:
    # With as little of TLS as ours has where there is none.
    return httpx2.AsyncHTTPTransport(
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False
    )


async def _ask(transport: httpx2.AsyncHTTPTransport, message: wire.Message) -> Any:
    request = httpx2.Request("POST", f"{etcd.URL}/v3/kv/range", content=wire.body(message))
    response = await transport.handle_async_request(request)
    return json.loads(await response.aread())


class _Listened(BoardPublisher):
    """Notes the CPU time at the end of every list, and how many services it has marked."""

    def __init__(self, board: Board, times: int) -> None:
        board.arrange([_NAME])
        super().__init__(board, board.slots[_NAME], lambda: None)
        self.listed_at: list[int] = []
        self.marked: list[int] = []
        self.enough = trio.Event()
        self._times = times

    def replace(self, records: Iterable[Record]) -> None:
        super().replace(records)
        self.listed_at.append(time.process_time_ns())
        self.marked.append(len(self._board.take()))
        if len(self.listed_at) == 1:
            # As the daemon does when its outputs have been round once.
            gc.freeze()
            gc.enable()
        if len(self.listed_at) == self._times:
            self.enough.set()


async def _followed(board: Board, times: int, **settings: Any) -> tuple[int, _Listened]:
    """Run the source until it has listed so often; the CPU time at which it began."""
    context = InstanceContext(_NAME, folder=Path())
    stated = EtcdSourceSettings.model_validate({"endpoints": [etcd.URL], **settings})
    warm = Gateway(stated, context)
    await warm.get(f"{etcd.PREFIX}/")
    await warm.close()
    publish = _Listened(board, times)
    began = time.process_time_ns()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(EtcdSource(stated, context).run, publish)
        await publish.enough.wait()
        nursery.cancel_scope.cancel()
    return began, publish


async def ours() -> dict[str, Any]:
    board = Board()
    began, publish = await _followed(board, 1)
    held = board.slots[_NAME].services.values()
    keys = sum(len(one.backends) + (one.spec is not None) for one in held)
    return {"ns": publish.listed_at[0] - began, "keys": keys}


async def again() -> dict[str, Any]:
    """From the end of one list to the end of the next: a watch, and all keys once more."""
    _, publish = await _followed(Board(), _CYCLES + 1, relist="1s")
    ends = publish.listed_at
    cycles = [after - before for before, after in pairwise(ends)]
    return {"relist_ns": cycles, "marked": max(publish.marked[1:])}


async def main() -> None:
    gc.disable()  # as the daemon does until its outputs have been round once
    with trio.fail_after(_LONGEST):
        told = await {"bare": bare, "ours": ours, "again": again}[sys.argv[1]]()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    trio.run(main)
