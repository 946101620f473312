"""``clusterf drain``: no new connections for a service or one backend. Survives a restart."""

from __future__ import annotations

import argparse

from clusterf.cli.order import give


def main(arguments: argparse.Namespace) -> int:
    """Tell the running daemon."""
    return give(
        arguments,
        {"command": "drain", "service": arguments.service, "backend": arguments.backend},
    )
