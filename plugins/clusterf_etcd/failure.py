"""What goes wrong with etcd, in our words.

The only place that translates exceptions of httpx2 and the errors that the gateway answers with.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
from typing import NamedTuple


class EtcdError(Exception):
    """Base class. A message has the object first and no full stop; ``hint`` says what to do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class EtcdUnavailable(EtcdError):
    """No endpoint answers usefully now: try again later.

    ``perhaps_done``: the request may have been carried out although no answer came.
    """

    def __init__(self, message: str, *, hint: str = "", perhaps_done: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.perhaps_done = perhaps_done


class EtcdRefused(EtcdError):
    """An answer, and the same one is to be expected until somebody changes something.

    ``local``: it is about this endpoint, another one may answer differently.
    """

    def __init__(self, message: str, *, hint: str = "", local: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.local = local


class LeaseExists(EtcdRefused):
    """The id of a lease is taken."""


class LeaseGone(EtcdRefused):
    """There is no such lease: it expired, or was revoked."""


class AuthenticationOff(EtcdRefused):
    """Somebody wants to log in where nobody has to."""


class Unauthenticated(EtcdRefused):
    """A token is missing, unknown or too old; a new one may help."""


class PermissionDenied(EtcdRefused):
    """The user may not do that."""


class TooLarge(EtcdRefused):
    """An answer is larger than it may be; asking for less may help."""


class FutureRevision(EtcdError):
    """The revision that was asked for does not exist yet, or not any more: a backup came back."""


class Compacted(EtcdError):
    """The revision that was asked for is gone; ``revision`` is the oldest there is, if known."""

    def __init__(self, message: str, *, hint: str = "", revision: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.revision = revision


class WatchEnded(EtcdError):
    """A watch is over, and says nothing about what happened since: list, and watch again."""


_BROKEN_TLS = (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError)
"""Not TLS that is refused, but a connection that ended under it."""


# Codes of gRPC: codes/codes.go in grpc-go.
_CANCELLED, _UNKNOWN, _INVALID, _DEADLINE, _NOT_FOUND, _DENIED = 1, 2, 3, 4, 5, 7
_EXHAUSTED, _PRECONDITION, _ABORTED, _OUT_OF_RANGE = 8, 9, 10, 11
_INTERNAL, _UNAVAILABLE, _DATA_LOSS, _UNAUTHENTICATED = 13, 14, 15, 16

_PASSING = {
    *(_CANCELLED, _UNKNOWN, _DEADLINE, _EXHAUSTED, _ABORTED),
    *(_INTERNAL, _UNAVAILABLE, _DATA_LOSS),
}
_SURELY_NOT_DONE = ("no leader", "not capable", "too many requests", "unhealthy cluster")
_NOT_DIALLED = ("connection closed", "connection error", "TransientFailure", "handshake failed")

_HINT_RUNNING = "is etcd running there? the setting endpoints names its members"
_HINT_USER = "etcd asks for a user: set user and password_file"
_HINT_PASSWORD = "check user, and the password in password_file"  # noqa: S105 - not one
_HINT_PERMISSION = "grant the user's role the prefix: etcdctl role grant-permission --prefix=true"
_HINT_SPACE = "compact and defragment etcd, then: etcdctl alarm disarm"
_HINT_GATEWAY = "is this etcd 3.4 or newer, with its gateway enabled?"
_HINT_CN = "with authentication on, a client certificate for the gateway must have no CN: only SANs"
_HINT_OWN_CERTIFICATE = (
    "etcd's gateway shows the server's certificate to etcd itself: with --client-cert-auth it "
    "needs the usage clientAuth, too"
)
_HINT_TLS = "the setting tls names authority, certificate and key"
_HINT_CLIENT = "if it asks for a client certificate, name one in the setting tls"
_HINT_HTTPS = "if it speaks TLS, write https://"
_HINT_HTTP = "if it does not speak TLS, write http://"


class _Meaning(NamedTuple):
    """What a code of gRPC, or any, means with a text of etcd (api/v3rpc/rpctypes/error.go)."""

    code: int | None
    text: str
    kind: type[EtcdError]
    hint: str = ""


_WITHOUT_TOKEN = ("user name is empty", "invalid auth token", "revision of auth store is old")
_MEANINGS = (
    _Meaning(None, _WITHOUT_TOKEN[0], Unauthenticated, _HINT_USER),
    *(_Meaning(None, text, Unauthenticated) for text in _WITHOUT_TOKEN[1:]),
    _Meaning(_UNAUTHENTICATED, "", Unauthenticated),
    _Meaning(_DENIED, "", PermissionDenied, _HINT_PERMISSION),
    _Meaning(_OUT_OF_RANGE, "future", FutureRevision),
    _Meaning(_OUT_OF_RANGE, "", Compacted),
    _Meaning(_EXHAUSTED, "larger than max", TooLarge),
    _Meaning(_EXHAUSTED, "space exceeded", EtcdRefused, _HINT_SPACE),
    _Meaning(_NOT_FOUND, "lease", LeaseGone),
    _Meaning(_PRECONDITION, "lease", LeaseExists),
    _Meaning(_PRECONDITION, "authentication is not enabled", AuthenticationOff),
    _Meaning(_INVALID, "authentication failed", EtcdRefused, _HINT_PASSWORD),
)
"""The first that fits counts."""


def refused_by(endpoint: str, status: int, body: bytes) -> EtcdError:
    """The error that an answer with an HTTP status other than 200 stands for."""
    said = None
    with contextlib.suppress(ValueError, RecursionError):
        said = _read(json.loads(body))
    if said is not None:
        return meaning(endpoint, *said)
    text = _line(body.decode("utf-8", "replace")) or "nothing"
    message = f"{endpoint}: answers {status}: {text}"
    if status >= 500 or status in {408, 429}:
        return EtcdUnavailable(message, perhaps_done=True)
    if "CommonName" in text:
        return EtcdRefused(message, hint=_HINT_CN)
    hint = _HINT_HTTPS if "HTTPS server" in text else _HINT_GATEWAY
    return EtcdRefused(message, hint=hint, local=True)


def error_in(endpoint: str, answer: object) -> EtcdError | None:
    """The error that a message of a stream stands for, which has status 200; None without one."""
    if not isinstance(answer, dict) or "error" not in answer:
        return None
    said = _read(answer)
    if said is None:
        return EtcdUnavailable(f"{endpoint}: ends a stream and does not say why")
    return meaning(endpoint, *said)


def meaning(endpoint: str, code: int, text: str) -> EtcdError:
    """The error that a code of gRPC with a text of etcd stands for."""
    message = f"{endpoint}: {_line(text)}"
    for one in _MEANINGS:
        if one.code in {code, None} and one.text in text:
            return one.kind(message, hint=one.hint)
    if code not in _PASSING:
        return EtcdRefused(message)
    perhaps = not any(one in text for one in _SURELY_NOT_DONE)
    dialled = endpoint.startswith("https:") and any(one in text for one in _NOT_DIALLED)
    hint = _HINT_OWN_CERTIFICATE if dialled else ""
    return EtcdUnavailable(message, hint=hint, perhaps_done=perhaps)


def cancelled(endpoint: str, reason: str, compacted: int) -> EtcdError:
    """The error that a cancelled watch stands for; ``compacted`` is its compact_revision or 0."""
    text = _line(reason)
    if compacted or "has been compacted" in text:
        return Compacted(
            f"{endpoint}: watch: revisions before {compacted} are compacted", revision=compacted
        )
    # An error of gRPC as text: "rpc error: code = PermissionDenied desc = etcdserver: ..."
    text = text.partition("desc = ")[2] or text or "no reason given"
    if any(one in reason for one in _WITHOUT_TOKEN):
        return Unauthenticated(f"{endpoint}: watch: {text}")
    if "PermissionDenied" in reason or "permission denied" in reason:
        return PermissionDenied(f"{endpoint}: watch: {text}", hint=_HINT_PERMISSION)
    return WatchEnded(f"{endpoint}: watch cancelled: {text}")


def unreached(endpoint: str, error: BaseException, *, anonymous: bool = False) -> EtcdError:
    """The error that an exception of httpx2 stands for.

    ``anonymous``: there is no answer at all, and no certificate was shown.
    """
    import httpx2  # noqa: PLC0415 - long imported where one of its exceptions exists

    # Nothing of the request was sent on a connection that was not there.
    perhaps = not isinstance(error, httpx2.ConnectError)
    system = None
    for one in _chain(error):
        if isinstance(one, ssl.SSLError) and not isinstance(one, _BROKEN_TLS):
            return _insecure(endpoint, one)
        if isinstance(one, OSError) and not isinstance(one, ssl.SSLError) and one.errno:
            system = system or one
    if system is not None:
        # Trio has its own words for what is above the error of the system.
        text = system.strerror if isinstance(system, socket.gaierror) else None
        text = text or os.strerror(system.errno or 0)
    else:
        text = str(error) if isinstance(error, httpx2.RemoteProtocolError) else ""
        text = _line(text).removesuffix(".") or "the connection broke"
    hint = ""
    if not perhaps:
        hint = _HINT_RUNNING if system is not None else _HINT_HTTP
    elif not endpoint.startswith("https:"):
        hint = _HINT_HTTPS if system is None else ""
    elif anonymous:
        # That nobody may connect without a certificate is said after the handshake of TLS 1.3,
        # and is lost when the connection is closed right behind it.
        hint = _HINT_CLIENT
    return EtcdUnavailable(f"{endpoint}: {_lower(text)}", hint=hint, perhaps_done=perhaps)


def no_answer(endpoint: str, timeout: float, *, perhaps_done: bool = True) -> EtcdUnavailable:
    """The error for an endpoint that keeps silent."""
    return EtcdUnavailable(f"{endpoint}: no answer within {timeout:g} s", perhaps_done=perhaps_done)


def nonsense(endpoint: str, why: str) -> EtcdUnavailable:
    """The error for an answer that is not what the gateway promises."""
    return EtcdUnavailable(
        f"{endpoint}: the answer is not one of etcd: {why}", hint=_HINT_GATEWAY, perhaps_done=True
    )


def too_large(endpoint: str, limit: int) -> TooLarge:
    """The error for an answer that was not read to its end."""
    return TooLarge(f"{endpoint}: an answer of more than {limit >> 20} MB")


def unreadable(what: str, path: object, error: Exception) -> EtcdRefused:
    """The error for a file of the configuration that cannot be used."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return EtcdRefused(f"{what} {path}: {_lower(_line(text or repr(error)))}")


def _insecure(endpoint: str, error: ssl.SSLError) -> EtcdRefused:
    text = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else ""
    text = text or (error.reason or str(error)).replace("_", " ")
    plain = "wrong version number" in text.lower() or "record layer" in text.lower()
    hint = _HINT_HTTP if plain else _HINT_TLS
    return EtcdRefused(f"{endpoint}: TLS: {_lower(_line(text))}", hint=hint, local=True)


def _read(answer: object) -> tuple[int, str] | None:
    """An error in either form: of a call, ``{"code", "error"}``, or within a stream."""
    if not isinstance(answer, dict):
        return None
    inner = answer.get("error")
    if isinstance(inner, dict):
        code, text = inner.get("grpc_code", inner.get("code")), inner.get("message")
    else:
        code, text = answer.get("code"), answer.get("message", inner)
    if isinstance(code, int) and isinstance(text, str):
        return code, text
    return None


def _line(text: str) -> str:
    """One printable line of bounded length."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())
    return text if len(text) <= 200 else f"{text[:197]}..."


def _lower(text: str) -> str:
    """Without a capital at its start, unless it is a word of capitals."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _chain(error: BaseException) -> list[BaseException]:
    """An exception with all that caused it; those of a group, too."""
    chain: list[BaseException] = []
    pending: list[BaseException | None] = [error]
    while pending and len(chain) < 32:
        one = pending.pop(0)
        if one is None or one in chain:
            continue
        chain.append(one)
        inner = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        pending += [*inner, one.__cause__, one.__context__]
    return chain
