"""Reads a keepalived.conf and the files that it includes."""

from __future__ import annotations

import glob
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from clusterf_import.ending import NotReadable
from clusterf_import.keepalived.expansion import Unreadable
from clusterf_import.keepalived.lines import Source, decoded

SIZE_MAX = 16 * 2**20
"""Bytes. What is larger is no configuration."""

_EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_ALTERNATIVES_MAX = 1000


def read_source(name: str) -> Source:
    """Read the file that was named; ``-`` is standard input.

    Raises:
        NotReadable: it cannot be.
    """
    if name == "-":
        # Nothing else is done meanwhile, and a signal must end it.
        return Source("standard input", "", decoded(sys.stdin.buffer.read(SIZE_MAX)))
    path = Path(name)
    try:
        return Source(name, str(path.parent), _content(path))
    except Unreadable as error:
        raise NotReadable(str(error)) from error


def find(pattern: str, folder: str) -> Iterator[Source]:
    """Files that are included by a pattern with wildcards and braces, from a folder.

    Raises:
        Unreadable: there are none, or one cannot be read.
    """
    found = False
    for one in alternatives(pattern):
        # Path.glob takes no pattern that begins at the root, or goes up.
        for path in sorted(glob.glob(str(Path(folder, one)))):  # noqa: PTH207
            if Path(path).is_dir():
                continue
            found = True
            yield Source(path, str(Path(path).parent), _content(Path(path)))
    if not found:
        raise Unreadable(f'no file is called "{pattern}"')


def alternatives(pattern: str) -> list[str]:
    """What csh makes of braces: ``a{b,c{d,e}}`` is ab, acd and ace."""
    done: list[str] = []
    left = [pattern]
    while left and len(done) + len(left) < _ALTERNATIVES_MAX:
        one = left.pop(0)
        braces = _BRACES.search(one)
        if braces is None:
            done.append(one)
            continue
        before, behind = one[: braces.start()], one[braces.end() :]
        left = [before + choice + behind for choice in braces[1].split(",")] + left
    return done + left


def _content(path: Path) -> str:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(f"{path}: not a regular file")
        if status.st_mode & _EXECUTABLE:
            raise Unreadable(f"{path}: is executable, and keepalived does not read such a file")
        if status.st_size > SIZE_MAX:
            raise Unreadable(f"{path}: larger than {SIZE_MAX // 2**20} MiB")
        return decoded(path.read_bytes())
    except (OSError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Unreadable(f"{path}: {reason.lower()}") from error
