"""The loader: bundled plugins, then drop-ins; each one's failure is its own.

A drop-in is a ``.py`` file or a package in a plugin directory. It states the API version it was
written for (``CLUSTERF_API = "1.0"``), which is read without running it.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar

import pluggy

from clusterf.model.errors import PluginLoadError
from clusterf.plugin import hookspecs
from clusterf.plugin.api import API_VERSION, OutputType, PolicyType, SourceType
from clusterf.plugin.commands import CORE_COMMANDS, Command
from clusterf.plugin.uncalled import UncalledHook, uncalled_hooks

BUNDLED = (
    "clusterf_static",
    "clusterf_docker",
    "clusterf_etcd",
    "clusterf_routes",
    "clusterf_local",
    "clusterf_ipvs",
    "clusterf_addresses",
)
"""Every first-party plugin, by the name of its package under plugins/."""


class _Named(Protocol):
    """What hooks register."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """A plugin that is not there, and why."""

    origin: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin that is there. ``origin`` is "bundled" or the path of the drop-in."""

    name: str
    origin: str
    api: str
    module: ModuleType


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


@dataclass(slots=True)
class Registry:
    """All types and commands by their names, and how the plugins fared."""

    sources: dict[str, SourceType[Any]] = field(default_factory=dict)
    policies: dict[str, PolicyType[Any]] = field(default_factory=dict)
    outputs: dict[str, OutputType[Any]] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    plugins: list[Loaded] = field(default_factory=list)
    failures: list[LoadFailure] = field(default_factory=list)
    uncalled_hooks: list[UncalledHook] = field(default_factory=list)
    provided_by: dict[str, str] = field(default_factory=dict)
    manager: pluggy.PluginManager = field(default_factory=_manager)


def load_plugins(
    plugin_dirs: Sequence[Path] = (),
    *,
    bundled: Sequence[str] = BUNDLED,
    disabled: Collection[str] = (),
) -> Registry:
    """Load every plugin. Never raises: what failed is in ``failures``.

    ``disabled`` names plugins (module names) to leave out; the environment variable
    ``CLUSTERF_DISABLE_PLUGINS`` (names with commas) adds to it.
    """
    registry = Registry()
    off = {*disabled, *filter(None, os.environ.get("CLUSTERF_DISABLE_PLUGINS", "").split(","))}
    for name in bundled:
        if name not in off:
            _load(registry, name, "bundled", lambda name=name: importlib.import_module(name))  # type: ignore[misc]
    for folder in plugin_dirs:
        for path in _drop_ins(registry, folder):
            if path.stem not in off:
                _load(registry, path.stem, str(path), lambda path=path: _import_drop_in(path))  # type: ignore[misc]
    return registry


def _drop_ins(registry: Registry, folder: Path) -> list[Path]:
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if not path.name.startswith((".", "_"))
            and (path.suffix == ".py" or (path / "__init__.py").exists())
        )
    except OSError as error:
        registry.failures.append(
            LoadFailure(str(folder), f"plugin directory: {error.strerror}", "see plugin_dirs")
        )
        return []


def _load(registry: Registry, name: str, origin: str, load: Callable[[], ModuleType]) -> None:
    shown = f"bundled {name}" if origin == "bundled" else origin
    try:
        module = load()
        _register(registry, Loaded(name, origin, str(module.CLUSTERF_API), module))
    except PluginLoadError as error:
        registry.failures.append(LoadFailure(shown, str(error.args[0]), error.hint))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code runs here; it is told
        hint = ""
        if isinstance(error, ImportError):
            hint = f"this program has its own Python {sys.version.split()[0]}"
        registry.failures.append(LoadFailure(shown, f"{type(error).__name__}: {error}", hint))


def _register(registry: Registry, loaded: Loaded) -> None:
    """Take over a plugin's types and commands, all or none."""
    if (
        known := next((one for one in registry.plugins if one.name == loaded.name), None)
    ) is not None:
        raise PluginLoadError(f"a plugin named {loaded.name} is already loaded: {known.origin}")
    try:
        # A hook of a wrong shape is refused when those before it are registered already.
        registry.manager.register(loaded.module, name=loaded.name)
        sources = _declared(registry, loaded, "clusterf_register_sources", SourceType)
        policies = _declared(registry, loaded, "clusterf_register_policies", PolicyType)
        outputs = _declared(registry, loaded, "clusterf_register_outputs", OutputType)
        commands = _declared(registry, loaded, "clusterf_register_commands", Command)
        _refuse_twice("source", sources, registry, loaded)
        _refuse_twice("policy", policies, registry, loaded)
        _refuse_twice("output", outputs, registry, loaded)
        _refuse_twice("command", commands, registry, loaded)
    except BaseException:
        registry.manager.unregister(name=loaded.name)
        raise
    registry.sources.update(sources)
    registry.policies.update(policies)
    registry.outputs.update(outputs)
    registry.commands.update(commands)
    for kind, names in (
        ("source", sources),
        ("policy", policies),
        ("output", outputs),
        ("command", commands),
    ):
        registry.provided_by.update({f"{kind} {name}": loaded.origin for name in names})
    registry.plugins.append(loaded)
    registry.uncalled_hooks.extend(uncalled_hooks(registry.manager, loaded.module, loaded.origin))


def _declared(registry: Registry, loaded: Loaded, hook: str, kind: type[T]) -> dict[str, T]:
    """Call one hook of one plugin: an exception must not end the calls of the others."""
    found: dict[str, T] = {}
    for implementation in getattr(registry.manager.hook, hook).get_hookimpls():
        if implementation.plugin_name == loaded.name:
            declared: Iterable[T] = implementation.function()
            for one in declared:
                if not isinstance(one, kind):
                    raise PluginLoadError(f"{hook} returned {one!r}, not a {kind.__name__}")
                if one.name in found:
                    raise PluginLoadError(f'{hook} returned two of the name "{one.name}"')
                found[one.name] = one
    return found


def _refuse_twice(kind: str, found: Iterable[str], registry: Registry, loaded: Loaded) -> None:
    for name in found:
        origin = registry.provided_by.get(f"{kind} {name}")
        if kind == "command" and name in CORE_COMMANDS:
            origin = "clusterf itself"
        if origin is not None:
            what = "command" if kind == "command" else "type"
            raise PluginLoadError(
                f'{what} "{name}" is already provided by {origin}, not by {loaded.origin}'
            )


# --- drop-ins --------------------------------------------------------------------------------


def _import_drop_in(path: Path) -> ModuleType:
    entry = path / "__init__.py" if path.is_dir() else path
    _refuse_untrusted(entry)
    if path.is_dir():
        _refuse_untrusted(path)
        for part in sorted(path.rglob("*.py")):
            _refuse_untrusted(part)
    _refuse_incompatible(entry)
    name = f"clusterf_dropin_{path.stem}"
    spec = importlib.util.spec_from_file_location(
        name, entry, submodule_search_locations=[str(path)] if path.is_dir() else None
    )
    if spec is None or spec.loader is None:
        raise PluginLoadError(f"{entry} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _refuse_untrusted(path: Path) -> None:
    """Drop-ins run with our rights: what others can write is refused, as sudo does it."""
    status = path.stat()
    if status.st_uid not in {0, os.geteuid()}:
        raise PluginLoadError(
            f"{path} is owned by user {status.st_uid}", hint="its owner must be root"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PluginLoadError(f"{path} can be written by others", hint=f"chmod go-w {path}")


def _refuse_incompatible(entry: Path) -> None:
    """Compare the stated API version with ours, without running the file."""
    try:
        tree = ast.parse(entry.read_bytes(), str(entry))
    except (SyntaxError, ValueError) as error:
        raise PluginLoadError(f"{entry} is not valid Python: {error}") from error
    wanted = _stated_api(tree)
    if wanted is None:
        raise PluginLoadError(
            f"{entry} does not state its API version", hint=f'add CLUSTERF_API = "{API_VERSION}"'
        )
    try:
        major, minor = map(int, wanted.split("."))
    except ValueError:
        raise PluginLoadError(
            f'{entry}: CLUSTERF_API = "{wanted}" is no version', hint=f'such as "{API_VERSION}"'
        ) from None
    our_major, our_minor = map(int, API_VERSION.split("."))
    if major != our_major or minor > our_minor:
        raise PluginLoadError(
            f"{entry} was written for plugin API {wanted}, this is {API_VERSION}",
            hint="update the plugin or clusterf",
        )


def _stated_api(tree: ast.Module) -> str | None:
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name("CLUSTERF_API")], value=ast.Constant(str() as stated))
                | ast.AnnAssign(
                    target=ast.Name("CLUSTERF_API"), value=ast.Constant(str() as stated)
                )
            ):
                return stated
    return None
