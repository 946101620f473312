"""``clusterf etcd get``: the tree, or a part of it."""

from __future__ import annotations

import argparse
import json
import sys

from clusterf.plugin import Invocation
from clusterf_etcd.commands.as_json import as_json
from clusterf_etcd.commands.connecting import add_options, connected
from clusterf_etcd.commands.naming import HELP, Named, named, not_there
from clusterf_etcd.commands.picture import picture
from clusterf_etcd.commands.showing import lines, summary
from clusterf_etcd.commands.wording import raw


def add_to(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it to the command line."""
    parser = steps.add_parser(
        "get",
        help="list services, backends and routes, and what cannot be read",
        description="List services with their frontends and backends, routes, and who published "
        "what; and what a reader refuses, with the reason.",
    )
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"{HELP}; default: everything")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        dest="output_format",
        help="default: %(default)s",
    )
    form.add_argument("--raw", action="store_true", help="keys and values as they are")
    add_options(parser)
    parser.set_defaults(step=run)


async def run(invocation: Invocation) -> int:
    """Print what there is.

    Raises:
        ClusterfError: what was named is not there; as `connected`.
    """
    arguments = invocation.arguments
    async with connected(invocation) as etcd:
        target = named(arguments.what, etcd.prefix) if arguments.what else Named(etcd.prefix)
        listing = await etcd.look(target.key)
        if arguments.what and not listing.entries:
            raise not_there(target, await etcd.beside(target.key))
        lives = {} if arguments.raw else await etcd.lives(listing.entries)
    if arguments.raw:
        escaped = sys.stdout.isatty()
        invocation.write(b"".join(raw(entry, escaped=escaped) for entry in listing.entries))
        return 0
    shown = picture(listing.entries, etcd.prefix, etcd.name)
    if arguments.output_format == "json":
        about = {
            "endpoints": etcd.settings.endpoints,
            "prefix": etcd.prefix,
            "revision": listing.revision,
        }
        invocation.write(json.dumps(about | as_json(shown, lives), indent=1) + "\n")
        return 0
    if not arguments.what:
        head = f"etcd {etcd}, revision {listing.revision}: {summary(shown)}"
        invocation.draw([(head, "bold"), *([("", "")] if listing.entries else ())])
    invocation.draw(lines(shown, lives))
    return 0
