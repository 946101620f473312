"""The loader: bundled plugins, then drop-ins; each one's failure is its own.

A drop-in is a ``.py`` file or a package in a plugin directory. It states the API version it was
written for (``CLUSTERF_API = "1.0"``), which is read without running it: see
`clusterf.plugin.dropins`.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from clusterf import __version__
from clusterf.model.errors import PluginLoadError
from clusterf.plugin.dropins.explaining import explain
from clusterf.plugin.dropins.finding import RESERVED, drop_ins
from clusterf.plugin.dropins.importing import Imported, import_drop_in
from clusterf.plugin.dropins.trust import trusted
from clusterf.plugin.faults import did_you_mean
from clusterf.plugin.registering import register
from clusterf.plugin.registry import (
    BUNDLED_ORIGIN,
    Disabled,
    Loaded,
    LoadFailure,
    Registry,
    Unmatched,
)

__all__ = [
    "BUNDLED",
    "DISABLED_HERE",
    "DISABLED_THERE",
    "LoadFailure",
    "Loaded",
    "Registry",
    "load_plugins",
]

BUNDLED = (
    "clusterf_static",
    "clusterf_docker",
    "clusterf_etcd",
    "clusterf_routes",
    "clusterf_local",
    "clusterf_ipvs",
    "clusterf_addresses",
    "clusterf_import",
)
"""Every first-party plugin, by the name of its package under plugins/."""

DISABLED_HERE = "disable_plugins"
"""The key in ``[clusterf]`` that names plugins to leave out."""

DISABLED_THERE = "CLUSTERF_DISABLE_PLUGINS"
"""The environment variable that does the same, with commas between the names."""


def load_plugins(
    plugin_dirs: Sequence[Path] | None = (),
    *,
    bundled: Sequence[str] = BUNDLED,
    disabled: Collection[str] = (),
) -> Registry:
    """Load every plugin. Never raises: what failed is in ``failures``.

    ``disabled`` names plugins to leave out, and so does the environment variable. With None for
    ``plugin_dirs`` no drop-ins are looked for, and nothing is said of names that may be theirs.
    """
    loading = _Loading(disabled)
    paths = [path for folder in plugin_dirs or () for path in loading.found_in(folder)]
    loading.allow_short_names(bundled, {path.stem for path in paths})
    for name in bundled:
        loading.load(name, None, _importer(name))
    for path in paths:
        loading.load(path.stem, path, lambda path=path: _checked(path, bundled))  # type: ignore[misc]
    if plugin_dirs is not None:
        loading.tell_unmatched()
    return loading.registry


def _importer(name: str) -> Callable[[], Imported]:
    def load() -> Imported:
        module = importlib.import_module(name)
        return Imported(module, str(module.CLUSTERF_API))

    return load


def _checked(path: Path, bundled: Collection[str]) -> Imported:
    """Import a drop-in, if its name is free: also while the plugin that has it is disabled."""
    reserved = {**dict.fromkeys(BUNDLED, "a bundled plugin"), **RESERVED}
    if path.stem in reserved or path.stem in bundled:
        whose = reserved.get(path.stem, "a bundled plugin")
        raise PluginLoadError(
            f"{path.stem} is the name of {whose}", hint="give the file another name"
        )
    return import_drop_in(path)


class _Loading:
    """One pass over all plugins."""

    def __init__(self, disabled: Collection[str]) -> None:
        self.registry = Registry()
        there = os.environ.get(DISABLED_THERE, "").split(",")
        self._off = dict.fromkeys(filter(None, map(str.strip, there)), DISABLED_THERE)
        self._off.update(dict.fromkeys(disabled, DISABLED_HERE))
        self._names: set[str] = set()
        self._said: dict[str, str] = {}
        self._folders: set[Path] = set()

    def allow_short_names(self, bundled: Collection[str], taken: Collection[str]) -> None:
        """Bundled plugins may be left out by the name of their type: clusterf_docker by "docker".

        Not where a drop-in is called so.
        """
        for name in bundled:
            short = name.removeprefix("clusterf_")
            if short in taken:
                continue
            self._names.add(short)
            if short in self._off:
                self._off.setdefault(name, self._off[short])
                self._said[name] = short

    def load(self, name: str, path: Path | None, load: Callable[[], Imported]) -> None:
        """Load one plugin, unless it is disabled; what it prints is no answer of a command."""
        self._names.add(name)
        origin = BUNDLED_ORIGIN if path is None else str(path)
        if (by := self._off.get(name)) is not None:
            said = self._said.get(name, name)
            self.registry.disabled.append(Disabled(name, origin, by, said))
            return
        try:
            with redirect_stdout(sys.stderr):
                module, api = load()
                version = __version__ if path is None else _version(module)
                register(self.registry, module, name=name, origin=origin, api=api, version=version)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - foreign code runs here; it is told
            self._fail(f"bundled {name}" if path is None else origin, error, path)

    def found_in(self, folder: Path) -> Iterable[Path]:
        """The drop-ins of a directory; none of one that was there before under another name."""
        try:
            real = trusted(folder)
            if real in self._folders:
                return ()
            self._folders.add(real)
            return list(drop_ins(folder))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            failure = LoadFailure(str(folder), f"plugin directory: {reason}", "see plugin_dirs")
        except PluginLoadError as error:
            message = f"plugin directory: {error.args[0]}"
            failure = LoadFailure(str(folder), message, error.hint or "see plugin_dirs")
        self.registry.failures.append(failure)
        return ()

    def tell_unmatched(self) -> None:
        """Names that shall be left out, and that no plugin has."""
        self.registry.unmatched.extend(
            Unmatched(name, by, did_you_mean(name, self._names))
            for name, by in self._off.items()
            if name not in self._names
        )

    def _fail(self, origin: str, error: BaseException, path: Path | None) -> None:
        why = explain(error, path)
        self.registry.failures.append(
            LoadFailure(origin, why.message, why.hint, why.file, why.line, why.column, why.source)
        )


def _version(module: object) -> str:
    """What a drop-in says of its own version."""
    stated = getattr(module, "__version__", "")
    return stated if isinstance(stated, str) else ""
