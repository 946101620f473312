"""``clusterf import keepalived``: virtual servers of a keepalived.conf as services."""

from __future__ import annotations

import argparse
import os

from clusterf.plugin import Invocation
from clusterf_import.delivering import add_options, deliver, refuse_to_overwrite
from clusterf_import.places import Findings


def add_to(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it to the command line."""
    parser = steps.add_parser(
        "keepalived",
        help="write the virtual servers of a keepalived.conf as services",
        description="Write a clusterf.toml with the virtual servers of a keepalived.conf and of "
        "the files that it includes. What could not be carried over is told on standard error, "
        "each with its place. Nothing is changed but the file that --output names.",
        epilog="Exit status: 0 done; 1 refused; 65 the file has errors, and what they are about is "
        "left out; 66 it cannot be read; 73 the result cannot be written.",
    )
    parser.add_argument("file", metavar="FILE", help="usually /etc/keepalived/keepalived.conf")
    parser.add_argument(
        "-i",
        "--config-id",
        default=os.uname().nodename.partition(".")[0],
        metavar="NAME",
        help="which lines that begin with @ count, as of keepalived; default: %(default)s",
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
    imported = read(source, arguments.config_id, find, findings)
    return deliver(invocation, imported, findings, "keepalived", source.name)
