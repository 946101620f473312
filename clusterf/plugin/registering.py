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
from clusterf.plugin.dropins.explaining import HookFault
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
        function = implementation.function
        one: Any
        for one in _called(hook, function, kind):
            if flaw := _flaw(one, kind):
                message, hint = flaw
                raise HookFault(f"{hook} returned {message}", function, hint=hint)
            if one.name in found:
                raise HookFault(f'{hook} returned two of the name "{one.name}"', function)
            found[one.name] = one
    return found


def _called(hook: str, function: Callable[[], Any], kind: type) -> list[object]:
    if inspect.iscoroutinefunction(function):
        raise HookFault(
            f"{hook} is async, and hooks are called without await",
            function,
            hint="write def; what it registers has the async methods",
        )
    returned = function()
    if isinstance(returned, kind):
        raise HookFault(
            f"{hook} returned a {kind.__name__}, not a list of them", function, hint="return [...]"
        )
    if returned is None:
        hint = f"return [{kind.__name__}(...)]"
        raise HookFault(f"{hook} returned nothing", function, hint=hint)
    return list(returned)


def _flaw(one: Any, kind: type) -> tuple[str, str] | None:
    """What of a type or a command would fail later, far from its cause; and what to do."""
    if not isinstance(one, kind):
        return f"{one!r}, not a {kind.__name__}", ""
    name: object = getattr(one, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return (
            f"one of the name {name!r}",
            "small letters, digits, _ and -, with a letter in front",
        )
    if isinstance(one, Command):
        return None
    settings, create = getattr(one, "settings", None), getattr(one, "create", None)
    if not (isinstance(settings, type) and issubclass(settings, Settings)):
        return (
            f'"{name}" with settings that are no class derived from Settings',
            "class MySettings(Settings), and settings=MySettings",
        )
    if not callable(create):
        return f'"{name}" with a create that cannot be called', "a class will do: create=MyClass"
    return None


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
                message = f'{caller.name} is not given an argument "{argument.name}"'
                return HookFault(message, function, hint=hint)
    return PluginLoadError(" ".join(str(error).splitlines()[-1].split()))
