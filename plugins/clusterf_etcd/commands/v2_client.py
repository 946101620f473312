"""One question to etcd's v2 API, which etcd 3.4 and 3.5 have with ``--enable-v2``."""

from __future__ import annotations

from contextlib import suppress
from typing import cast
from urllib.parse import quote

import httpx2
import trio

from clusterf.plugin import Context
from clusterf_etcd import failure
from clusterf_etcd.commands.v2_tree import NotV2, V2Key, read_error, read_tree
from clusterf_etcd.failure import EtcdRefused, EtcdUnavailable, PermissionDenied
from clusterf_etcd.settings import ConnectionSettings
from clusterf_etcd.trust import Trust
from clusterf_etcd.wire import ANSWER_MAX

_NOT_FOUND, _UNAUTHORIZED, _RAFT = 100, 110, 300
"""Codes of errors: etcd-io/etcd Documentation/v2/errorcode.md."""

_FAILURES = (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError)


class NoTree(EtcdRefused):
    """There is nothing below the prefix."""


async def fetch(settings: ConnectionSettings, context: Context) -> list[V2Key]:
    """Everything below the prefix, as a quorum has it.

    Raises:
        NoTree: there is nothing.
        EtcdError: it cannot be had.
    """
    endpoint, prefix = settings.endpoints[0], settings.prefix
    secure = await context.run_blocking(Trust(settings, context).current)
    url = f"{endpoint}/v2/keys{quote(prefix)}?recursive=true&quorum=true"
    patience = dict.fromkeys(("connect", "read", "write", "pool"), settings.timeout)
    request = httpx2.Request(
        "GET", url, headers={"user-agent": "clusterf"}, extensions={"timeout": patience}
    )
    try:
        async with httpx2.AsyncHTTPTransport(verify=secure, trust_env=False) as transport:
            response = await transport.handle_async_request(request)
            status, answer = response.status_code, await _body(endpoint, response)
    except httpx2.TimeoutException as error:
        raise failure.no_answer(endpoint, settings.timeout) from error
    except _FAILURES as error:
        raise failure.unreached(endpoint, error) from error
    if status != 200:
        raise _refused_by(endpoint, status, answer)
    try:
        return read_tree(answer, prefix)
    except NotV2 as error:
        raise failure.nonsense(endpoint, str(error)) from error


def _refused_by(endpoint: str, status: int, answer: bytes) -> failure.EtcdError:
    """The error that an answer of the v2 API stands for."""
    said = read_error(answer)
    if said is None and status == 404:
        hint = "start it with --enable-v2, which etcd 3.4 and 3.5 have; a later one has no v2 data"
        return EtcdRefused(f"{endpoint}: the v2 API is not served", hint=hint)
    if status == 401 or (said is not None and said[0] == _UNAUTHORIZED):
        hint = "let the role guest read them while they are imported: etcdctl role grant guest"
        return PermissionDenied(f"{endpoint}: these v2 keys are not for everybody", hint=hint)
    if said is None:
        return failure.refused_by(endpoint, status, answer)
    code, text = said
    if code == _NOT_FOUND:
        return NoTree(f"{endpoint}: {text}", hint="--from-prefix says where the v2 keys are")
    kind = EtcdUnavailable if code == _RAFT or status >= 500 else EtcdRefused
    return kind(f"{endpoint}: {text}")


async def _body(endpoint: str, response: httpx2.Response) -> bytes:
    """All of it, if it is not more than is read of etcd otherwise."""
    pieces, size = [], 0
    stream = aiter(cast("httpx2.AsyncByteStream", response.stream))
    try:
        async for piece in stream:
            size += len(piece)
            if size > ANSWER_MAX:
                raise failure.too_large(endpoint, ANSWER_MAX)
            pieces.append(piece)
    finally:
        with trio.CancelScope(shield=True):
            await response.aclose()
            # The library's generators lie in one another; with the connection closed they end.
            with suppress(*_FAILURES):
                async for _ in stream:
                    pass
    return b"".join(pieces)
