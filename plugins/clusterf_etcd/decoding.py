"""JSON objects as the original's decoder reads them (Go's encoding/json), and what it would refuse.

Names of fields match in any case, unknown ones are ignored, of a field that stands twice the last
counts, ``null`` says nothing, and no value at all stands for an empty object. Text is stricter than
Go's: what is not UTF-8 is refused, where Go puts U+FFFD in its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

SIZE_MAX = 64 * 1024
"""Bytes of a value. A larger one is refused unread: the largest sensible one has a few thousand."""

_DIGITS = 20
"""Digits of the largest 64-bit number. int() refuses those of thousands, also where ignored."""
_HUGE = 10**41


class ValueFault(Exception):
    """What is wrong with a value, as a refusal tells it; ``reason`` is a word."""

    def __init__(self, reason: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.hint = hint


class Object(dict[str, Any]):
    """A JSON object. ``pairs`` has what a mapping forgets: the order, and each repetition."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def decode(value: bytes) -> Object:
    """Read the object that a value is.

    Raises:
        ValueFault: it is none, or is not fit to be read.
        RecursionError: it is nested too deeply.
    """
    if len(value) > SIZE_MAX:
        raise ValueFault("too_large", f"is {len(value)} bytes long, more than {SIZE_MAX}")
    if not value:
        return Object()
    try:
        found = _DECODER.decode(value.decode())
    except UnicodeDecodeError as error:
        message = f"is not UTF-8: byte 0x{value[error.start]:02x} at offset {error.start}"
        raise ValueFault("not_json", message) from None
    except json.JSONDecodeError as error:
        what = error.msg[:1].lower() + error.msg[1:].removesuffix(": ").removesuffix(" at")
        message = f"is not JSON: {what} at character {error.pos + 1}"
        raise ValueFault("not_json", message) from None
    if found is None:
        return Object()
    if not isinstance(found, Object):
        kind = _KINDS.get(type(found), "a number")
        raise ValueFault("not_json", f"must be an object, not {kind}")
    return found


def folded(name: str) -> str:
    """A name of a field as Go compares it: by simple case folding.

    Of all letters beyond ASCII only the Kelvin sign and the long s fold to letters of ASCII.
    """
    return name.lower().replace("\u017f", "s")


def fields(found: Object, names: Mapping[str, str]) -> dict[str, Any]:
    """The fields that an object gives, by their right names; ``names`` has those by `folded`."""
    given: dict[str, Any] = {}
    for written, value in found.pairs:
        name = names.get(written) or names.get(folded(written))
        if name is None or value is None:
            continue
        if name in given and not _decodes(name, given[name]):
            # Go keeps its error when the field comes again, so what is wrong stays to be told.
            continue
        given[name] = value
    return given


def _decodes(name: str, value: object) -> bool:
    """Whether Go could read a value into a field of the original."""
    if name in _TEXTS:
        return isinstance(value, str)
    limit = _LIMITS.get(name)
    return limit is None or (type(value) is int and 0 <= value <= limit)


_TEXTS = frozenset({"ipv4", "ipv6", "Prefix", "Gateway", "IPVSMethod"})
_LIMITS = {"tcp": 2**16 - 1, "udp": 2**16 - 1, "weight": 2**64 - 1}

_KINDS = {str: "a string", list: "an array", bool: "true or false"}


def _whole_number(text: str) -> int | float:
    """Minus zero is no whole number for Go, and none becomes a huge one here."""
    if len(text) > _DIGITS:
        return -_HUGE if text.startswith("-") else _HUGE
    return int(text) if text != "-0" else -0.0


def _no_number(text: str) -> NoReturn:
    raise ValueFault("not_json", f"is not JSON: {text} is not a number")


_WholeNumber: Callable[[str], int] = _whole_number  # type: ignore[assignment] # json takes any
_DECODER = json.JSONDecoder(
    object_pairs_hook=Object, parse_int=_WholeNumber, parse_constant=_no_number
)
