"""Registering: the hooks of one plugin are called, and what it brings is taken over, or nothing."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pluggy

from clusterf.model.errors import PluginLoadError
from clusterf.plugin.api import OutputType, PolicyType, SourceType
from clusterf.plugin.commands import CORE_COMMANDS, Command
from clusterf.plugin.registry import ROLES, Loaded, Registry, Role
from clusterf.plugin.settings import Settings
from clusterf.plugin.uncalled import uncalled_hooks

_HOOKS: Mapping[Role, tuple[str, type]] = {
    "source": ("clusterf_register_sources", SourceType),
    "policy": ("clusterf_register_policies", PolicyType),
    "output": ("clusterf_register_outputs", OutputType),
    "command": ("clusterf_register_commands", Command),
}
"""The hook of each role, and what it returns."""

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def register(
    registry: Registry, module: ModuleType, *, name: str, origin: str, api: str, version: str
) -> None:
    """Take over a plugin's types and commands.

    Raises:
        PluginLoadError: something of it does not fit; nothing of it is taken over.
        BaseException: whatever a hook raises.
    """
    manager = registry.manager
    for known in registry.plugins:
        if known.name == name:
            raise PluginLoadError(
                f"a plugin named {name} is already loaded: {known.origin}",
                hint="rename one of them",
            )
    try:
        # A hook of a wrong shape is refused when those before it are registered already.
        try:
            manager.register(module, name=name)
        except pluggy.PluginValidationError as error:
            raise _misshapen(manager, module, error) from error
        brings = {role: _declared(manager, name, *_HOOKS[role]) for role in ROLES}
        for role, found in brings.items():
            _refuse_taken(registry, role, found, origin)
    except BaseException:
        manager.unregister(name=name)
        raise
    for role, found in brings.items():
        registry.of(role).update(found)
        registry.provided_by.update({f"{role} {one}": origin for one in found})
    callers = manager.get_hookcallers(module) or ()
    hooks = [caller.name for caller in callers if caller.has_spec()]
    registry.plugins.append(
        Loaded(
            name,
            origin,
            api,
            module,
            version,
            sorted(hooks),
            {role: tuple(found) for role, found in brings.items() if found},
        )
    )
    registry.uncalled_hooks.extend(uncalled_hooks(manager, module, origin))


def _declared(
    manager: pluggy.PluginManager, plugin: str, hook: str, kind: type[Any]
) -> dict[str, Any]:
    """Call one hook of one plugin: an exception must not end the calls of the others."""
    found: dict[str, Any] = {}
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        if implementation.plugin_name != plugin:
            continue
        one: Any
        for one in _called(hook, implementation.function, kind):
            if not isinstance(one, kind):
                raise PluginLoadError(f"{hook} returned {one!r}, not a {kind.__name__}")
            _refuse_unusable(hook, one)
            if one.name in found:
                raise PluginLoadError(f'{hook} returned two of the name "{one.name}"')
            found[one.name] = one
    return found


def _called(hook: str, function: Callable[[], Any], kind: type) -> list[object]:
    if inspect.iscoroutinefunction(function):
        raise PluginLoadError(
            f"{hook} is async, and hooks are called without await",
            hint="write def; what it registers has the async methods",
        )
    returned = function()
    if isinstance(returned, kind):
        raise PluginLoadError(
            f"{hook} returned a {kind.__name__}, not a list of them", hint="return [...]"
        )
    if returned is None:
        raise PluginLoadError(f"{hook} returned nothing", hint=f"return [{kind.__name__}(...)]")
    return list(returned)


def _refuse_unusable(hook: str, one: Any) -> None:
    """Look at what would fail later, far from its cause."""
    if not isinstance(one.name, str) or not _NAME.fullmatch(one.name):
        raise PluginLoadError(
            f"{hook} returned one of the name {one.name!r}",
            hint="small letters, digits, _ and -, with a letter in front",
        )
    if isinstance(one, Command):
        return
    what = f'{hook}: "{one.name}"'
    if not (isinstance(one.settings, type) and issubclass(one.settings, Settings)):
        raise PluginLoadError(
            f"{what} has settings that are no class derived from Settings",
            hint="class MySettings(Settings), and settings=MySettings",
        )
    if not callable(one.create):
        raise PluginLoadError(
            f"{what} has a create that cannot be called", hint="a class will do: create=MyClass"
        )


def _refuse_taken(registry: Registry, role: Role, found: Mapping[str, Any], origin: str) -> None:
    for name in found:
        holder = registry.provided_by.get(f"{role} {name}")
        if role == "command" and name in CORE_COMMANDS:
            holder = "clusterf itself"
        if holder is not None:
            what = "command" if role == "command" else "type"
            raise PluginLoadError(
                f'{what} "{name}" is already provided by {holder}, not by {origin}',
                hint="give it another name, or disable the other plugin",
            )


def _misshapen(
    manager: pluggy.PluginManager, module: ModuleType, error: pluggy.PluginValidationError
) -> PluginLoadError:
    """What pluggy says over several lines, in one: mostly an argument that a hook is not given."""
    for name, function in inspect.getmembers(module, inspect.isroutine):
        marks = manager.parse_hookimpl_opts(module, name)
        caller = getattr(manager.hook, (marks and marks["specname"]) or name, None)
        if marks is None or caller is None or caller.spec is None:
            continue
        offered = caller.spec.argnames
        for argument in inspect.signature(function).parameters.values():
            if argument.default is argument.empty and argument.name not in offered:
                hint = f"it is given: {', '.join(offered)}" if offered else "it is given none"
                return PluginLoadError(
                    f'{caller.name} is not given an argument "{argument.name}"', hint=hint
                )
    return PluginLoadError(" ".join(str(error).splitlines()[-1].split()))
