"""Traffic, as a program of its own: it runs in whatever namespace or guest it is started in.

    python -m tests.lab.client requests http://198.51.100.1/ [--count N | --seconds S]
    python -m tests.lab.client hold 198.51.100.1:7 --connections 200 --interval 0.1
    python -m tests.lab.client serve NAME --http 80 --echo 7

Standard output carries JSON lines. The first says that it is up: ``{"event": "ready", ...}``. The
last, for ``requests`` and ``hold``, is the result; it comes when the work is done, or when standard
input ends or SIGTERM arrives, whichever is first. Between them ``requests`` tells the first that
``"failed"``, and ``hold`` each connection that is ``"broken"``. With ``--tell``, ``requests`` has a
line for every request when it is over; its moments are on the machine's monotonic clock, which is
the same for all programs on one kernel. ``traffic.py`` is the typed way to use this.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import random
import signal
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import trio


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def reason(error: BaseException) -> str:
    """The kernel's own word, which Trio wraps when it tried several addresses."""
    while error.__cause__ is not None or isinstance(error, BaseExceptionGroup):
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        elif error.__cause__ is not None:
            error = error.__cause__
    return f"{type(error).__name__}: {error}"


async def until_told(scope: trio.CancelScope, *, listen: bool) -> None:
    """Cancel ``scope`` at SIGTERM or SIGINT, or when whoever started us closes our input."""
    async with trio.open_nursery() as nursery:

        async def on_signal() -> None:
            with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    break
            scope.cancel()

        async def on_end_of_input() -> None:
            async with trio.lowlevel.FdStream(0) as stream:
                async for _ in stream:
                    pass
            scope.cancel()

        nursery.start_soon(on_signal)
        if listen:
            nursery.start_soon(on_end_of_input)


class Requests:
    """GET over a fresh connection each time; an answer is the first line of the body."""

    def __init__(self, url: str, *, timeout: float, interval: float, tell: bool = False) -> None:
        parts = urlsplit(url)
        if parts.hostname is None:
            raise ValueError(f"no host in {url}")
        self._host, self._port = parts.hostname, parts.port or 80
        self._request = f"GET {parts.path or '/'} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode()
        self._timeout = timeout
        self._interval = interval
        self._tell = tell
        self._start = trio.current_time()
        self.answers: Counter[str] = Counter()
        self.failures: list[dict[str, Any]] = []
        self.times: list[float] = []

    async def loop(self, worker: int, count: float) -> None:
        done = 0
        while done < count:
            begun = time.monotonic()
            outcome = await self.once()
            if self._tell:
                say(event="told", worker=worker, begun=begun, ended=time.monotonic(), **outcome)
            done += 1
            await trio.sleep(self._interval)

    async def once(self) -> dict[str, str]:
        """What to tell of it: the ``answer``, or the ``error``."""
        start = trio.current_time()
        try:
            with trio.fail_after(self._timeout):
                answer = await self._get()
        except (OSError, ValueError, trio.BrokenResourceError, trio.TooSlowError) as error:
            failure = {"at": round(start - self._start, 4), "error": reason(error)}
            if not self.failures:
                say(event="failed", **failure)
            self.failures.append(failure)
            return {"error": failure["error"]}
        self.answers[answer] += 1
        self.times.append(trio.current_time() - start)
        return {"answer": answer}

    async def _get(self) -> str:
        stream = await trio.open_tcp_stream(self._host, self._port)
        async with stream:
            await stream.send_all(self._request)
            reply = b""
            async for part in stream:
                reply += part
        head, end, body = reply.partition(b"\r\n\r\n")
        if not end or b" 200 " not in head.split(b"\r\n")[0]:
            raise ValueError(f"not a 200: {reply[:100]!r}")
        return body.decode().strip().partition("\n")[0]

    def result(self) -> dict[str, Any]:
        return {
            "answers": dict(self.answers),
            "failures": self.failures,
            "times": [round(time, 6) for time in self.times],
            "seconds": round(trio.current_time() - self._start, 4),
        }


async def requests(options: argparse.Namespace) -> None:
    work = Requests(
        options.url, timeout=options.timeout, interval=options.interval, tell=options.tell
    )
    share = math.inf if options.count is None else options.count / options.workers
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, scope, options)
            say(event="ready")
            async with trio.open_nursery() as workers:
                for number in range(options.workers):
                    # Shares differ by at most one and add up to the count.
                    last = math.inf if share == math.inf else math.floor(share * (number + 1))
                    first = 0 if share == math.inf else math.floor(share * number)
                    workers.start_soon(work.loop, number, last - first)
            nursery.cancel_scope.cancel()
    say(event="result", **work.result())


class Hold:
    """Connections that talk from time to time, and notice when nobody talks back."""

    def __init__(self, host: str, port: int, *, timeout: float, interval: float) -> None:
        self._host, self._port = host, port
        self._timeout = timeout
        self._interval = interval
        self._start = trio.current_time()
        self._streams: dict[int, trio.SocketStream] = {}
        self.echoes = 0
        self.broken: list[dict[str, Any]] = []

    @property
    def numbers(self) -> list[int]:
        return list(self._streams)

    @property
    def connected(self) -> int:
        """How many connections came into being."""
        return len(self._streams)

    async def connect(self, number: int) -> None:
        try:
            with trio.fail_after(self._timeout):
                stream = await trio.open_tcp_stream(self._host, self._port)
            await self._echo(stream, number)
        except (OSError, EOFError, trio.BrokenResourceError, trio.TooSlowError) as error:
            self._broke(number, error)
        else:
            self._streams[number] = stream

    async def keep(self, number: int) -> None:
        try:
            async with self._streams[number] as stream:
                while True:
                    # Not all at the same moment, as clients are not.
                    await trio.sleep(self._interval * random.uniform(0.5, 1.5))  # noqa: S311
                    await self._echo(stream, number)
        except (OSError, EOFError, trio.BrokenResourceError, trio.TooSlowError) as error:
            self._broke(number, error)

    def _broke(self, number: int, error: Exception) -> None:
        at = round(trio.current_time() - self._start, 4)
        self.broken.append({"connection": number, "at": at, "error": reason(error)})
        say(event="broken", **self.broken[-1])

    async def _echo(self, stream: trio.SocketStream, number: int) -> None:
        message = b"%08d\n" % number
        with trio.fail_after(self._timeout):
            await stream.send_all(message)
            reply = b""
            while len(reply) < len(message):
                part = await stream.receive_some()
                if not part:
                    raise EOFError("closed by the other side")
                reply += part
        if reply != message:
            raise OSError(f"sent {message!r} and got {reply!r}")
        self.echoes += 1


async def hold(options: argparse.Namespace) -> None:
    host, _, port = options.target.rpartition(":")
    work = Hold(host.strip("[]"), int(port), timeout=options.timeout, interval=options.interval)
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, scope, options)
            async with trio.open_nursery() as connecting:
                for number in range(options.connections):
                    connecting.start_soon(work.connect, number)
            say(event="ready", connected=work.connected)
            for number in work.numbers:
                nursery.start_soon(work.keep, number)
    say(event="result", connected=work.connected, broken=work.broken, echoes=work.echoes)


async def _listen(scope: trio.CancelScope, options: argparse.Namespace) -> None:
    if options.seconds is not None:
        scope.deadline = trio.current_time() + options.seconds
    await until_told(scope, listen=options.stdin)


async def serve(options: argparse.Namespace) -> None:
    """Answer with our name over HTTP, and with what we got over the echo port."""
    body = options.name.encode() + b"\n"
    head = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def http(stream: trio.SocketStream) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            part = await stream.receive_some()
            if not part:
                return
            request += part
        await stream.send_all(head + body)
        await stream.send_eof()

    async def echo(stream: trio.SocketStream) -> None:
        async for part in stream:
            await stream.send_all(part)

    def bounded(handler: Any) -> Any:
        async def handle(stream: trio.SocketStream) -> None:
            # A client that goes away is its own business.
            with contextlib.suppress(trio.BrokenResourceError):
                await handler(stream)

        return handle

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, scope, options)
            for port, handler in ((options.http, http), (options.echo, echo)):
                if port is not None:
                    await nursery.start(trio.serve_tcp, bounded(handler), port)
            say(event="ready")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m tests.lab.client")
    modes = top.add_subparsers(dest="mode", required=True)
    request = modes.add_parser("requests")
    request.add_argument("url")
    request.add_argument("--count", type=int)
    request.add_argument("--workers", type=int, default=1)
    request.add_argument("--tell", action="store_true", help="a line for every request")
    keep = modes.add_parser("hold")
    keep.add_argument("target")
    keep.add_argument("--connections", type=int, default=1)
    server = modes.add_parser("serve")
    for mode, interval in ((request, 0.0), (keep, 0.2)):
        mode.add_argument("--timeout", type=float, default=3)
        mode.add_argument("--interval", type=float, default=interval)
    for mode in (request, keep, server):
        mode.add_argument("--seconds", type=float)
        mode.add_argument("--stdin", action="store_true", help="end when standard input does")
    server.add_argument("name")
    server.add_argument("--http", type=int)
    server.add_argument("--echo", type=int)
    return top


def main() -> None:
    options = parser().parse_args()
    trio.run({"requests": requests, "hold": hold, "serve": serve}[options.mode], options)


if __name__ == "__main__":
    main()
