"""The v3 JSON gateway's answers, read. Pure."""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Sequence
from typing import NamedTuple

from clusterf_etcd.wire import Deleted, Event, KeyValue, Message, TransactionResult


class Page(NamedTuple):
    """A part of a `Listing`."""

    entries: list[KeyValue]
    revision: int
    cluster: str
    more: bool


class WatchMessage(NamedTuple):
    """One message of a watch.

    ``revision`` is where the store is, not how far the events go. ``fragment``: the next message
    continues this one.
    """

    events: list[Event]
    revision: int
    cluster: str
    created: bool
    canceled: bool
    fragment: bool
    compact_revision: int
    reason: str


class Nonsense(ValueError):
    """An answer that is not what the gateway promises."""


def parse(data: bytes) -> Message:
    """One message.

    Raises:
        Nonsense: it is not a JSON object.
    """
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        raise Nonsense("it is not JSON") from None
    if not isinstance(message, dict):
        raise Nonsense("it is not a JSON object")
    return message


def read_range(message: Message) -> Page:
    """Answer to a range request.

    Raises:
        Nonsense: it has another shape; so all that follow.
    """
    try:
        header = message["header"]
        return Page(
            entries(message.get("kvs", ())),
            int(header["revision"]),
            str(header["cluster_id"]),
            message.get("more") is True,
        )
    except _MISSHAPEN as error:
        raise Nonsense(f"a range without {error}") from None


def entries(kvs: Sequence[Message]) -> list[KeyValue]:
    """Keys and values as they come: thousands at once, so with nothing but calls of C."""
    new, kind, decode = tuple.__new__, KeyValue, a2b_base64
    return [
        new(
            kind,
            (
                decode(one["key"]).decode("utf-8", "surrogateescape"),
                decode(one["value"]) if "value" in one else b"",
                int(one["mod_revision"]),
                int(one["lease"]) if "lease" in one else 0,
            ),
        )
        for one in kvs
    ]


def read_revision(message: Message) -> int:
    """Revision of the store after a request."""
    try:
        return int(message["header"]["revision"])
    except _MISSHAPEN as error:
        raise Nonsense(f"an answer without {error}") from None


def read_lease(message: Message) -> tuple[int, int]:
    """Id of a lease and its time to live in seconds; 0 is that of a lease that is gone."""
    try:
        # A keepalive is a message of a stream.
        message = message.get("result", message)
        return int(message["ID"]), int(message.get("TTL", 0))
    except _MISSHAPEN as error:
        raise Nonsense(f"a lease without {error}") from None


def read_token(message: Message) -> str:
    """Token of a user who logged in."""
    token = message.get("token")
    # It is sent back in a header.
    if isinstance(token, str) and token and token.isascii() and token.isprintable():
        return token
    raise Nonsense("a log-in without a token")


def read_transaction(message: Message) -> TransactionResult:
    """Answer to a transaction."""
    try:
        return TransactionResult(
            message.get("succeeded") is True,
            int(message["header"]["revision"]),
            tuple(_answer(one) for one in message.get("responses", ())),
        )
    except _MISSHAPEN as error:
        raise Nonsense(f"a transaction without {error}") from None


def read_watch(message: Message) -> WatchMessage:
    """One message of a watch."""
    try:
        message = message["result"]
        header = message["header"]
        return WatchMessage(
            events(message.get("events", ())),
            # A watch that etcd refuses may come without.
            int(header.get("revision", 0)),
            str(header["cluster_id"]),
            message.get("created") is True,
            message.get("canceled") is True,
            message.get("fragment") is True,
            int(message.get("compact_revision", 0)),
            str(message.get("cancel_reason", "")),
        )
    except _MISSHAPEN as error:
        raise Nonsense(f"a watch without {error}") from None


def events(messages: Sequence[Message]) -> list[Event]:
    """Events of a watch, in order of their revisions."""
    if any("type" in one for one in messages):
        return [
            _deleted(one["kv"]) if one.get("type") == "DELETE" else entries((one["kv"],))[0]
            for one in messages
        ]
    return [*entries([one["kv"] for one in messages])]


def _deleted(kv: Message) -> Deleted:
    key = a2b_base64(kv["key"]).decode("utf-8", "surrogateescape")
    return Deleted(key, int(kv["mod_revision"]))


def _answer(message: Message) -> tuple[KeyValue, ...] | int:
    if "response_range" in message:
        return tuple(entries(message["response_range"].get("kvs", ())))
    if "response_delete_range" in message:
        return int(message["response_delete_range"].get("deleted", 0))
    return 0


_MISSHAPEN = (KeyError, TypeError, ValueError, AttributeError)
