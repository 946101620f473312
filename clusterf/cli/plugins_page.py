"""What ``clusterf plugins`` prints for people: the list, and the page of one plugin or type."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from clusterf import __version__
from clusterf.cli.drawing import Line
from clusterf.plugin.api import API_VERSION
from clusterf.plugin.dropins.provided import OURS, libraries, python
from clusterf.plugin.options import Option, options_of
from clusterf.plugin.registry import (
    BUNDLED_ORIGIN,
    Disabled,
    Loaded,
    LoadFailure,
    Registry,
    Role,
)

_INDENT = "  "
_REGISTERS = "clusterf_register_"
_KEYS = {
    "source": ("enabled", "startup_error"),
    "policy": ("enabled",),
    "output": ("enabled", "startup_error", "look"),
}
"""Keys of the core, which every instance of a role has besides the plugin's own."""

Brought = tuple[Loaded, Role, str]
"""A plugin, and one of the types or commands that it brings."""


def list_lines(registry: Registry, width: int) -> Iterator[Line]:
    """Every plugin, what it brings, and what is not there and why. ``width`` is in columns."""
    yield f"clusterf {__version__}, plugin API {API_VERSION}, Python {python()}", "bold"
    yield "", ""
    columns = _Columns(registry.plugins, registry.disabled)
    yield columns.row("PLUGIN", "VERSION", "API", "FROM"), "bold"
    for plugin in registry.plugins:
        yield from _plugin(plugin, registry, columns, width)
    for disabled in registry.disabled:
        yield from _disabled(disabled, columns, width)
    yield from _troubles(registry, width)
    yield "", ""
    yield from _provided(width)
    yield "", ""
    closing = "clusterf plugins NAME shows the options of a plugin or a type."
    yield from _wrapped(closing, width, "")


def plugin_lines(plugin: Loaded, registry: Registry, width: int) -> Iterator[Line]:
    """One plugin, with everything that it brings."""
    version = f" {plugin.version}" if plugin.version else ""
    yield f"plugin {plugin.name}{version}", "bold"
    yield f"{_INDENT}{_from(plugin.origin)}, for plugin API {plugin.api}", ""
    yield from _wrapped(f"hooks: {', '.join(plugin.hooks) or 'none'}", width, _INDENT)
    for role, names in plugin.brings.items():
        for name in names:
            yield "", ""
            yield from type_lines((plugin, role, name), registry, width, alone=False)
    for uncalled in registry.uncalled_hooks:
        if uncalled.origin == plugin.origin and plugin.origin != BUNDLED_ORIGIN:
            yield "", ""
            yield "WARNING", "bold yellow"
            yield from _trouble(uncalled.message, uncalled.hint, width)


def type_lines(
    brought: Brought, registry: Registry, width: int, *, alone: bool = True
) -> Iterator[Line]:
    """One type or command, with its options. ``alone``: the plugin is named, too."""
    plugin, role, name = brought
    kind = registry.of(role)[name]
    where = f", of the plugin {plugin.name} ({plugin.origin})" if alone else ""
    yield f"{role} {name}{where}", "bold"
    yield from _wrapped(kind.summary, width, _INDENT)
    yield "", ""
    if role == "command":
        yield f"{_INDENT}clusterf {name} --help", ""
        return
    options = list(options_of(kind.settings))
    aside = min(20, max((len(option.name) for option in options), default=0)) + 2
    for option in options:
        yield from _option(option, aside, width)
    if not options:
        yield f"{_INDENT}no options of its own", ""
    yield "", ""
    yield from _wrapped(f"and as every {role}: {', '.join(_KEYS[role])}", width, _INDENT, "dim")


def disabled_lines(disabled: Disabled) -> Iterator[Line]:
    """A plugin that is left out."""
    yield f"plugin {disabled.name}", "bold"
    yield f"{_INDENT}{_from(disabled.origin)}, disabled by {disabled.by}", "yellow"


def failure_lines(failure: LoadFailure, width: int) -> Iterator[Line]:
    """A plugin that is not there."""
    yield f"{_INDENT}{failure.place}", "red"
    yield from _trouble(failure.message, failure.hint, width)


# --- parts of the list ----------------------------------------------------------------------------


class _Columns:
    """Widths of what stands under one another."""

    def __init__(self, plugins: Sequence[Loaded], disabled: Sequence[Disabled]) -> None:
        names = [plugin.name for plugin in plugins] + [one.name for one in disabled]
        self._name = min(24, max(len(name) for name in [*names, "PLUGIN"]))
        versions = [plugin.version for plugin in plugins]
        self._version = min(12, max(len(version) for version in [*versions, "VERSION"]))
        brought = [name for plugin in plugins for names in plugin.brings.values() for name in names]
        self.kind = min(16, max((len(name) for name in brought), default=0))

    def row(self, name: str, version: str, api: str, origin: str) -> str:
        return f"{name:<{self._name}}  {version:<{self._version}}  {api:<3}  {origin}"


def _plugin(plugin: Loaded, registry: Registry, columns: _Columns, width: int) -> Iterator[Line]:
    head = columns.row(plugin.name, plugin.version or "-", plugin.api, plugin.origin)
    if len(head) > width:
        yield columns.row(plugin.name, plugin.version or "-", plugin.api, ""), "cyan"
        yield f"{_INDENT}{plugin.origin}", "cyan"
    else:
        yield head, "cyan"
    for role, names in plugin.brings.items():
        for name in names:
            lead = f"{_INDENT}{role:<7}  {name:<{columns.kind}}  "
            yield from _wrapped(registry.of(role)[name].summary, width, lead)
    others = [hook for hook in plugin.hooks if not hook.startswith(_REGISTERS)]
    if others:
        yield f"{_INDENT}{'hook':<7}  {', '.join(others)}", ""
    if not plugin.brings and not others:
        yield f"{_INDENT}brings nothing", "yellow"


def _disabled(disabled: Disabled, columns: _Columns, width: int) -> Iterator[Line]:
    head = columns.row(disabled.name, "-", "-", disabled.origin)
    if len(head) > width:
        yield columns.row(disabled.name, "-", "-", ""), "yellow"
        yield f"{_INDENT}{disabled.origin}", "yellow"
    else:
        yield head, "yellow"
    yield f"{_INDENT}disabled by {disabled.by}", "yellow"


def _troubles(registry: Registry, width: int) -> Iterator[Line]:
    if registry.failures:
        yield "", ""
        yield "NOT LOADED", "bold red"
        for failure in registry.failures:
            yield from failure_lines(failure, width)
    if registry.uncalled_hooks or registry.unmatched:
        yield "", ""
        yield "WARNINGS", "bold yellow"
    for uncalled in registry.uncalled_hooks:
        yield f"{_INDENT}{uncalled.origin}", "yellow"
        yield from _trouble(uncalled.message, uncalled.hint, width)
    for unmatched in registry.unmatched:
        yield f"{_INDENT}{unmatched.by}", "yellow"
        message = f'no plugin is called "{unmatched.name}"'
        yield from _trouble(message, unmatched.hint, width)


def _provided(width: int) -> Iterator[Line]:
    yield "Drop-ins may import", "bold"
    promised = ["the standard library", *OURS, *map(str, libraries())]
    yield from _wrapped(", ".join(promised), width, _INDENT)


def _from(origin: str) -> str:
    return "bundled with clusterf" if origin == BUNDLED_ORIGIN else f"from {origin}"


# --- text -----------------------------------------------------------------------------------------


def _option(option: Option, aside: int, width: int) -> Iterator[Line]:
    facts = [option.kind]
    if option.required:
        facts.append("mandatory")
    elif option.default:
        facts.append(f"default {option.default}")
    lead = f"{_INDENT}{option.name:<{aside}}"
    yield from _wrapped(", ".join(facts), width, lead)
    if option.description:
        yield from _wrapped(option.description, width, " " * (len(_INDENT) + aside), "dim")


def _trouble(message: str, hint: str, width: int) -> Iterator[Line]:
    yield from _wrapped(message, width, 2 * _INDENT)
    if hint:
        yield from _wrapped(hint, width, f"{2 * _INDENT}hint: ")


def _wrapped(text: str, width: int, lead: str, style: str = "") -> Iterator[Line]:
    """Lines of a text behind its lead; the later ones below it."""
    room = max(width - len(lead), 24)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        yield f"{' ' * len(lead) if number else lead}{line}".rstrip(), style
