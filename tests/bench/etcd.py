"""Debian's etcd in the guest, on loopback and in memory, and the keys that the samples are about.

It shares the guest's one CPU with whoever is measured. So what counts of them is the time that they
had of it; how long they waited for etcd is etcd's affair.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clusterf.model.service import Backend
from clusterf_etcd import wire
from clusterf_etcd.keys import key_of
from clusterf_etcd.writing import write
from tests.bench import running, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterf.model.service import Record

_HOST: Final = "127.0.0.1"
_PORT: Final = 2379
URL: Final = f"http://{_HOST}:{_PORT}"
PREFIX: Final = "/clusterf"
_AGENT: Final = "host1"

_LONGEST: Final = 60.0
_READY: Final = "serving client traffic"
_AT_ONCE: Final = 100
"""Operations of one transaction; etcd takes 128."""
_CONNECTIONS: Final = 10

_COMMAND: Final = (
    *("etcd", "--listen-client-urls", URL, "--advertise-client-urls", URL),
    *("--listen-peer-urls", f"http://{_HOST}:2380", "--logger", "zap"),
    "--unsafe-no-fsync",
)

Pair = tuple[str, bytes]
"""A key and its value."""


@contextlib.contextmanager
def serving() -> Iterator[Etcd]:
    """Have an empty etcd in this process's namespace; all of it ends with the block.

    Raises:
        TimeoutError: it does not serve; with what it said.
    """
    folder = Path(tempfile.mkdtemp(prefix="etcd-", dir=Path.cwd()))
    with contextlib.ExitStack() as ending:
        ending.callback(shutil.rmtree, folder)
        process = subprocess.Popen(
            [*_COMMAND, "--data-dir", str(folder / "data")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        said: list[str] = []
        ready = threading.Event()
        reader = threading.Thread(target=_read, args=(process, said, ready))
        reader.start()
        ending.callback(reader.join)
        ending.callback(process.wait)
        ending.callback(process.kill)
        if not ready.wait(_LONGEST):
            raise TimeoutError("".join(said)[-3000:])
        etcd = Etcd()
        ending.callback(etcd.close)
        yield etcd


def _read(process: subprocess.Popen[str], said: list[str], ready: threading.Event) -> None:
    """Read what it says to the end; ``ready`` is set when it serves, which it does with a leader.

    A pipe that nobody reads would stop it.
    """
    if process.stderr is None:
        raise RuntimeError("its errors go elsewhere")
    with process.stderr as lines:
        for line in lines:
            said.append(line)
            if _READY in line:
                ready.set()


class Etcd:
    """A client that is not ours."""

    def __init__(self) -> None:
        self._connection = http.client.HTTPConnection(_HOST, _PORT)

    def close(self) -> None:
        self._connection.close()

    def put(self, key: str, value: bytes) -> None:
        self._ask("/v3/kv/put", wire.put_request(key, value, 0))

    def put_all(self, pairs: Sequence[Pair]) -> None:
        """In as few transactions as possible."""
        for at in range(0, len(pairs), _AT_ONCE):
            puts = [wire.put_op(key, value) for key, value in pairs[at : at + _AT_ONCE]]
            self._ask("/v3/kv/txn", wire.transaction_request((), puts, ()))

    def put_each(self, pairs: Sequence[Pair]) -> None:
        """Each by itself, and all are sent before the first answer is read."""
        with contextlib.ExitStack() as ending:
            waiting = []
            for number in range(_CONNECTIONS):
                share = pairs[number::_CONNECTIONS]
                one = ending.enter_context(socket.create_connection((_HOST, _PORT)))
                one.sendall(b"".join(_put(key, value) for key, value in share))
                waiting.append((one, len(share)))
            for one, number in waiting:
                _read_answers(one, number)

    def _ask(self, path: str, message: wire.Message) -> None:
        self._connection.request("POST", path, wire.body(message))
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise ConnectionError(f"{path}: {answer.status} {text[:300]!r}")


def _put(key: str, value: bytes) -> bytes:
    body = wire.body(wire.put_request(key, value, 0))
    return b"POST /v3/kv/put HTTP/1.1\r\nHost: etcd\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


def _read_answers(connection: socket.socket, number: int) -> None:
    said = b""
    while said.count(b"HTTP/1.1 200") < number:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError(f"etcd answered {said[-300:]!r}")
        said += piece


# --- what stands in it ----------------------------------------------------------------------------


def tree(shape: shapes.Shape) -> list[Pair]:
    """The table of `shape`: its services as people write them, its backends as an agent does."""
    return [_pair(record) for record in running.records(shape)]


def backend(shape: shapes.Shape, service: int, number: int, weight: int) -> Pair:
    """One backend of it, with another weight."""
    return _pair(running.backend(service, shape.backends(service)[number], weight))


def _pair(record: Record) -> Pair:
    if isinstance(record, Backend):
        # As long as the id of a container.
        record = record._replace(id=hashlib.sha256(record.id.encode()).hexdigest())
        return key_of(record.ref, PREFIX), write(record, agent=_AGENT)
    return key_of(record.ref, PREFIX), write(record)
