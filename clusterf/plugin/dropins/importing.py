"""Importing: a drop-in becomes a module under a name of its own, which can shadow no other.

``/etc/clusterf/plugins.d/json.py`` is ``clusterf_dropin_json``. The directory is on no search path:
what a drop-in imports is the standard library's, a promised library's, or relative within its
package.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

from clusterf.model.errors import PluginLoadError
from clusterf.plugin.dropins.finding import entry_of
from clusterf.plugin.dropins.trust import refuse_untrusted_parts, trusted
from clusterf.plugin.dropins.versions import stated_api

PREFIX = "clusterf_dropin_"


class Imported(NamedTuple):
    """A drop-in that was run, and the API version that it states."""

    module: ModuleType
    api: str


class _Kept(NamedTuple):
    """A module, and the files that it was made of."""

    entry: Path
    digest: bytes
    module: ModuleType


_kept: dict[str, _Kept] = {}


def import_drop_in(path: Path) -> Imported:
    """Judge a file or package, then run it.

    The module of an earlier call is returned again while its files are the same: so what a reload
    of the configuration does not change goes on running.

    Raises:
        PluginLoadError: it is refused, and was not run.
        SyntaxError: it is not Python, and was not run.
        BaseException: whatever it raises itself.
    """
    trusted(path)
    if path.is_dir():
        refuse_untrusted_parts(path)
    entry = entry_of(path)
    api = stated_api(entry.read_bytes(), str(entry))
    name, digest = PREFIX + path.stem, _digest(path)
    kept = _kept.get(name)
    if kept and (entry, digest) == kept[:2] and sys.modules.get(name) is kept.module:
        return Imported(kept.module, api)
    module = _run(name, path, entry)
    _kept[name] = _Kept(entry, digest, module)
    return Imported(module, api)


def _run(name: str, path: Path, entry: Path) -> ModuleType:
    locations = [str(path)] if path.is_dir() else None
    loader = _SourceLoader(name, str(entry))
    spec = spec_from_file_location(name, entry, loader=loader, submodule_search_locations=locations)
    if spec is None:
        raise PluginLoadError("is no Python module")
    if _Parts not in sys.meta_path:
        sys.meta_path.insert(0, _Parts)
    _forget(name)
    module = sys.modules[name] = module_from_spec(spec)
    try:
        loader.exec_module(module)
    except BaseException:
        _forget(name)
        raise
    return module


def _forget(name: str) -> None:
    """Let go of a drop-in and its parts: nothing of an older state is mixed with a newer one."""
    for known in [one for one in sys.modules if one == name or one.startswith(f"{name}.")]:
        del sys.modules[known]


def _digest(path: Path) -> bytes:
    """Of the names and contents of all files of a drop-in."""
    found = hashlib.blake2b()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file.is_file():
            content = file.read_bytes()
            found.update(f"{file}\0{len(content)}\0".encode())
            found.update(content)
    return found.digest()


class _SourceLoader(SourceFileLoader):
    """Runs source files. Bytecode is neither read, for it would not be judged, nor written."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the file as it is."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Parts(MetaPathFinder):
    """Finds the parts of packages that are drop-ins: Python files in them, and nothing else."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As `importlib.abc.MetaPathFinder.find_spec`.

        Raises:
            ModuleNotFoundError: there is no such part. Nobody else may look: they would take
                extensions and bytecode.
        """
        if not fullname.startswith(PREFIX) or path is None:
            return None
        for folder in path:
            finder = FileFinder(folder, (_SourceLoader, [".py"]))
            if (spec := finder.find_spec(fullname, target)) is not None:
                return spec
        raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
