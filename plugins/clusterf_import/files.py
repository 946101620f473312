"""Reads files that are imported."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

from clusterf_import.ending import NotReadable

SIZE_MAX = 16 * 2**20
"""Bytes. What is larger is no configuration."""

STANDARD_INPUT = "-"


class Unreadable(ValueError):
    """A file, or all that a pattern means, cannot be read; says so."""


def read_text(name: str) -> tuple[str, str]:
    """Read the file that was named, or standard input: what messages call it, and its text.

    Raises:
        NotReadable: it cannot be.
    """
    if name == STANDARD_INPUT:
        # Nothing else is done meanwhile, and a signal must end it.
        return "standard input", decoded(sys.stdin.buffer.read(SIZE_MAX))
    try:
        return name, content(Path(name))
    except Unreadable as error:
        raise NotReadable(str(error)) from error


def content(path: Path, *, forbidden: int = 0) -> str:
    """Text of a regular file, unless its mode has one of the ``forbidden`` bits.

    Raises:
        Unreadable: it is none, or cannot be read.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(f"{path}: not a regular file")
        if status.st_mode & forbidden:
            raise Unreadable(f"{path}: is executable, and keepalived does not read such a file")
        if status.st_size > SIZE_MAX:
            raise Unreadable(f"{path}: larger than {SIZE_MAX // 2**20} MiB")
        return decoded(path.read_bytes())
    except OSError as error:
        raise Unreadable(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except ValueError as error:
        if isinstance(error, Unreadable):
            raise
        # A NUL in the name.
        raise Unreadable(f"{path}: {error}") from error


def decoded(content: bytes) -> str:
    """Text of a file. Where it is not UTF-8 it is an old one, and of names in comments only."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")
