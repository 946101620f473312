"""The files behind ``path``: which there are, whether they changed, what they say."""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from clusterf.model.problem import Problem
from clusterf.plugin import Document, DocumentError, SourceUnavailable
from clusterf_static.records import Content, read_content

SUFFIX = ".toml"


class Kind(Enum):
    """What ``path`` is."""

    FILE = "a file"
    DIRECTORY = "a directory"


class Signature(NamedTuple):
    """Tells two states of a file apart. Behind a symbolic link it is that of the target."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


@dataclass(slots=True)
class Reading:
    """Outcome of reading one file: content, or the problem that made it unreadable.

    ``problems`` are the faults inside of a readable file, with their places.
    """

    content: Content | None
    problem: Problem | None = None
    problems: tuple[Problem, ...] = ()


class Listing(NamedTuple):
    """The files there are, in order of their names; None for those that cannot be looked at.

    ``links`` are those among them that are symbolic links.
    """

    kind: Kind
    files: dict[Path, Signature | None]
    links: list[Path]


def list_files(path: Path) -> Listing:
    """Look which files there are.

    Raises:
        SourceUnavailable: nothing can be said: no such path, or a directory that cannot be read.
    """
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):  # noqa: PTH116 - follows links, one call
            with os.scandir(path) as entries:
                found = sorted(
                    (entry.name, entry.is_symlink())
                    for entry in entries
                    if entry.name.endswith(SUFFIX) and not entry.name.startswith(".")
                )
            files = {path / name: signature(f"{path}/{name}") for name, _ in found}
            links = [path / name for name, is_link in found if is_link]
            return Listing(Kind.DIRECTORY, files, links)
    except OSError as error:
        raise SourceUnavailable(f"{path}: {(error.strerror or str(error)).lower()}") from error
    return Listing(Kind.FILE, {path: signature(path)}, [path] if path.is_symlink() else [])


def signature(path: Path | str) -> Signature | None:
    """State of a file, None where it cannot be looked at (a dangling link, say)."""
    try:
        status = os.stat(path)  # noqa: PTH116 - the same call as Path.stat, half the time
    except OSError:
        return None
    return Signature(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def read_file(path: Path, source: str, place: str) -> Reading:
    """Read one file. Never raises for what a file can be."""
    try:
        document = Document.read(path)
    except DocumentError as error:
        return Reading(None, error.problem)
    content = read_content(document.data, source, place)
    problems = tuple(document.problem(fault) for fault in content.faults)
    return Reading(content, None, problems)


def read_files(paths: Iterable[Path], source: str) -> dict[Path, Reading]:
    """Read several files."""
    with _no_collection():
        return {path: read_file(path, source, path.name) for path in paths}


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the cycle collector away: it would look at every new object again and again.

    Reading makes hundreds of thousands of objects and no cycles; this halves its time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
