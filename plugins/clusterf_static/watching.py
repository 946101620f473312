"""Wait for changes of files: the only file here that knows watchfiles.

Directories are watched and never files, so that replacing a file by renaming is seen. What
events cannot tell (a parent that is replaced, a network file system) the caller sees by looking
from time to time; that is also all there is where the kernel grants no more watches.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from watchfiles._rust_notify import RustNotify

from clusterf.plugin import Context

_GROUP_MS = 400
"""Longest time over which changes are gathered."""

_STEP_MS = 50
"""Quiet time after which gathered changes are told; also how soon a wait ends when cancelled."""

Identity = tuple[int, int]


class Watch:
    """Watches the surroundings of one path. Follows when directories or links are exchanged."""

    def __init__(self, path: Path, context: Context) -> None:
        self._path = path
        self._context = context
        self._notify: RustNotify | None = None
        self._watched: dict[Identity, Path] | None = None
        self._names: set[str] = set()
        self._inside: set[str] = set()

    def aim(self, links: Iterable[Path]) -> bool:
        """Watch what has to be watched now; True when that is something new.

        ``links`` are those of the files that are symbolic links.

        After True the caller must look once more: changes before it were seen by nobody.
        """
        wanted = dict(_identified(self._directories(links)))
        if wanted == self._watched:
            return False
        self.close()
        self._watched = wanted
        paths = [str(path) for path in wanted.values()]
        try:
            self._notify = RustNotify(paths, False, False, 0, False, True)
        except (OSError, RuntimeError) as error:
            self._context.log.warning("watch failed, looking on a timer only reason=%r", str(error))
        return True

    async def wait(self, seconds: float) -> set[str] | None:
        """Names of files that changed; None: nothing was seen in this time."""
        deadline = self._context.clock() + seconds
        while (left := deadline - self._context.clock()) > 0:
            changes = await self._changes(left)
            if changes is None:
                break
            names = {path.name for path in changes if self._concerns(path)}
            if names:
                return names
        return None

    def close(self) -> None:
        """Stop watching."""
        if self._notify is not None:
            self._notify.close()
            self._notify = None
        self._watched = None

    async def _changes(self, seconds: float) -> list[Path] | None:
        stop = threading.Event()
        notify = self._notify

        def block() -> object:
            if notify is None:
                stop.wait(seconds)
                return "timeout"
            return notify.watch(_GROUP_MS, _STEP_MS, max(1, int(seconds * 1000)), stop)

        changes = await self._context.run_blocking_until_closed(block, stop.set)
        return [Path(path) for _, path in changes] if isinstance(changes, set) else None

    def _concerns(self, path: Path) -> bool:
        """Whether an event is about us; a parent directory may be a busy place."""
        return path.name in self._names or str(path.parent) in self._inside

    def _directories(self, links: Iterable[Path]) -> Iterator[Path]:
        """Every directory in which something could change what the path means."""
        real = Path(os.path.realpath(self._path))
        self._names = {self._path.name, real.name}
        self._inside = set()
        if self._path.is_dir():
            self._inside |= {str(self._path), str(real)}
            yield self._path
        for link in links:
            target = Path(os.path.realpath(link))
            self._names |= {link.name, target.name}
            self._inside.add(str(link.parent))
            yield target.parent
        yield self._path.parent
        yield real.parent
        for ancestor in self._path.parents:
            if ancestor.is_symlink():
                self._names.add(ancestor.name)
                yield ancestor.parent


def _identified(directories: Iterable[Path]) -> Iterator[tuple[Identity, Path]]:
    for directory in directories:
        try:
            status = directory.stat()
        except OSError:
            continue
        yield (status.st_dev, status.st_ino), directory
