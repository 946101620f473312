"""The command ``clusterf import``: configurations of others as a clusterf.toml."""

from __future__ import annotations

import argparse
from importlib import import_module

from clusterf.plugin import Command, Invocation

_STEPS = ("keepalived", "ipvsadm")
"""Packages here whose file ``step`` is a command each: ``add_to`` and ``run``."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    steps = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in _STEPS:
        import_module(f"clusterf_import.{name}.step").add_to(steps)


async def _run(invocation: Invocation) -> int:
    code: int = await invocation.arguments.step(invocation)
    return code


COMMAND = Command(
    name="import",
    summary="write the configuration of keepalived or ipvsadm as one of clusterf",
    add_arguments=_add_arguments,
    run=_run,
)
