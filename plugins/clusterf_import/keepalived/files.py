"""Reads a keepalived.conf and the files that it includes."""

from __future__ import annotations

import glob
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from clusterf_import.ending import NotReadable
from clusterf_import.files import STANDARD_INPUT, Unreadable, content, read_text
from clusterf_import.keepalived.lines import Source

_EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_ALTERNATIVES_MAX = 1000


def read_source(name: str) -> Source:
    """Read the file that was named; ``-`` is standard input.

    Raises:
        NotReadable: it cannot be.
    """
    if name == STANDARD_INPUT:
        shown, text = read_text(name)
        return Source(shown, "", text)
    path = Path(name)
    try:
        return Source(name, str(path.parent), content(path, forbidden=_EXECUTABLE))
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
            yield Source(path, str(Path(path).parent), content(Path(path), forbidden=_EXECUTABLE))
    if not found:
        raise Unreadable(f'no file is called "{pattern}"')


def alternatives(pattern: str) -> list[str]:
    """What csh makes of braces, each once: ``a{b,c{d,e}}`` is ab, acd and ace."""
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
    return list(dict.fromkeys(done + left))
