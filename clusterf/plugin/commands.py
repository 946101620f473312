"""Commands that plugins bring to the command line, and what one is given when it runs."""

from __future__ import annotations

import argparse
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from clusterf.model.problem import Problem
from clusterf.plugin.api import Context
from clusterf.plugin.checking import Configured

CORE_COMMANDS = (
    "run",
    "check",
    "config",
    "schema",
    "doctor",
    "plan",
    "status",
    "drain",
    "undrain",
    "reload",
    "plugins",
    "completion",
)
"""Names that no plugin can take. The commands themselves are in ``clusterf/cli/main.py``."""

_NAME = re.compile(r"[a-z][a-z0-9-]*")

Line: TypeAlias = tuple[str, str]
"""A line of text without its end, and a style of rich's (``bold cyan``) or nothing."""


class Invocation(Protocol):
    """One command that was given, and its way to the configuration and to the terminal."""

    arguments: argparse.Namespace
    """What was given, read by the command's own parser."""

    def configuration(self) -> Configured:
        """Read and check the configuration that the command line names, or the usual one.

        Raises:
            ClusterfError: it is at fault; the message has all its problems. Ends with 78.
        """
        ...

    def context(self, name: str) -> Context:
        """What an object that acts for the instance ``name`` is given.

        Relative paths are relative to the folder of the configuration, whether it was read or not.
        """
        ...

    def draw(self, lines: Iterable[Line]) -> None:
        """Print lines for people: in their styles on a terminal, else as they are."""
        ...

    def write(self, text: str | bytes) -> None:
        """Print for programs; bytes go out as they are."""
        ...

    def tell(self, problems: Sequence[Problem], lines: Iterable[str] = ()) -> None:
        """Print to standard error: problems as ``clusterf check`` does, then further lines."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """``clusterf NAME ...``.

    ``add_arguments`` is called only when the command is given or its help is asked for. Its
    parser, and those of its own ``add_subparsers``, know ``--config`` and ``--bundled-only``
    already. ``run`` returns the exit code; what it raises ends it like a command of the core: a
    `ClusterfError` with one line and its ``exit_code``. What only ``run`` needs is best imported
    there: all plugins are loaded by all commands that need a configuration.

    Raises:
        ValueError: the name is not of small letters, digits and dashes.
    """

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Invocation], Awaitable[int]]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not the name of a command")
