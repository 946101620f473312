"""Hooks that are never called: pluggy passes silently over a name that it does not know."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import pluggy

from clusterf.plugin import hookspecs
from clusterf.plugin.faults import did_you_mean

_PREFIX = f"{hookspecs.PROJECT}_"
_HOOKS = frozenset(name for name in dir(hookspecs) if name.startswith(_PREFIX))


@dataclass(frozen=True, slots=True)
class UncalledHook:
    """A function of a plugin that is there, meant as a hook, and never called.

    ``origin`` is that of the plugin, as in `clusterf.plugin.registry.Loaded`.
    """

    origin: str
    hook: str
    message: str
    hint: str = ""


def uncalled_hooks(
    manager: pluggy.PluginManager, module: ModuleType, origin: str
) -> Iterator[UncalledHook]:
    """Functions of a plugin that are marked as hooks, or named like one, and are none.

    A plugin that can do without a hook says so: ``@hookimpl(optionalhook=True)``.
    """

    def uncalled(hook: str, why: str, hint: str) -> UncalledHook:
        return UncalledHook(origin, hook, f"hook {hook} is never called: {why}", hint)

    for name, _ in inspect.getmembers(module, inspect.isroutine):
        marks = manager.parse_hookimpl_opts(module, name)
        hook = (marks and marks["specname"]) or name
        if hook in _HOOKS:
            if marks is None:
                yield uncalled(hook, "it is not marked", "write @hookimpl above it")
        elif name.startswith(_PREFIX) if marks is None else not marks["optionalhook"]:
            hint = did_you_mean(hook, _HOOKS, prefix=_PREFIX)
            yield uncalled(hook, "there is no such hook", hint)
