"""What the commands that tell the running daemon something have in common."""

from __future__ import annotations

import argparse
import json

from clusterf.cli.loading import socket_of
from clusterf.control.client import ask
from clusterf.control.protocol import JSON


def give(arguments: argparse.Namespace, request: JSON) -> int:
    """Send the request, print what was done."""
    reply = ask(socket_of(arguments), request)
    print(json.dumps(reply) if arguments.output_format == "json" else reply["done"])
    return 0
