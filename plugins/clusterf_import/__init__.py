"""Command ``import``: configurations of other programs as a clusterf.toml."""

from __future__ import annotations

from collections.abc import Iterable

from clusterf.plugin import Command, hookimpl
from clusterf_import.command import COMMAND

CLUSTERF_API = "1.0"


@hookimpl
def clusterf_register_commands() -> Iterable[Command]:
    """Register the command ``clusterf import``."""
    return [COMMAND]
