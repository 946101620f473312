"""TOML documents: values by tomllib, and the place of each when there is something to say."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from clusterf.model.problem import Code, Problem, Severity
from clusterf.model.quoting import quoted
from clusterf.plugin import syntax
from clusterf.plugin.positions import KeyPath, Lines, Positions, Span
from clusterf.plugin.scanner import scan_until_fault

SIZE_MAX = 64 * 2**20
"""Bytes. A larger file is a mistake, and reading it would cost more memory than there may be."""


class DocumentError(Exception):
    """A file is not a TOML document; ``problem`` says why and where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of a document's values. ``on_key``: mark the key, not the value.

    A missing key is a fault of the table that lacks it, with the key as ``missing``.
    """

    at: KeyPath
    message: str
    hint: str = ""
    code: str = Code.MALFORMED
    severity: Severity = Severity.ERROR
    on_key: bool = False
    missing: str = ""

    def below(self, path: KeyPath) -> Fault:
        """The same fault, seen from further outside."""
        return replace(self, at=(*path, *self.at))

    def as_warning(self) -> Fault:
        """The same fault, less bad."""
        return replace(self, severity=Severity.WARNING)


class Document:
    """One TOML text with its values. ``name`` is what messages call it: its path."""

    def __init__(self, name: str, text: str, data: dict[str, Any]) -> None:
        self.name = name
        self.text = text
        self.data = data

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read a file.

        Raises:
            DocumentError: it cannot be read, or is not TOML.
        """
        name = str(path)
        try:
            content = _content(path)
        except OSError as error:
            message = f"cannot be read: {(error.strerror or str(error)).lower()}"
            raise _whole(name, message) from error
        except ValueError as error:
            raise _whole(name, f"cannot be read: {error}") from error
        return cls.parse(name, content)

    @classmethod
    def parse(cls, name: str, content: bytes) -> Document:
        """Read bytes.

        Raises:
            DocumentError: they are not TOML, or not UTF-8.
        """
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise DocumentError(_not_utf8(name, content, error)) from error
        # The line ends of TOML; tomllib counts lines and columns on the same text.
        text = text.replace("\r\n", "\n")
        try:
            return cls(name, text, _loads(text))
        except (ValueError, RecursionError) as error:
            flaw = syntax.explain(text, error)
            raise DocumentError(
                _at(
                    name,
                    Lines(text),
                    flaw.span,
                    Fault(flaw.path, flaw.message, flaw.hint, flaw.code),
                )
            ) from error

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self.text)

    @cached_property
    def positions(self) -> Positions:
        """Spans of keys and values; scanned when first asked for."""
        return scan_until_fault(self.text)[0]

    def place(self, path: KeyPath) -> tuple[int, int]:
        """Line and column of the key of a path."""
        span = self.positions.key(path)
        return self._lines.place(span.start) if span else (1, 1)

    def problem(self, fault: Fault) -> Problem:
        """A fault with its place."""
        find = self.positions.key if fault.on_key else self.positions.value
        return _at(self.name, self._lines, find(fault.at) or Span(0, 0), fault)

    def problems(self, faults: Iterable[Fault]) -> list[Problem]:
        """Faults with their places, in the order of the file."""
        found = [self.problem(fault) for fault in faults]
        return sorted(found, key=lambda problem: (problem.line, problem.column))


def dotted(path: KeyPath) -> str:
    """``services.web.backends[3]``, with quotes around keys that need them."""
    return "".join(_parts(path)).removeprefix(".")


def _parts(path: KeyPath) -> Iterator[str]:
    for part in path:
        if isinstance(part, int):
            yield f"[{part}]"
        elif part and all(char.isascii() and (char.isalnum() or char in "-_") for char in part):
            yield f".{part}"
        else:
            yield f".{quoted(part)}"


def _content(path: Path) -> bytes:
    """Read a regular file; never blocks on a pipe or a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - takes over a descriptor
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise ValueError("is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a regular file")
        if status.st_size > SIZE_MAX:
            raise ValueError(f"larger than {SIZE_MAX // 2**20} MiB")
        return file.read()


def _whole(name: str, message: str) -> DocumentError:
    return DocumentError(Problem(file=name, message=message, code=Code.UNREADABLE))


def _not_utf8(name: str, content: bytes, error: UnicodeDecodeError) -> Problem:
    before = content[: error.start].decode()
    line = before.count("\n") + 1
    start = content.rfind(b"\n", 0, error.start) + 1
    end = content.find(b"\n", error.start)
    source = content[start : end if end >= 0 else len(content)].decode(errors="replace")
    return Problem(
        file=name,
        line=line,
        column=len(before) - (before.rfind("\n") + 1) + 1,
        length=1,
        message=f"byte 0x{content[error.start]:02x} is not UTF-8",
        hint="save the file as UTF-8",
        code=Code.NOT_UTF8,
        source=source.removesuffix("\r"),
    )


def _at(name: str, lines: Lines, span: Span, fault: Fault) -> Problem:
    line, column = lines.place(span.start)
    source = lines.text(line)
    # A value of several lines is underlined in its first.
    length = max(1, min(span.end - span.start, len(source) - column + 1))
    return Problem(
        file=name,
        line=line,
        column=column,
        length=length,
        severity=fault.severity,
        path=dotted((*fault.at, fault.missing) if fault.missing else fault.at),
        message=fault.message,
        hint=fault.hint,
        code=fault.code,
        source=source,
    )


def _loads(text: str) -> dict[str, Any]:
    """Values by tomli, which is tomllib compiled and three times as fast.

    What it refuses is tomllib's to judge: `syntax` knows the words of its exceptions.
    """
    import tomli  # noqa: PLC0415 - a large compiled module, for those who read a document

    try:
        return tomli.loads(text)
    except (ValueError, RecursionError):
        return tomllib.loads(text)
