"""Against errors that etcd 3.4.23 sent, and exceptions that real connections raised."""

from __future__ import annotations

import errno
import json
import socket
import ssl
from pathlib import Path

import httpx2
import pytest

from clusterf_etcd import failure
from clusterf_etcd.failure import (
    AuthenticationOff,
    Compacted,
    EtcdError,
    EtcdRefused,
    EtcdUnavailable,
    FutureRevision,
    LeaseExists,
    LeaseGone,
    PermissionDenied,
    TooLarge,
    Unauthenticated,
    WatchEnded,
)

HERE = "http://192.0.2.1:2379"
SECURE = "https://192.0.2.1:2379"


def error(code: int, text: str) -> bytes:
    return json.dumps({"error": text, "message": text, "code": code}).encode()


@pytest.mark.parametrize(
    ("status", "code", "text", "kind"),
    [
        (400, 11, "etcdserver: mvcc: required revision has been compacted", Compacted),
        (400, 11, "etcdserver: mvcc: required revision is a future revision", FutureRevision),
        (400, 3, "etcdserver: user name is empty", Unauthenticated),
        (401, 16, "etcdserver: invalid auth token", Unauthenticated),
        (400, 3, "etcdserver: revision of auth store is old", Unauthenticated),
        (403, 7, "etcdserver: permission denied", PermissionDenied),
        (404, 5, "etcdserver: requested lease not found", LeaseGone),
        (412, 9, "etcdserver: lease already exists", LeaseExists),
        (412, 9, "etcdserver: authentication is not enabled", AuthenticationOff),
        (429, 8, "grpc: received message larger than max (62914578 vs. 42467328)", TooLarge),
        (503, 14, "etcdserver: no leader", EtcdUnavailable),
        (503, 14, "etcdserver: request timed out", EtcdUnavailable),
        (504, 4, "context deadline exceeded", EtcdUnavailable),
        (429, 8, "etcdserver: too many requests", EtcdUnavailable),
        (500, 13, "internal", EtcdUnavailable),
        (500, 15, "etcdserver: corrupt cluster", EtcdUnavailable),
        (429, 8, "etcdserver: mvcc: database space exceeded", EtcdRefused),
        (400, 3, "etcdserver: key is not provided", EtcdRefused),
        (400, 3, "etcdserver: authentication failed, invalid user ID or password", EtcdRefused),
        (501, 12, "unknown method", EtcdRefused),
    ],
)
def test_errors_of_a_call(status: int, code: int, text: str, kind: type[EtcdError]) -> None:
    found = failure.refused_by(HERE, status, error(code, text))
    assert type(found) is kind
    assert str(found) == f"{HERE}: {text}"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("user name is empty", "password_file"),
        ("authentication failed", "password_file"),
        ("database space exceeded", "defrag"),
    ],
)
def test_errors_that_somebody_can_do_something_about(text: str, hint: str) -> None:
    code = 8 if "space" in text else 3
    assert hint in failure.meaning(HERE, code, f"etcdserver: {text}").hint


@pytest.mark.parametrize(
    ("text", "perhaps"),
    [("no leader", False), ("too many requests", False), ("request timed out", True)],
)
def test_whether_it_may_have_been_done(text: str, perhaps: bool) -> None:  # noqa: FBT001
    found = failure.meaning(HERE, 14, f"etcdserver: {text}")
    assert isinstance(found, EtcdUnavailable)
    assert found.perhaps_done is perhaps


def test_an_error_in_a_stream() -> None:
    said = {
        "grpc_code": 14,
        "http_code": 503,
        "message": "etcdserver: no leader",
        "http_status": "Service Unavailable",
    }
    found = failure.error_in(HERE, {"error": said})
    assert isinstance(found, EtcdUnavailable)
    assert "no leader" in str(found)
    # As the body of an answer, too.
    assert "no leader" in str(failure.refused_by(HERE, 503, json.dumps({"error": said}).encode()))
    assert failure.error_in(HERE, {"result": {}}) is None
    assert failure.error_in(HERE, []) is None
    assert isinstance(failure.error_in(HERE, {"error": 7}), EtcdUnavailable)


@pytest.mark.parametrize(
    ("status", "body", "kind", "local", "hint"),
    [
        (404, b"404 page not found\n", EtcdRefused, True, "etcd 3.4"),
        (301, b"", EtcdRefused, True, "etcd 3.4"),
        (400, b"Client sent an HTTP request to an HTTPS server.\n", EtcdRefused, True, "https://"),
        (400, b"CommonName of client sending a request against gateway", EtcdRefused, False, "CN"),
        (502, b"<html>bad gateway</html>", EtcdUnavailable, None, ""),
        (429, b"slow down", EtcdUnavailable, None, ""),
        (500, b"[" * 100_000, EtcdUnavailable, None, ""),
        (403, b"\xff\x00" * 1000, EtcdRefused, True, ""),
    ],
    ids=str,
)
def test_answers_that_are_not_the_gateway_s(
    status: int,
    body: bytes,
    kind: type[EtcdError],
    local: bool | None,  # noqa: FBT001
    hint: str,
) -> None:
    found = failure.refused_by(HERE, status, body)
    assert type(found) is kind
    assert f"answers {status}" in str(found)
    assert hint in found.hint
    assert len(str(found)) < 300
    assert str(found).isprintable()
    if isinstance(found, EtcdRefused):
        assert found.local is local


@pytest.mark.parametrize(
    ("reason", "compacted", "kind"),
    [
        ("", 6, Compacted),
        ("etcdserver: mvcc: required revision has been compacted", 0, Compacted),
        (
            "rpc error: code = PermissionDenied desc = etcdserver: permission denied",
            0,
            PermissionDenied,
        ),
        ("rpc error: code = Unauthenticated desc = etcdserver: invalid auth token", 0, None),
        ("rpc error: code = InvalidArgument desc = etcdserver: user name is empty", 0, None),
        ("something new", 0, WatchEnded),
        ("", 0, WatchEnded),
    ],
)
def test_watches_that_are_cancelled(
    reason: str, compacted: int, kind: type[EtcdError] | None
) -> None:
    found = failure.cancelled(HERE, reason, compacted)
    assert type(found) is (kind or Unauthenticated)
    assert "rpc error" not in str(found)
    if isinstance(found, Compacted):
        assert found.revision == compacted


# --- exceptions ----------------------------------------------------------------------------------


def caused(top: Exception, *causes: BaseException) -> Exception:
    """Exceptions as the libraries chain them: each the cause of the one before."""
    below: BaseException = top
    for one in causes:
        below.__cause__ = one
        below = one
    return top


REFUSED = OSError(errno.ECONNREFUSED, "error connecting to ('192.0.2.1', 2379): refused")
RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


@pytest.mark.parametrize(
    ("exception", "says", "perhaps"),
    [
        (caused(httpx2.ConnectError(""), REFUSED), "connection refused", False),
        (
            caused(httpx2.ConnectError(""), OSError("all failed"), ExceptionGroup("", [REFUSED])),
            "connection refused",
            False,
        ),
        (
            caused(
                httpx2.ConnectError(""),
                socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            ),
            "name or service not known",
            False,
        ),
        (caused(httpx2.ReadError(""), RESET), "connection reset by peer", True),
        (httpx2.ReadError(""), "the connection broke", True),
        (
            httpx2.RemoteProtocolError("Server disconnected without sending a response."),
            "server disconnected without sending a response",
            True,
        ),
    ],
)
def test_connections_that_fail(exception: Exception, says: str, perhaps: bool) -> None:  # noqa: FBT001
    found = failure.unreached(HERE, exception)
    assert isinstance(found, EtcdUnavailable)
    assert str(found) == f"{HERE}: {says}"
    assert found.perhaps_done is perhaps


def test_tls_that_fails_is_refused_and_says_why() -> None:
    bad = ssl.SSLCertVerificationError(1, "certificate verify failed")
    bad.verify_message = "self-signed certificate"
    found = failure.unreached(SECURE, caused(httpx2.ConnectError(""), RuntimeError(), bad))
    assert isinstance(found, EtcdRefused)
    assert found.local
    assert str(found) == f"{SECURE}: TLS: self-signed certificate"
    assert "setting tls" in found.hint


@pytest.mark.parametrize(
    ("exception", "anonymous", "hint"),
    [
        (caused(httpx2.ConnectError(""), ssl.SSLEOFError(8, "EOF occurred")), False, "write http:"),
        (caused(httpx2.ReadError(""), RESET), True, "client certificate"),
        (caused(httpx2.ReadError(""), RESET), False, ""),
        (caused(httpx2.ConnectError(""), REFUSED), True, "endpoints"),
    ],
)
def test_tls_that_breaks_may_come_back(
    exception: Exception,
    anonymous: bool,  # noqa: FBT001
    hint: str,
) -> None:
    found = failure.unreached(SECURE, exception, anonymous=anonymous)
    assert isinstance(found, EtcdUnavailable)
    assert hint in found.hint
    assert bool(hint) is bool(found.hint)


def test_files_that_cannot_be_used() -> None:
    path = Path("/etc/clusterf/key.pem")
    found = failure.unreadable("tls.key", path, PermissionError(errno.EACCES, "Permission denied"))
    assert str(found) == "tls.key /etc/clusterf/key.pem: permission denied"
    assert "empty" in str(failure.unreadable("password_file", path, ValueError("empty")))
