"""HTTP to etcd's members over httpx2: connections, certificates, deadlines, bounds.

Importing this imports httpx2, which takes longer than most commands: see `Gateway`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Mapping
from typing import Any, cast

import httpx2
import trio

from clusterf.plugin import Context
from clusterf_etcd import failure
from clusterf_etcd.settings import ConnectionSettings
from clusterf_etcd.trust import Trust
from clusterf_etcd.wire import ANSWER_MAX

# A peer that went without a word is found within some 15 s, whether it owes an answer or not.
_SOCKET_OPTIONS = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 15_000),
]
_KEPT = httpx2.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=60)
_HEADERS = {
    "content-type": "application/json",
    "user-agent": "clusterf",
    # Without it a member without a leader would let a call wait and a watch be silent for ever:
    # WithRequireLeader in etcd's clientv3.
    "grpc-metadata-hasleader": "true",
}
_FAILURES = (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError)


class Body:
    """The body of an answer, piece by piece. Whoever has it closes it."""

    def __init__(self, endpoint: str, response: httpx2.Response, pool: _Pool) -> None:
        self.status = response.status_code
        self._endpoint = endpoint
        self._response = response
        # Not aiter_raw(): one generator more around several.
        self._pieces = aiter(cast("httpx2.AsyncByteStream", response.stream))
        self._pool = pool

    async def read(self) -> bytes:
        """The next piece; nothing at the end. Cancelled, it ends the connection.

        Raises:
            EtcdError: the connection broke.
        """
        try:
            return await anext(self._pieces, b"")
        except _FAILURES as error:
            raise failure.unreached(self._endpoint, error) from error

    async def all(self) -> bytes:
        """Everything.

        Raises:
            TooLarge: it is more than `wire.ANSWER_MAX`.
            EtcdError: the connection broke.
        """
        pieces, size = [], 0
        while piece := await self.read():
            size += len(piece)
            if size > ANSWER_MAX:
                raise failure.too_large(self._endpoint, ANSWER_MAX)
            pieces.append(piece)
        return b"".join(pieces)

    async def close(self) -> None:
        """End it; the connection lives on if everything was read and others may use it."""
        with trio.CancelScope(shield=True):
            await self._response.aclose()
            # The library's generators lie in one another, and closing the outermost abandons
            # those within. With the connection closed they end by themselves.
            with contextlib.suppress(*_FAILURES):
                async for _ in self._pieces:
                    pass
            await self._pool.leave()


class Transport:
    """Connections to all endpoints.

    Certificates are read with the first connection, and again when they have changed after
    something failed.
    """

    def __init__(self, settings: ConnectionSettings, context: Context) -> None:
        self._timeout = settings.timeout
        self._context = context
        self._trust = Trust(settings, context)
        self._pool: _Pool | None = None
        self._secured: ssl.SSLContext | None = None
        self._doubted = False

    async def post(
        self, endpoint: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Ask, and read the whole answer: its status and its body.

        Raises:
            EtcdError: there is none.
        """
        with trio.CancelScope() as scope:
            answer = await self._send(await self._shared(), endpoint, path, body, headers, scope)
            try:
                return answer.status, await answer.all()
            finally:
                await answer.close()
        self._doubted = True
        raise failure.no_answer(endpoint, self._timeout)

    async def stream(
        self,
        endpoint: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        scope: trio.CancelScope,
    ) -> Body:
        """Ask on a connection of its own, and leave the reading to the caller.

        Once connected, ``scope`` gets a deadline for the answer.

        Raises:
            EtcdError: there is no answer.
        """
        pool = _Pool(await self._secure())
        pool.retired = True
        return await self._send(pool, endpoint, path, body, headers, scope)

    async def close(self) -> None:
        """End all connections that are not in use; those in use end with their use."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.retire()

    async def _send(
        self,
        pool: _Pool,
        endpoint: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        scope: trio.CancelScope,
    ) -> Body:
        progress = _Progress(scope, self._timeout)
        request = httpx2.Request(
            "POST",
            f"{endpoint}{path}",
            headers={**_HEADERS, **headers},
            content=body,
            extensions={
                # Connecting and shaking hands have the library's own deadlines: cancelled in the
                # middle of it, it would leave a socket behind.
                "timeout": {"connect": self._timeout},
                "trace": progress,
            },
        )
        pool.users += 1
        try:
            response = await pool.transport.handle_async_request(request)
        except BaseException as error:
            self._doubted = True
            await pool.leave()
            if isinstance(error, httpx2.ConnectTimeout):
                raise failure.no_answer(endpoint, self._timeout, perhaps_done=False) from error
            if isinstance(error, _FAILURES):
                raise failure.unreached(
                    endpoint, progress.failed or error, anonymous=self._trust.anonymous
                ) from error
            raise
        return Body(endpoint, response, pool)

    async def _shared(self) -> _Pool:
        secure = self._secured
        if secure is None or self._doubted:
            secure = await self._secure()
        if self._pool is not None and self._pool.secure is not secure:
            await self.close()
        if self._pool is None:
            self._pool = _Pool(secure)
        return self._pool

    async def _secure(self) -> ssl.SSLContext:
        self._doubted = False
        self._secured = await self._context.run_blocking(self._trust.current)
        return self._secured


class _Pool:
    """Connections that share an SSL context, and how many calls use them now."""

    def __init__(self, secure: ssl.SSLContext) -> None:
        self.secure = secure
        self.transport = httpx2.AsyncHTTPTransport(
            verify=secure, trust_env=False, limits=_KEPT, socket_options=_SOCKET_OPTIONS
        )
        self.users = 0
        self.retired = False

    async def retire(self) -> None:
        """Close it, as soon as nobody uses it any more."""
        self.retired = True
        await self._close()

    async def leave(self) -> None:
        """One user less."""
        self.users -= 1
        await self._close()

    async def _close(self) -> None:
        if self.retired and not self.users:
            with trio.CancelScope(shield=True):
                await self.transport.aclose()


class _Progress:
    """Is told by the library what it does, and gives ``scope`` a deadline once it sends.

    ``failed`` is what went wrong with sending. The library passes over it, as there may be an
    answer all the same; if there is none, this is the reason.
    """

    def __init__(self, scope: trio.CancelScope, timeout: float) -> None:
        self._scope = scope
        self._timeout = timeout
        self.failed: BaseException | None = None

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "http11.send_request_headers.started":
            self._scope.deadline = trio.current_time() + self._timeout
        elif event in {"http11.send_request_headers.failed", "http11.send_request_body.failed"}:
            self.failed = info["exception"]
