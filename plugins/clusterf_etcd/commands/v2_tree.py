"""The answer of etcd's v2 API to a recursive GET, as keys and values. Pure.

etcd-io/etcd Documentation/v2/api.md: ``{"action": "get", "node": {"key", "dir", "nodes"}}``, of a
leaf ``{"key", "value", "ttl"}``. What hangs in a folder with a time to live goes with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

_DEEPEST = 64
"""Folders within one another. The original's tree has four."""


class V2Key(NamedTuple):
    """One leaf; ``path`` is relative to the prefix, without a slash at its start.

    ``ttl``: seconds that it lives, None for good.
    """

    path: str
    value: bytes
    ttl: int | None


class NotV2(ValueError):
    """The answer is none of etcd's v2 API."""


def read_tree(answer: bytes, prefix: str) -> list[V2Key]:
    """All leaves below ``prefix``, by their path.

    Raises:
        NotV2: it is not such an answer.
    """
    try:
        found: Any = json.loads(answer)
        leaves = _leaves(found["node"], prefix, None, _DEEPEST)
        return sorted(leaves, key=lambda leaf: leaf.path)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotV2(f"it has no tree: {type(error).__name__}") from error


def read_error(answer: bytes) -> tuple[int, str] | None:
    """Code and words of an error of the v2 API; None where it is none."""
    try:
        found = json.loads(answer)
        return int(found["errorCode"]), f"{found['message']}: {found['cause']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _leaves(node: Any, prefix: str, ttl: int | None, depth: int) -> Iterator[V2Key]:
    if "ttl" in node:
        own = int(node["ttl"])
        ttl = own if ttl is None else min(own, ttl)
    if node.get("dir") is True:
        if not depth:
            raise NotV2("folders without an end")
        for one in node.get("nodes") or ():
            yield from _leaves(one, prefix, ttl, depth - 1)
        return
    key: str = node["key"]
    if not key.startswith(f"{prefix}/"):
        raise NotV2(f"a key that is not below {prefix}")
    # A string of JSON may have halves of characters, which no UTF-8 has: the reader tells.
    value = node["value"].encode("utf-8", "surrogatepass")
    yield V2Key(key[len(prefix) + 1 :], value, ttl)
