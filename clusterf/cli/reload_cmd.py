"""``clusterf reload``: the daemon reads its configuration again, all or nothing."""

from __future__ import annotations

import argparse

from clusterf.cli.order import give


def main(arguments: argparse.Namespace) -> int:
    """Tell the running daemon; a configuration at fault changes nothing and is printed."""
    return give(arguments, {"command": "reload"})
