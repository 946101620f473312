"""Explaining: an exception of a plugin becomes one sentence, its place in the plugin, and a hint.

Without a traceback: of the frames only the last one that is the plugin's own is of use to who wrote
it, and of ours none.
"""

from __future__ import annotations

import linecache
import sys
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from clusterf.model.errors import PluginLoadError
from clusterf.plugin.dropins.importing import PREFIX
from clusterf.plugin.dropins.provided import promise
from clusterf.plugin.faults import did_you_mean


class HookFault(PluginLoadError):
    """A hook is not as hooks are; ``function`` is the one that the plugin has in its place."""

    def __init__(self, message: str, function: Callable[..., object], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.function = function


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What went wrong. ``line`` and ``column`` count from 1, in ``file``; 0 is "not known".

    ``source`` is the text of the line.
    """

    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    source: str = ""


def explain(error: BaseException, path: Path | None) -> Explanation:
    """Put an exception into words. ``path`` is the drop-in's, None for a bundled plugin."""
    if isinstance(error, SyntaxError) and (path is None or _within(error.filename, path)):
        return _misspelt(error)
    file, line = _place(error, path)
    message, hint = _worded(error, path)
    linecache.checkcache(file)
    source = linecache.getline(file, line).rstrip("\n") if line else ""
    column = len(source) - len(source.lstrip()) + 1 if source else 0
    return Explanation(
        message=message, hint=hint, file=file, line=line, column=column, source=source
    )


def _worded(error: BaseException, path: Path | None) -> tuple[str, str]:
    if isinstance(error, PluginLoadError):
        return str(error.args[0]), error.hint
    if isinstance(error, ModuleNotFoundError) and isinstance(error.name, str):
        return _missing(error.name, path)
    if isinstance(error, ImportError):
        return f"cannot be imported: {_lower(_said(error))}", _import_hint(error)
    if isinstance(error, SystemExit):
        return "calls sys.exit, and a plugin does not end the program", "raise an exception instead"
    return f"{type(error).__name__}: {_said(error)}".removesuffix(": "), ""


def _missing(name: str, path: Path | None) -> tuple[str, str]:
    """A module that is not there: perhaps it is, and is only meant in another way."""
    message = f"no module named {_own(name)}"
    top = name.partition(".")[0]
    if name.startswith(PREFIX):
        return message, "it is not in the package"
    if path is not None and top in _siblings(path):
        if path.is_dir():
            return message, f"within a package: from . import {top}"
        return message, f"drop-ins do not see one another: make a package of this and {top}"
    if top == "clusterf":
        return message, "clusterf.plugin, clusterf.model and clusterf.testing are for plugins"
    if top in sys.stdlib_module_names:
        return message, f"this program leaves {top} out of its standard library"
    return message, promise()


def _import_hint(error: ImportError) -> str:
    """A name that a module does not have: what it has that is near."""
    wanted = _said(error).partition("cannot import name ")[2].partition(" from ")[0].strip("'")
    name = error.name if isinstance(error.name, str) else ""
    if name.startswith(PREFIX):
        return "it is not there, or not yet: do parts of the package import one another?"
    module = sys.modules.get(name)
    if not wanted or module is None:
        return promise()
    names: Collection[str] = getattr(module, "__all__", dir(module))
    return did_you_mean(wanted, names)


def _siblings(path: Path) -> Collection[str]:
    folder = path if path.is_dir() else path.parent
    return {one.stem for one in folder.iterdir() if one.suffix == ".py" or one.is_dir()} - {
        path.stem if path.is_file() else ""
    }


def _misspelt(error: SyntaxError) -> Explanation:
    return Explanation(
        message=f"is not valid Python: {_lower(error.msg)}",
        file=error.filename or "",
        line=error.lineno or 0,
        column=max(1, error.offset or 1),
        source=(error.text or "").rstrip("\n"),
    )


def _place(error: BaseException, path: Path | None) -> tuple[str, int]:
    """File and line of the plugin's own code in which it happened; ("", 0) if in none."""
    if path is None:
        return "", 0
    if isinstance(error, HookFault):
        code = getattr(error.function, "__code__", None)
        if code is None or not _within(code.co_filename, path):
            return "", 0
        return code.co_filename, code.co_firstlineno
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if _within(frame.filename, path)
    ]
    return (own[-1].filename, own[-1].lineno or 0) if own else ("", 0)


def _within(filename: str | None, path: Path) -> bool:
    return filename is not None and Path(filename).is_relative_to(path)


def _own(name: str) -> str:
    """A module by the name that its author knows."""
    return f'"{name.removeprefix(PREFIX)}"'


def _said(error: BaseException) -> str:
    """What an exception says, in one line; foreign ones may not even manage that."""
    try:
        return " ".join(str(error).replace(PREFIX, "").split())
    except Exception:  # noqa: BLE001 - its own fault, and not the one to tell
        return ""


def _lower(words: str) -> str:
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]
