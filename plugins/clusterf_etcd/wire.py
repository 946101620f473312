"""The v3 JSON gateway's language: its facts in our types, and the bodies of requests. Pure.

Bytes travel as base64, 64-bit numbers as strings, and a field that is zero, false or empty is not
there at all (protobuf's JSON mapping, as grpc-gateway v1 has it).
"""

from __future__ import annotations

import json
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

ANSWER_MAX = 64 * 2**20
"""Bytes of one answer. A value of 10 MB, for the reader to refuse, is 14 MB here."""

Message = dict[str, Any]
"""A JSON object of the gateway."""


class KeyValue(NamedTuple):
    """A key that exists. What of the key is not UTF-8 stands as lone surrogates (PEP 383)."""

    key: str
    value: bytes
    mod_revision: int
    lease: int


class Deleted(NamedTuple):
    """A key that was deleted, or whose lease expired."""

    key: str
    mod_revision: int


Event = KeyValue | Deleted


class Listing(NamedTuple):
    """All keys of a prefix at one revision. ``cluster`` is the id of the etcd cluster."""

    entries: list[KeyValue]
    revision: int
    cluster: str


class Changes(NamedTuple):
    """What happened up to and with ``revision``. No events: etcd says that it came this far."""

    events: Sequence[Event]
    revision: int


class TransactionResult(NamedTuple):
    """Which branch was taken, and an answer for each of its operations.

    The answers: of `get_op` the key in a tuple, or an empty one; of `delete_op` how many keys it
    deleted; of `put_op` 0.
    """

    succeeded: bool
    revision: int
    answers: tuple[tuple[KeyValue, ...] | int, ...]


def text64(text: str) -> str:
    """Base64 of a key; the other way round of what `KeyValue.key` is."""
    return bytes64(text.encode("utf-8", "surrogateescape"))


def bytes64(data: bytes) -> str:
    """Base64 of a value."""
    return b2a_base64(data, newline=False).decode("ascii")


def body(message: Mapping[str, Any]) -> bytes:
    """The body of a request."""
    return json.dumps(message, separators=(",", ":")).encode("ascii")


def below(prefix: str, after: str | None = None) -> Message:
    """The keys below ``prefix`` and a slash; those behind the key ``after``."""
    first = f"{prefix}/" if after is None else f"{after}\0"
    # "0" is the character after "/": the first key that is not below any more.
    return {"key": text64(first), "range_end": text64(f"{prefix}0")}


def range_request(prefix: str, limit: int, *, after: str | None, revision: int) -> Message:
    """A page of the keys below ``prefix``; the first page is at revision 0: the newest."""
    message = {**below(prefix, after), "limit": str(limit)}
    if revision:
        message["revision"] = str(revision)
    return message


def watch_request(prefix: str, start: int) -> Message:
    """Follow the keys below ``prefix`` from revision ``start`` on; 0: from now on."""
    create: Message = {**below(prefix), "fragment": True, "progress_notify": True}
    if start:
        create["start_revision"] = str(start)
    return {"create_request": create}


def get_op(key: str) -> Message:
    """Operation of a transaction: look at a key."""
    return {"request_range": {"key": text64(key)}}


def put_op(key: str, value: bytes, *, lease: int = 0) -> Message:
    """Operation of a transaction: write a key, under a lease unless that is 0."""
    return {"request_put": put_request(key, value, lease)}


def delete_op(key: str) -> Message:
    """Operation of a transaction: delete a key."""
    return {"request_delete_range": {"key": text64(key)}}


def put_request(key: str, value: bytes, lease: int) -> Message:
    """Write a key, under a lease unless that is 0."""
    message = {"key": text64(key), "value": bytes64(value)}
    if lease:
        message["lease"] = str(lease)
    return message


Relation = Literal["EQUAL", "GREATER", "LESS", "NOT_EQUAL"]


def compare_mod(key: str, revision: int, relation: Relation = "EQUAL") -> Message:
    """Condition: the revision of a key's last change; 0 is that of a key that does not exist."""
    return _compare(key, "MOD", relation, "mod_revision", str(revision))


def compare_lease(key: str, lease: int, relation: Relation = "EQUAL") -> Message:
    """Condition: the lease that a key is under; 0 is none, and no key."""
    return _compare(key, "LEASE", relation, "lease", str(lease))


def compare_value(key: str, value: bytes, relation: Relation = "EQUAL") -> Message:
    """Condition: a key's value. It does not hold for a key that does not exist."""
    return _compare(key, "VALUE", relation, "value", bytes64(value))


def transaction_request(
    compare: Sequence[Message], success: Sequence[Message], failure: Sequence[Message]
) -> Message:
    """One transaction: ``success`` where all conditions hold, else ``failure``."""
    return {"compare": list(compare), "success": list(success), "failure": list(failure)}


def _compare(key: str, target: str, relation: Relation, field: str, value: str) -> Message:
    return {"key": text64(key), "target": target, "result": relation, field: value}
