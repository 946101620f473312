"""``clusterf undrain``: take back an operator's drain."""

from __future__ import annotations

import argparse

from clusterf.cli.order import give


def main(arguments: argparse.Namespace) -> int:
    """Tell the running daemon."""
    return give(
        arguments,
        {"command": "undrain", "service": arguments.service, "backend": arguments.backend},
    )
