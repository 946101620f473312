"""The registry: all types and commands by their names, and how the plugins fared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

import pluggy

from clusterf.plugin import hookspecs
from clusterf.plugin.api import OutputType, PolicyType, SourceType
from clusterf.plugin.commands import Command
from clusterf.plugin.uncalled import UncalledHook

Role = Literal["source", "policy", "output", "command"]
"""What a plugin can bring."""

ROLES: Sequence[Role] = ("source", "policy", "output", "command")

BUNDLED_ORIGIN = "bundled"


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """A plugin that is not there, and why.

    ``line`` and ``column`` count from 1 in ``file``, which is the origin or a part of it; 0 is
    "not known". ``source`` is the text of the line.
    """

    origin: str
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    source: str = ""

    @property
    def place(self) -> str:
        """``file:line``, or the origin alone."""
        return f"{self.file}:{self.line}" if self.line else self.origin


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin that is there. ``origin`` is "bundled" or the path of the drop-in.

    ``version`` is empty where the plugin states none. ``brings`` has the names of its types and
    commands, ``hooks`` those of the hooks that it implements.
    """

    name: str
    origin: str
    api: str
    module: ModuleType
    version: str = ""
    hooks: Sequence[str] = ()
    brings: Mapping[Role, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Disabled:
    """A plugin that is left out. ``by``: what says so; ``said``: by which name."""

    name: str
    origin: str
    by: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A name that shall be left out, and that no plugin has. ``by``: what names it."""

    name: str
    by: str
    hint: str


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


@dataclass(slots=True)
class Registry:
    """All types and commands by their names, and how the plugins fared.

    ``provided_by`` maps role and name ("source static") to the origin of the plugin.
    """

    sources: dict[str, SourceType[Any]] = field(default_factory=dict)
    policies: dict[str, PolicyType[Any]] = field(default_factory=dict)
    outputs: dict[str, OutputType[Any]] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    plugins: list[Loaded] = field(default_factory=list)
    disabled: list[Disabled] = field(default_factory=list)
    unmatched: list[Unmatched] = field(default_factory=list)
    failures: list[LoadFailure] = field(default_factory=list)
    uncalled_hooks: list[UncalledHook] = field(default_factory=list)
    provided_by: dict[str, str] = field(default_factory=dict)
    manager: pluggy.PluginManager = field(default_factory=_manager)

    def of(self, role: Role) -> dict[str, Any]:
        """What there is of a role, by name."""
        found: dict[Role, dict[str, Any]] = {
            "source": self.sources,
            "policy": self.policies,
            "output": self.outputs,
            "command": self.commands,
        }
        return found[role]
