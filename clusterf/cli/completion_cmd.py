"""``clusterf completion``: the completion script of a shell, and the words that scripts ask for."""

from __future__ import annotations

import argparse
import sys

from clusterf.cli.drawing import write
from clusterf.cli.main import parsers
from clusterf.model.errors import ClusterfError


def main(arguments: argparse.Namespace) -> int:
    """Print it; it knows the commands of all plugins that there are now."""
    if arguments.shell == "words":
        return _words(arguments)
    # Imported here: words must come fast.
    from clusterf.cli.completing import script  # noqa: PLC0415
    from clusterf.cli.foreign import add_whole  # noqa: PLC0415
    from clusterf.cli.loading import registry_for  # noqa: PLC0415

    top, commands = parsers()
    registry = registry_for(arguments.config, bundled_only=arguments.bundled_only)
    for error in add_whole(commands, registry):
        print(f"clusterf: {error}", file=sys.stderr)
    write(script(arguments.shell, top))
    return 0


def _words(arguments: argparse.Namespace) -> int:
    """Print one a line. Who presses a key wants words, and no reasons why there are none."""
    from clusterf.cli.words import words  # noqa: PLC0415 - not needed for scripts

    try:
        found = words(arguments.kind, arguments.before)
    except ClusterfError:
        return 0
    write("".join(f"{word}\n" for word in found))
    return 0
