"""``clusterf etcd`` as people run it: whole processes, and a v2 tree as the original wrote it."""

from __future__ import annotations

import json
import sys
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import trio

from tests.etcd.server import Cluster
from tests.lab import process
from tests.lab.process import Completed

ROOT = Path(__file__).parents[2]


def clusterf(*words: str, text: str = "", config: Path | None = None) -> Completed:
    """Run ``clusterf etcd WORDS`` to its end."""
    file = config or ROOT / "tests" / "nowhere.toml"
    return process.run(
        [sys.executable, "-m", "clusterf", "etcd", *words],
        text=text,
        env={"CLUSTERF_CONFIG": str(file)},
        cwd=ROOT,
        timeout=90,
        check=False,
    )


def at(etcd: Cluster) -> tuple[str, ...]:
    """Options that name an etcd."""
    return tuple(word for url in etcd.endpoints for word in ("--endpoint", url))


def everything(etcd: Cluster) -> dict[str, str]:
    """All keys with their values."""
    answer = json.loads(etcd.ctl("get", "--prefix", "/", "-w", "json").stdout)
    return {decoded(one["key"]): decoded(one.get("value", "")) for one in answer.get("kvs", ())}


def revision(etcd: Cluster) -> int:
    """Revision of the store: any write makes it another one."""
    return int(json.loads(etcd.ctl("get", "x", "-w", "json").stdout)["header"]["revision"])


def decoded(text: str) -> str:
    import base64  # noqa: PLC0415 - for this alone

    return base64.b64decode(text).decode("utf-8", "backslashreplace")


def leased(etcd: Cluster, key: str, value: str, ttl: int = 600) -> str:
    """Write a key as an agent does; returns the id of its lease."""
    lease = etcd.ctl("lease", "grant", str(ttl)).stdout.split()[1]
    etcd.ctl("put", "--lease", lease, "--", key, value)
    return lease


def put_v2(etcd: Cluster, key: str, value: str, ttl: int | None = None) -> None:
    """Write as the original's etcd client did: PUT of a form to the v2 API."""
    fields = {"value": value} | ({} if ttl is None else {"ttl": str(ttl)})
    request = urllib.request.Request(  # noqa: S310 - the test's own etcd
        f"{etcd.endpoints[0]}/v2/keys{urllib.parse.quote(key)}",
        data=urllib.parse.urlencode(fields).encode(),
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        assert answer.status in {200, 201}


class Doorkeeper:
    """Stands between a command and its etcd, and lets nothing be written before ``before``."""

    def __init__(self, etcd: Cluster, before: Callable[[], Awaitable[None]]) -> None:
        self._port = etcd.members[0].ports.client
        self._before = before
        self.endpoint = ""

    async def serve(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Let everything through until cancelled; a transaction after ``before``."""
        async with trio.open_nursery() as nursery:
            [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
            self.endpoint = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
            nursery.start_soon(trio.serve_listeners, self._between, [listener])
            task_status.started()

    async def _between(self, client: trio.SocketStream) -> None:
        server = await trio.open_tcp_stream("127.0.0.1", self._port)
        async with client, server, trio.open_nursery() as nursery:
            nursery.start_soon(self._pass, server, client)
            await self._pass(client, server)
            nursery.cancel_scope.cancel()

    async def _pass(self, source: trio.SocketStream, sink: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while data := await source.receive_some():
                if b"POST /v3/kv/txn " in data:
                    await self._before()
                await sink.send_all(data)
