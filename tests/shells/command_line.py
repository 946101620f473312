"""All that can be given on the command line, told by the parser itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

from clusterf.cli.foreign import add_whole
from clusterf.cli.main import parsers
from clusterf.plugin.loader import load_plugins


class Command(NamedTuple):
    """``words`` as they are given, of a subcommand two; none of clusterf itself."""

    words: tuple[str, ...]
    parser: argparse.ArgumentParser

    def __str__(self) -> str:
        return " ".join(("clusterf", *self.words))

    @property
    def options(self) -> list[argparse.Action]:
        return list(self.parser._get_optional_actions())

    @property
    def subcommands(self) -> list[str]:
        """Those that are no secret."""
        return [
            told.dest
            for action in self.parser._get_positional_actions()
            if isinstance(action, argparse._SubParsersAction)
            for told in action._get_subactions()
        ]


def commands() -> list[Command]:
    """Clusterf itself, and all commands of it and of its bundled plugins."""
    top, core = parsers()
    assert list(add_whole(core, load_plugins())) == []
    return list(_below(Command((), top)))


def _below(command: Command) -> Iterator[Command]:
    yield command
    [choices] = [
        action.choices or {}
        for action in command.parser._get_positional_actions()
        if isinstance(action, argparse._SubParsersAction)
    ] or [{}]
    for name in command.subcommands:
        yield from _below(Command((*command.words, name), choices[name]))
