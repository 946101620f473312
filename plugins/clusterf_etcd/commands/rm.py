"""``clusterf etcd rm``: remove a frontend, a backend, a route, or a whole service."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from clusterf.model.counting import counted
from clusterf.plugin import Invocation
from clusterf_etcd.commands.connecting import add_options, connected
from clusterf_etcd.commands.edits import Edit, carry_out_all, describe
from clusterf_etcd.commands.ending import Misused, Refused
from clusterf_etcd.commands.naming import HELP, Named, named, not_there, record_key
from clusterf_etcd.keys import shown_key
from clusterf_etcd.wire import KeyValue

_NAMED = 3
"""Keys that are named in a message; more are told as a number."""


def add_to(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it to the command line."""
    parser = steps.add_parser(
        "rm",
        help="remove a frontend, a backend or a route, or a whole service",
        description="Remove one key; of a service its frontend. With --all the whole service.",
    )
    parser.add_argument("what", nargs="+", metavar="WHAT", help=HELP)
    parser.add_argument("--all", action="store_true", help="the service with its backends")
    parser.add_argument(
        "--force", action="store_true", help="also keys that go with an agent's lease"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    add_options(parser)
    parser.set_defaults(step=run)


async def run(invocation: Invocation) -> int:
    """Remove, and say what was there.

    Raises:
        ClusterfError: it is not to be removed, or somebody else was faster; as `connected`.
    """
    arguments = invocation.arguments
    async with connected(invocation) as etcd:
        target = named(arguments.what, etcd.prefix)
        if arguments.all and target.service is None:
            raise Misused(f"--all is for a service, and {target} is none")
        listing = await etcd.look(target.key)
        if not listing.entries:
            raise not_there(target, await etcd.beside(target.key))
        edits = removals(target, listing.entries, whole=arguments.all)
        if not arguments.force:
            refuse_leased(edits)
        if not arguments.dry_run:
            await carry_out_all(etcd.gateway, edits)
    for edit in edits:
        invocation.draw(describe(edit))
    left = len(listing.entries) - len(edits)
    if left and target.service is not None:
        backends = counted(left, "backend stays", "backends stay")
        invocation.draw([(f"{backends}; --all removes the whole service", "")])
    if arguments.dry_run:
        invocation.draw([("nothing is removed: --dry-run", "yellow")])
    return 0


def removals(target: Named, entries: Sequence[KeyValue], *, whole: bool) -> list[Edit]:
    """What to remove of the key that was named and of those below it, of which there are some.

    Raises:
        Refused: it is none of them.
    """
    key = record_key(target)
    found = [Edit(one.key, one, None) for one in sorted(entries) if whole or one.key == key]
    if found:
        return found
    if target.service is not None:
        raise Refused(f"{target} has no frontend", hint="--all removes its backends")
    first = shown_key(entries[0].key)
    raise Refused(f"{target} is no key, there are keys below it", hint=f"such as {first}")


def refuse_leased(edits: Sequence[Edit]) -> None:
    """Refuse what an agent would write again at once.

    Raises:
        Refused: one of the keys goes with a lease; nothing is removed.
    """
    leased = [edit for edit in edits if edit.leased]
    if not leased:
        return
    keys = ", ".join(shown_key(edit.key) for edit in leased[:_NAMED])
    if len(leased) > _NAMED:
        keys += f" and {len(leased) - _NAMED} more"
    owners = ", ".join(sorted({edit.owner for edit in leased}))
    raise Refused(
        f"{keys}: {owners} would write {'it' if len(leased) == 1 else 'them'} again",
        hint="end the agent, or what it publishes; or --force",
    )
