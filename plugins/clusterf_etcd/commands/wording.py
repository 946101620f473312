"""Keys and values in text for people: on one line, and nothing in it drives the terminal. Pure."""

from __future__ import annotations

from clusterf_etcd.wire import KeyValue

_LONGEST = 2000
"""Characters of a value that are shown; a sensible one has a few hundred."""


def shown_value(value: bytes) -> str:
    """A value, cut off where it is very long."""
    text = printable(value[: 4 * _LONGEST].decode("utf-8", "surrogateescape"))
    if len(text) <= _LONGEST and len(value) <= 4 * _LONGEST:
        return text
    return f"{text[:_LONGEST]}… ({len(value)} bytes)"


def raw(entry: KeyValue, *, escaped: bool) -> bytes:
    """``KEY VALUE`` and a line end, byte by byte; or ``escaped`` for a terminal."""
    if escaped:
        key, value = entry.key, entry.value.decode("utf-8", "surrogateescape")
        return f"{printable(key)} {printable(value)}\n".encode()
    return entry.key.encode("utf-8", "surrogateescape") + b" " + entry.value + b"\n"


def printable(text: str) -> str:
    r"""A text with what cannot be printed escaped; what is not UTF-8 becomes ``\xff``."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
