"""Trust: drop-ins run with our rights, so nobody else may be able to change them.

As sshd and sudo judge their files: the owner of a file and of every directory on the way to it is
root or the user that runs this, and nobody else can write them. Symbolic links are followed step by
step, and each step counts.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from clusterf.model.errors import PluginLoadError

_LINKS_MAX = 40
"""Links on one way, as the kernel has it (MAXSYMLINKS in include/linux/namei.h)."""


class _Nowhere(Exception):
    """The way ends before its end: there is nothing at ``path``, or it cannot be looked at."""

    def __init__(self, reason: str, path: Path) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


class _Step(NamedTuple):
    """One thing on the way from the root to a file, and how it is."""

    path: Path
    status: os.stat_result

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.status.st_mode)


def trusted(path: Path) -> Path:
    """Where a path leads to, if nobody but root and us can make it lead elsewhere.

    Raises:
        PluginLoadError: somebody can; or it leads nowhere. The message says what is wrong with
            ``path`` and does not name it.
    """
    try:
        steps = list(_way(path))
    except _Nowhere as error:
        if error.path == path.absolute():
            raise PluginLoadError(error.reason) from error
        raise PluginLoadError(f"leads to {error.path}: {error.reason}") from error
    target = steps[-1].path
    for step in steps:
        at_end = step.path == target
        flaw = _flaw(step, shared=not at_end or stat.S_ISDIR(step.status.st_mode))
        if flaw is not None:
            what, hint = flaw
            if step.path == path.absolute():
                raise PluginLoadError(what, hint=hint)
            leads = "leads to" if at_end or step.is_link else "lies in"
            raise PluginLoadError(f"{leads} {step.path}, which {what}", hint=hint)
    return target


def refuse_untrusted_parts(package: Path) -> None:
    """Look at everything in a package, at its data and at what is linked to, too.

    Raises:
        PluginLoadError: naming the part.
    """
    _refuse_parts(package, package, set())


def _refuse_parts(package: Path, folder: Path, seen: set[tuple[int, int]]) -> None:
    status = folder.stat()
    if (status.st_dev, status.st_ino) in seen:
        return  # a link back to where we are
    seen.add((status.st_dev, status.st_ino))
    # What others can add to is not for us, whoever may take out of it.
    flaw = _flaw(_Step(folder, status), shared=False)
    if flaw is not None:
        raise _of_part(package, folder, *flaw)
    for part in sorted(folder.iterdir()):
        try:
            target = trusted(part) if part.is_symlink() else part
        except PluginLoadError as error:
            raise _of_part(package, part, str(error.args[0]), error.hint) from error
        if target.is_dir():
            _refuse_parts(package, part, seen)
        elif flaw := _flaw(_Step(part, target.stat()), shared=False):
            raise _of_part(package, part, *flaw)


def _of_part(package: Path, part: Path, what: str, hint: str) -> PluginLoadError:
    if part == package:
        return PluginLoadError(what, hint=hint)
    return PluginLoadError(f"its part {part.relative_to(package)} {what}", hint=hint)


def _flaw(step: _Step, *, shared: bool) -> tuple[str, str] | None:
    """Why others can change it, and what to do about it.

    ``shared``: a directory with the sticky bit (/tmp) will do, because in it nobody can exchange
    what belongs to another (unlink(2)).
    """
    status, path = step.status, step.path
    if status.st_uid not in {0, os.geteuid()}:
        return f"is owned by user {status.st_uid}", f"its owner must be root: chown root {path}"
    if step.is_link:
        return None  # links have no modes of their own
    sticky = shared and bool(status.st_mode & stat.S_ISVTX)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky:
        return "can be written by others", f"chmod go-w {path}"
    return None


def _way(path: Path) -> Iterator[_Step]:
    """Every directory and link from the root to what a path leads to, which comes last."""
    here, links = Path("/"), 0
    ahead = list(reversed(path.absolute().parts[1:]))
    yield _Step(here, here.lstat())
    while ahead:
        name = ahead.pop()
        if name == "..":
            here = here.parent
            continue
        step = _look(here / name)
        yield step
        if not step.is_link:
            here = step.path
            continue
        links += 1
        if links > _LINKS_MAX:
            raise PluginLoadError("is a link that leads in circles", hint=f"see {step.path}")
        target = step.path.readlink()
        if target.is_absolute():
            here = Path("/")
        ahead += reversed([part for part in target.parts if part != "/"])
    yield _look(here)


def _look(path: Path) -> _Step:
    try:
        return _Step(path, path.lstat())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _Nowhere(reason, path) from error
