"""What the commands that tell the running daemon something have in common."""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from pathlib import Path

from clusterf.config.places import CONTROL
from clusterf.control.client import ask
from clusterf.control.protocol import JSON


def give(arguments: argparse.Namespace, request: JSON) -> int:
    """Send the request, print what was done."""
    reply = ask(socket_of(arguments), request)
    as_json = arguments.output_format == "json" or "done" not in reply  # of another version
    print(json.dumps(reply) if as_json else reply["done"])
    return 0


def socket_of(arguments: argparse.Namespace) -> Path:
    """The admin socket: from the command line, else from the configuration as far as it reads.

    Reads one key and checks nothing: these commands must start fast, and a file that cannot be
    read must not keep anybody from asking the daemon.
    """
    if arguments.socket is not None:
        return Path(arguments.socket)
    path: Path = arguments.config
    try:
        control = _control(path.read_text("utf-8", "replace"))
    except OSError:
        control = None
    if control is not None:
        return path.parent / control
    return CONTROL


def _control(text: str) -> str | None:
    """The key ``control`` of ``[clusterf]``; of a file that is no TOML the line that looks so."""
    try:
        return str(tomllib.loads(text)["clusterf"]["control"])
    except (KeyError, TypeError):
        return None
    except ValueError:
        found = re.search(r"""^\s*control\s*=\s*(["'])(.+?)\1""", text, re.MULTILINE)
        return None if found is None else found[2]
