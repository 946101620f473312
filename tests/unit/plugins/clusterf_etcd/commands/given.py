"""Commands as they were given: read by the real parsers, and run without a command line."""

from __future__ import annotations

import trio

from clusterf.cli.foreign import GivenCommand
from clusterf.cli.main import CommandParser, usual
from clusterf.plugin.loader import load_plugins
from clusterf_etcd.commands import COMMAND
from clusterf_etcd.wire import KeyValue

NOWHERE = ("--endpoint", "http://127.0.0.1:1")
"""Where no etcd is."""


def given(*words: str) -> GivenCommand:
    """``clusterf etcd WORDS``."""
    parser = CommandParser(prog="clusterf etcd")
    parser.set_defaults(**usual())
    COMMAND.add_arguments(parser)
    arguments = parser.parse_args(words)
    arguments.registry = load_plugins()
    return GivenCommand(arguments)


def run(*words: str) -> int:
    """Run it; its exit code."""

    async def main() -> int:
        return await COMMAND.run(given(*words))

    return trio.run(main)


def entry(path: str, value: str | bytes = "{}", *, lease: int = 0, revision: int = 7) -> KeyValue:
    """A key below ``/clusterf`` and its value."""
    data = value.encode() if isinstance(value, str) else value
    return KeyValue(f"/clusterf/{path}", data, revision, lease)
