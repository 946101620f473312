"""Archives in the `newc` format, which the kernel unpacks as its first root file system.

Format: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel. Archives may be
concatenated; of two files with one name the later wins.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAGIC: Final = b"070701"
_TRAILER: Final = "TRAILER!!!"


@dataclass(frozen=True, slots=True)
class Symlink:
    target: str


@dataclass(frozen=True, slots=True)
class Program:
    """Text of an executable file."""

    text: str


# A guest path's content: a file of this machine, bytes, an executable text or a link.
Content = Path | bytes | Program | Symlink


def write(out: IO[bytes], files: Mapping[str, Content]) -> None:
    """Write an archive of `files`, keyed by absolute guest path; parent directories come along."""
    directories = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    inode = 0
    for inode, path in enumerate(sorted(directories - {"/"}), start=1):
        _entry(out, inode, path, stat.S_IFDIR | 0o755, b"")
    for number, (path, content) in enumerate(files.items(), start=inode + 1):
        match content:
            case Path():
                mode, data = content.stat().st_mode, content.read_bytes()
            case Symlink(target):
                mode, data = stat.S_IFLNK | 0o777, target.encode()
            case Program(text):
                mode, data = stat.S_IFREG | 0o755, text.encode()
            case bytes():
                mode, data = stat.S_IFREG | 0o644, content
        _entry(out, number, path, mode, data)
    _entry(out, 0, _TRAILER, 0, b"")


def _entry(out: IO[bytes], inode: int, path: str, mode: int, data: bytes) -> None:
    name = path.lstrip("/").encode() + b"\0"
    # ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    header = _MAGIC + b"".join(b"%08x" % field for field in fields) + name
    out.write(header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4))
