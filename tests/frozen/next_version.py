"""The next version of the executables: the same but for some modules, without a freeze.

A freeze takes a minute. What differs between two versions is compiled Python in an archive within
an archive, so that is what is exchanged here; bootloader, libraries and all other modules stay.
"""

from __future__ import annotations

import marshal
import shutil
import struct
import subprocess
import zlib
from collections.abc import Mapping
from pathlib import Path

from PyInstaller.archive.readers import (
    PKG_ITEM_PYZ,
    PKG_ITEM_RUNTIME_OPTION,
    CArchiveReader,
    ZlibArchiveReader,
)
from PyInstaller.archive.writers import CArchiveWriter

from tests.frozen.executables import FOLDER, ROOT, Executable

VERSION = "0.99.0"

_SECTION = "pydata"
_TOC_OFFSET = 8
"""In the header of a PYZ: after its magic bytes and those of the interpreter."""


def make(executable: Executable, into: Path, sources: Mapping[str, str]) -> Executable:
    """A copy of an executable in which some modules have other sources."""
    if executable is FOLDER:
        into = Path(shutil.copytree(executable.path.parent, into / "clusterf-folder"))
    copy = Executable(f"the next {executable.name}", into / executable.path.name)
    shutil.copy(executable.path, copy.path)
    archive = copy.path.with_suffix(".archive")
    _objcopy("--dump-section", f"{_SECTION}={archive}", copy.path)
    _exchange(archive, sources)
    _objcopy("--update-section", f"{_SECTION}={archive}", copy.path)
    archive.unlink()
    return copy


def source(module: str) -> str:
    """The source of a module of ours as it is."""
    path = ROOT.joinpath(*module.split("."))
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text("utf-8")


def _objcopy(*words: str | Path) -> None:
    subprocess.run(["objcopy", *words], check=True, capture_output=True)


def _exchange(archive: Path, sources: Mapping[str, str]) -> None:
    """Append the archive of modules once more, with others, and have the outer one point there."""
    whole = archive.read_bytes()
    magic, _, listed_at, _, *rest = struct.unpack(
        CArchiveWriter._COOKIE_FORMAT, whole[-CArchiveWriter._COOKIE_LENGTH :]
    )
    reader = CArchiveReader(str(archive))
    (name,) = (name for name, entry in reader.toc.items() if entry[4] == PKG_ITEM_PYZ)
    modules = _with_others(reader.open_embedded_archive(name), reader.extract(name), sources)
    reader.toc[name] = (listed_at, len(modules), len(modules), 0, PKG_ITEM_PYZ)
    toc = [(*entry, entry_name) for entry_name, entry in reader.toc.items()]
    toc += [(0, 0, 0, 0, PKG_ITEM_RUNTIME_OPTION, option) for option in reader.options]
    listed = CArchiveWriter._serialize_toc(toc)
    at = listed_at + len(modules)
    cookie = (magic, at + len(listed) + CArchiveWriter._COOKIE_LENGTH, at, len(listed), *rest)
    packed = struct.pack(CArchiveWriter._COOKIE_FORMAT, *cookie)
    archive.write_bytes(whole[:listed_at] + modules + listed + packed)


def _with_others(pyz: ZlibArchiveReader, old: bytes, sources: Mapping[str, str]) -> bytes:
    """The same archive of modules, with others at its end, and a new list of what is where."""
    data = bytearray(old)
    for module, text in sources.items():
        code = compile(text, f"{module.replace('.', '/')}.py", "exec", dont_inherit=True)
        packed = zlib.compress(marshal.dumps(code))
        kind = pyz.toc[module][0]
        pyz.toc[module] = (kind, len(data), len(packed))
        data += packed
    struct.pack_into("!i", data, _TOC_OFFSET, len(data))
    return bytes(data) + marshal.dumps(list(pyz.toc.items()))
