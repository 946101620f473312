"""The command ``clusterf etcd``: list the tree, write it by hand, bring it over from etcd v2."""

from __future__ import annotations

import argparse
from importlib import import_module

from clusterf.plugin import Command, Invocation

_STEPS = ("get", "put", "rm", "import_v2")
"""Files of this package that are a command each: ``add_to`` and ``run``."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    steps = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in _STEPS:
        import_module(f"{__name__}.{name}").add_to(steps)


async def _run(invocation: Invocation) -> int:
    code: int = await invocation.arguments.step(invocation)
    return code


COMMAND = Command(
    name="etcd",
    summary="list and edit what etcd has of the cluster, or import it from etcd v2",
    add_arguments=_add_arguments,
    run=_run,
)
