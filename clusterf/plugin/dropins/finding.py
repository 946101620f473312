"""Finding: what in a plugin directory is a drop-in, and what looks like one and is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from clusterf.model.errors import PluginLoadError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ARCHIVES = (".whl", ".zip", ".egg", ".pyz")
_COMPILED = (".so", ".pyd")
_EXTENSION = "is a compiled extension, and this program takes Python files only"
_BYTECODE = "is compiled Python, and this program takes Python files only"
_WITHOUT_EXTENSIONS = "what must be compiled can be a program of its own, asked over a socket"

RESERVED: Mapping[str, str] = {"clusterf": "clusterf itself"}
"""Names that no drop-in can have, besides those of the bundled plugins, and whose they are."""


def drop_ins(folder: Path) -> Iterator[Path]:
    """Everything in a plugin directory that is, or is meant as, a drop-in; by name.

    Files with a dot or an underscore in front, and those of other kinds, are not looked at.

    Raises:
        OSError: the directory cannot be read.
    """
    for path in sorted(folder.iterdir()):
        if not path.name.startswith((".", "_")) and _is_meant(path):
            yield path


def entry_of(path: Path) -> Path:
    """The file that is run first: the drop-in itself, or ``__init__.py`` of a package.

    Raises:
        PluginLoadError: it is nothing that can be loaded.
    """
    if path.is_dir():
        entry = path / "__init__.py"
        if not _NAME.fullmatch(path.name):
            raise _misnamed(path.name)
        if not entry.is_file():
            raise PluginLoadError(
                "is a folder with Python files and no __init__.py",
                hint="a package has one, and in it the hooks",
            )
        for part in path.rglob("*"):
            if part.name.endswith(_COMPILED):
                what = f"its part {part.relative_to(path)} {_EXTENSION}"
                raise PluginLoadError(what, hint=_WITHOUT_EXTENSIONS)
        return entry
    if path.name.endswith(_COMPILED):
        raise PluginLoadError(_EXTENSION, hint=_WITHOUT_EXTENSIONS)
    if path.suffix == ".pyc":
        raise PluginLoadError(_BYTECODE, hint="copy the .py file that it was made of")
    if path.suffix in _ARCHIVES:
        raise PluginLoadError("is an archive", hint="unpack the package that is in it")
    if not path.is_file():
        raise PluginLoadError("is no regular file")
    if not _NAME.fullmatch(path.stem):
        raise _misnamed(path.stem)
    return path


def _is_meant(path: Path) -> bool:
    try:
        if path.is_dir():
            return any(part.suffix == ".py" for part in path.iterdir())
    except OSError:
        return True  # why it cannot be read is told with it
    return path.name.endswith((".py", ".pyc", *_ARCHIVES, *_COMPILED))


def _misnamed(name: str) -> PluginLoadError:
    return PluginLoadError(
        f'the name "{name}" cannot be that of a plugin',
        hint="letters, digits, _ and -, with a letter in front",
    )
