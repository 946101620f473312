"""``clusterf import ipvsadm``: rules of ipvsadm as services."""

from __future__ import annotations

import argparse

from clusterf.plugin import Invocation
from clusterf_import.delivering import EXIT_STATUS, add_options, deliver, refuse_to_overwrite
from clusterf_import.files import read_text
from clusterf_import.places import Findings


def add_to(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it to the command line."""
    parser = steps.add_parser(
        "ipvsadm",
        help="write what ipvsadm -S -n prints as services",
        description="Write a clusterf.toml with the virtual services that ipvsadm -S -n prints, or "
        "that are in a file for ipvsadm -R. Nothing is changed but the file that --output names.",
        epilog=EXIT_STATUS,
    )
    parser.add_argument("file", metavar="FILE", help="or - for standard input")
    add_options(parser)
    parser.set_defaults(step=run)


async def run(invocation: Invocation) -> int:
    """Import, and tell.

    Raises:
        ClusterfError: nothing can be read or written.
    """
    # Imported here: the command line is made by everybody who asks for the help of a plugin.
    from clusterf_import.ipvsadm.rules import rules  # noqa: PLC0415
    from clusterf_import.ipvsadm.table import services  # noqa: PLC0415
    from clusterf_import.services import Imported  # noqa: PLC0415

    arguments = invocation.arguments
    refuse_to_overwrite(arguments)
    name, text = read_text(arguments.file)
    findings = Findings()
    imported = Imported(services(rules(name, text, findings), findings))
    return deliver(invocation, imported, findings, "ipvsadm", name)
