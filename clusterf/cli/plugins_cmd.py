"""``clusterf plugins``: what there is, where it is from, its options, what failed and why."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clusterf import __version__
from clusterf.cli.drawing import Line, draw
from clusterf.cli.loading import registry_for
from clusterf.cli.plugins_page import (
    Brought,
    disabled_lines,
    failure_lines,
    list_lines,
    plugin_lines,
    type_lines,
)
from clusterf.model.errors import ClusterfError
from clusterf.plugin.api import API_VERSION
from clusterf.plugin.dropins.provided import OURS, libraries, python
from clusterf.plugin.faults import did_you_mean, shown
from clusterf.plugin.options import options_of
from clusterf.plugin.registry import Loaded, LoadFailure, Registry

EX_CONFIG = 78

_WIDEST = 120
"""Columns. Longer lines are hard to read, however wide the terminal is."""


class NoSuchPlugin(ClusterfError):
    """What was asked for is not there."""

    exit_code = 1


def main(arguments: argparse.Namespace) -> int:
    """List plugins, or show one; 78 when one (or the one) failed to load."""
    registry = registry_for(arguments.config, bundled_only=arguments.bundled_only)
    name = arguments.plugin
    if name is not None:
        registry = _only(name, registry)
    if arguments.output_format == "json":
        print(json.dumps(_as_json(registry), indent=1))
    else:
        width = min(shutil.get_terminal_size((80, 24)).columns, _WIDEST)
        draw(list_lines(registry, width) if name is None else _page(name, registry, width))
    return EX_CONFIG if registry.failures else 0


# --- one of them ----------------------------------------------------------------------------------


def _only(name: str, registry: Registry) -> Registry:
    """The same, but only what has this name: plugins, and those with a type or command of it.

    Raises:
        NoSuchPlugin: nothing has.
    """
    found = Registry(
        sources=registry.sources,
        policies=registry.policies,
        outputs=registry.outputs,
        commands=registry.commands,
        provided_by=registry.provided_by,
        manager=registry.manager,
        plugins=[one for one in registry.plugins if name in {one.name, *_types_of(one)}],
        disabled=[one for one in registry.disabled if one.name == name],
        failures=[one for one in registry.failures if _name_of(one) == name],
    )
    origins = {one.origin for one in found.plugins if one.name == name}
    found.uncalled_hooks = [one for one in registry.uncalled_hooks if one.origin in origins]
    if not (found.plugins or found.disabled or found.failures):
        hint = did_you_mean(name, names(registry)) or "clusterf plugins lists them"
        raise NoSuchPlugin(f"no plugin or type {shown(name)}", hint=hint)
    return found


def names(registry: Registry) -> set[str]:
    """Whatever can be shown alone: plugins, and what they bring."""
    return {
        *(one.name for one in registry.plugins),
        *(one.name for one in registry.disabled),
        *(kind for one in registry.plugins for kind in _types_of(one)),
        *map(_name_of, registry.failures),
    }


def _types_of(plugin: Loaded) -> list[str]:
    return [name for names in plugin.brings.values() for name in names]


def _name_of(failure: LoadFailure) -> str:
    return Path(failure.origin.removeprefix("bundled ")).stem


def _page(name: str, registry: Registry, width: int) -> Iterator[Line]:
    pages: list[Iterator[Line]] = []
    for plugin in registry.plugins:
        if plugin.name == name:
            pages.append(plugin_lines(plugin, registry, width))
        else:
            pages += [type_lines(one, registry, width) for one in _brought(plugin, name)]
    pages += [disabled_lines(one) for one in registry.disabled]
    for number, page in enumerate(pages):
        if number:
            yield "", ""
        yield from page
    if registry.failures:
        yield "NOT LOADED", "bold red"
        for failure in registry.failures:
            yield from failure_lines(failure, width)


def _brought(plugin: Loaded, name: str | None = None) -> Sequence[Brought]:
    return [
        (plugin, role, one)
        for role, names in plugin.brings.items()
        for one in names
        if name in {None, one}
    ]


# --- for programs ---------------------------------------------------------------------------------


def _as_json(registry: Registry) -> dict[str, Any]:
    brought = [one for plugin in registry.plugins for one in _brought(plugin)]
    return {
        "clusterf": __version__,
        "api": API_VERSION,
        "python": python(),
        "provides": [
            *({"name": name, "version": __version__} for name in OURS),
            *({"name": name, "version": version} for name, version in libraries()),
        ],
        "plugins": [
            {
                "name": one.name,
                "version": one.version,
                "api": one.api,
                "origin": one.origin,
                "hooks": list(one.hooks),
            }
            for one in registry.plugins
        ],
        "types": [_type_as_json(one, registry) for one in brought if one[1] != "command"],
        "commands": [
            {
                "command": name,
                "plugin": plugin.name,
                "origin": plugin.origin,
                "summary": registry.commands[name].summary,
            }
            for plugin, role, name in brought
            if role == "command"
        ],
        "disabled": [asdict(one) for one in registry.disabled],
        "failures": [
            {
                "origin": one.origin,
                "file": one.file,
                "line": one.line,
                "column": one.column,
                "message": one.message,
                "hint": one.hint,
            }
            for one in registry.failures
        ],
        "warnings": [
            *(asdict(one) for one in registry.uncalled_hooks),
            *(
                {
                    "origin": one.by,
                    "hook": "",
                    "message": f'no plugin is called "{one.name}"',
                    "hint": one.hint,
                }
                for one in registry.unmatched
            ),
        ],
    }


def _type_as_json(brought: Brought, registry: Registry) -> dict[str, Any]:
    plugin, role, name = brought
    kind = registry.of(role)[name]
    return {
        "role": role,
        "type": name,
        "plugin": plugin.name,
        "origin": plugin.origin,
        "summary": kind.summary,
        "options": [
            {
                "name": option.name,
                "type": option.kind,
                "required": option.required,
                "default": option.value,
                "description": option.description,
            }
            for option in options_of(kind.settings)
        ],
    }
