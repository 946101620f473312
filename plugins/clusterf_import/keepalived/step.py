"""``clusterf import keepalived``: virtual servers of a keepalived.conf as services."""

from __future__ import annotations

import argparse
import os

from clusterf.plugin import Invocation
from clusterf_import.delivering import EXIT_STATUS, add_options, deliver, refuse_to_overwrite
from clusterf_import.places import Findings


def add_to(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it to the command line."""
    parser = steps.add_parser(
        "keepalived",
        help="write the virtual servers of a keepalived.conf as services",
        description="Write a clusterf.toml with the virtual servers of a keepalived.conf and of "
        "the files that it includes. What could not be carried over is told on standard error, "
        "each with its place. Nothing is changed but the file that --output names.",
        epilog=EXIT_STATUS,
    )
    parser.add_argument("file", metavar="FILE", help="usually /etc/keepalived/keepalived.conf")
    parser.add_argument(
        "-i",
        "--config-id",
        metavar="NAME",
        help="which lines that begin with @ count, as of keepalived; default: this host's name",
    )
    add_options(parser)
    parser.set_defaults(step=run)


async def run(invocation: Invocation) -> int:
    """Import, and tell.

    Raises:
        ClusterfError: nothing can be read or written.
    """
    # Imported here: the command line is made by everybody who asks for the help of a plugin.
    from clusterf_import.keepalived.configuration import read  # noqa: PLC0415
    from clusterf_import.keepalived.files import find, read_source  # noqa: PLC0415

    arguments = invocation.arguments
    refuse_to_overwrite(arguments)
    source = read_source(arguments.file)
    findings = Findings()
    config_id = arguments.config_id or os.uname().nodename.partition(".")[0]
    imported = read(source, config_id, find, findings)
    return deliver(invocation, imported, findings, "keepalived", source.name)
