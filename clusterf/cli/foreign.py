"""Commands that plugins bring: found when they are asked for, and run like those of the core."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import trio

from clusterf.cli import drawing, logs
from clusterf.cli.loading import read_or_raise, registry_for
from clusterf.cli.main import CommandParser, usual
from clusterf.config.configuration import Configuration
from clusterf.config.rendering import as_text
from clusterf.engine.context import InstanceContext
from clusterf.model.errors import PluginLoadError
from clusterf.model.problem import Problem
from clusterf.plugin.commands import Command, Line
from clusterf.plugin.loader import Registry


def main(arguments: argparse.Namespace) -> int:
    """Run the command that was given."""
    logs.start("warning", "text")
    command: Command = arguments.command
    return trio.run(partial(_run, command, GivenCommand(arguments)))


async def _run(command: Command, invocation: GivenCommand) -> int:
    return await command.run(invocation)


class GivenCommand:
    """Implements `clusterf.plugin.Invocation`."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self._configuration: Configuration | None = None

    def configuration(self) -> Configuration:
        """Read it once, with the plugins that brought the command."""
        if self._configuration is None:
            self._configuration, _ = read_or_raise(self.arguments, self.arguments.registry)
        return self._configuration

    def context(self, name: str) -> InstanceContext:
        """Make one; what is managed is known if the configuration was read."""
        path: Path = self.arguments.config
        if self._configuration is None:
            return InstanceContext(name, folder=path.parent)
        core = self._configuration.core
        return InstanceContext(
            name,
            folder=path.parent,
            managed=core.managed,
            managed_fwmarks=core.managed_fwmarks,
        )

    def draw(self, lines: Iterable[Line]) -> None:
        """Print lines for people."""
        drawing.draw(lines)

    def write(self, text: str | bytes) -> None:
        """Print for programs."""
        drawing.write(text)

    def tell(self, problems: Sequence[Problem], lines: Iterable[str] = ()) -> None:
        """Print to standard error."""
        sys.stdout.flush()
        drawing.warn(as_text(problems) + "".join(f"{line}\n" for line in lines))


# --- finding them --------------------------------------------------------------------------------


def add(commands: argparse._SubParsersAction[CommandParser], words: Sequence[str]) -> None:
    """Add the commands of all plugins to the command line ``words``.

    Only the one that is given gets its arguments: the others need not be able to make theirs.

    Raises:
        PluginLoadError: the one that is given cannot.
    """
    registry = _registry(words)
    for command in registry.commands.values():
        parser = _add(commands, command, registry)
        if words[0] == command.name:
            _add_arguments(command, parser, registry.provided_by[f"command {command.name}"])
    if words[0] not in commands.choices and not words[0].startswith("-"):
        _tell_failures(registry)


def add_whole(
    commands: argparse._SubParsersAction[CommandParser], registry: Registry
) -> Iterator[PluginLoadError]:
    """Add the commands of all plugins with all their arguments; yields those that cannot."""
    for command in registry.commands.values():
        parser = _add(commands, command, registry)
        try:
            _add_arguments(command, parser, registry.provided_by[f"command {command.name}"])
        except PluginLoadError as error:
            yield error


def _add(
    commands: argparse._SubParsersAction[CommandParser], command: Command, registry: Registry
) -> argparse.ArgumentParser:
    summary = command.summary
    description = f"{summary[:1].upper()}{summary[1:]}."
    parser = commands.add_parser(command.name, help=summary, description=description)
    parser.set_defaults(module="foreign", command=command, registry=registry)
    return parser


def _registry(words: Sequence[str]) -> Registry:
    """All plugins that this command line can use, which is not taken apart yet."""
    finder = CommandParser(add_help=False, exit_on_error=False)
    finder.set_defaults(**usual())
    try:
        given, _ = finder.parse_known_args(words)
    except argparse.ArgumentError:
        # Half of an option: the whole command line tells of it.
        given = argparse.Namespace(**usual())
    return registry_for(given.config, bundled_only=given.bundled_only)


def _add_arguments(command: Command, parser: argparse.ArgumentParser, origin: str) -> None:
    try:
        command.add_arguments(parser)
    except Exception as error:
        raise PluginLoadError(
            f"command {command.name}: {type(error).__name__}: {error}",
            hint=f"a bug in the plugin that brings it ({origin})",
        ) from error


def _tell_failures(registry: Registry) -> None:
    """Perhaps what was asked for is a command of a plugin that is not there."""
    for failure in registry.failures:
        hint = f" (hint: {failure.hint})" if failure.hint else ""
        told = f"clusterf: {failure.place}: plugin not loaded: {failure.message}{hint}"
        print(told, file=sys.stderr)
