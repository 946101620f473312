"""The admin protocol: one JSON object a line, a request and its reply, over a unix socket.

No HTTP: the commands that use it must start fast and need nothing but the standard library
(docs/adr/0004). Try it by hand: ``echo '{"command": "status"}' | nc -U control.sock``.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from clusterf.model.errors import ClusterfError

JSON: TypeAlias = dict[str, Any]

LONGEST_REQUEST = 64 * 1024
"""Bytes; a longer request is refused and the connection closed."""


class NotPermitted(ClusterfError):
    """The socket, or the folder that it is in, is not ours to use."""

    exit_code = 77  # EX_NOPERM


class BadMessage(ValueError):
    """What came over the socket is not a message."""


def encode(message: JSON) -> bytes:
    """One line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> JSON:
    """Read one line.

    Raises:
        BadMessage: it is not one JSON object.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise BadMessage("not a JSON object")
    return message
