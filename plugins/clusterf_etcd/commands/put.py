"""``clusterf etcd put``: write a frontend, a route, or any key of the format."""

from __future__ import annotations

import argparse
import sys

from clusterf.plugin import Invocation
from clusterf_etcd.commands import connecting, options
from clusterf_etcd.commands.edits import Edit, carry_out_all, describe
from clusterf_etcd.commands.ending import Misused, Refused
from clusterf_etcd.commands.judging import (
    check_names,
    check_value,
    compact,
    fields_in,
    merged,
    remark,
    shortened,
)
from clusterf_etcd.commands.naming import HELP, named, record_key, record_ref
from clusterf_etcd.decoding import SIZE_MAX
from clusterf_etcd.keys import shown_key


def add_to(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it to the command line."""
    parser = steps.add_parser(
        "put",
        help="write a frontend, a route, or any key from JSON",
        description="Write the frontend of a service, a route, or any key of the format. What "
        "was there is replaced; what no reader would take is not written.",
    )
    parser.add_argument(
        "what", nargs="+", metavar="WHAT", help=f"{HELP}; and - to read JSON from standard input"
    )
    parser.add_argument("--json", metavar="VALUE", help="the whole value")
    parser.add_argument(
        "--merge", action="store_true", help="keep the fields that are not given; null takes one"
    )
    parser.add_argument(
        "--force", action="store_true", help="also where the key goes with an agent's lease"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    options.add_options(parser)
    connecting.add_options(parser, "; without a slash at its start: that of a route")
    parser.set_defaults(step=run)


async def run(invocation: Invocation) -> int:
    """Write, and say what was there and what is.

    Raises:
        ClusterfError: it is not to be written, or somebody else was faster; as `connected`.
    """
    arguments = invocation.arguments
    network = _route_prefix(arguments)
    words, text = _text(arguments)
    async with connecting.connected(invocation) as etcd:
        target = named(words, etcd.prefix)
        key, ref = record_key(target), record_ref(target, etcd.prefix)
        fields = options.given_fields(arguments, ref, network)
        if fields and text is not None:
            raise Misused("JSON and options exclude one another")
        if not fields and text is None:
            raise Misused(f"{target}: nothing is given to write", hint="options, --json or -")
        given = compact(fields) if text is None else text
        check_names(ref, given)
        seen = await etcd.gateway.get(key)
        before = b"" if seen is None else seen.value
        # Whoever published it before, from now on it is a person's: no agent shall take it over.
        changes = {"agent": None, **fields_in(given)}
        value = merged(before, changes) if arguments.merge else shortened(given)
        record = check_value(key, value, etcd.prefix)
        edit = Edit(key, seen, value)
        if edit.changes and edit.leased and not arguments.force:
            raise Refused(
                f"{shown_key(key)} goes with the lease of {edit.owner}",
                hint="with --force it stays for good, and the agent leaves it alone",
            )
        if edit.changes and not arguments.dry_run:
            await carry_out_all(etcd.gateway, [edit])
    invocation.draw(describe(edit))
    if said := remark(record):
        invocation.draw([(said, "yellow")])
    if edit.changes and arguments.dry_run:
        invocation.draw([("nothing is written: --dry-run", "yellow")])
    return 0


def _text(arguments: argparse.Namespace) -> tuple[list[str], bytes | None]:
    """What is named, and the JSON that was given."""
    words: list[str] = arguments.what
    if words[-1] != "-":
        return words, None if arguments.json is None else arguments.json.encode(
            "utf-8", "surrogateescape"
        )
    if arguments.json is not None:
        raise Misused("--json and - exclude one another")
    # Nothing else is done meanwhile, and a signal must end it. More than this is refused anyway.
    return words[:-1], sys.stdin.buffer.read(SIZE_MAX + 1)


def _route_prefix(arguments: argparse.Namespace) -> str | None:
    """Take the prefix of a route from those that are given; the one of the keys has a slash."""
    given = arguments.prefix or []
    networks = [prefix for prefix in given if not prefix.startswith("/")]
    arguments.prefix = [prefix for prefix in given if prefix.startswith("/")]
    if len(networks) > 1:
        raise Misused(f"--prefix is given twice: {networks[0]} and {networks[1]}")
    return networks[0] if networks else None
