"""``clusterf etcd import-v2``: copy the tree of the original clusterf, which etcd has in v2."""

from __future__ import annotations

import argparse
from pathlib import Path

from clusterf.plugin import Invocation
from clusterf_etcd.commands.connecting import add_options, connected, connection
from clusterf_etcd.commands.edits import carry_out
from clusterf_etcd.commands.ending import Refused
from clusterf_etcd.commands.importing import Fate, count, describe, plan
from clusterf_etcd.settings import ConnectionSettings

EX_TEMPFAIL = 75

_OPTIONS = {
    "endpoints": "--from",
    "prefix": "--from-prefix",
    "tls": "--from-ca, --from-cert, --from-key",
    "timeout": "--timeout",
}


def add_to(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it to the command line."""
    parser = steps.add_parser(
        "import-v2",
        help="copy the original's tree from etcd v2 to etcd v3",
        description="Copy frontends, backends and routes from the v2 API of etcd to the same keys "
        "of v3. What lives for a time only is left out, for its agent will publish it; what is "
        "there already and differs is kept. Once more changes nothing.",
    )
    parser.add_argument("--overwrite", action="store_true", help="exchange what differs")
    parser.add_argument(
        "--all", action="store_true", help="also what lives for a time; here it stays for good"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    group = parser.add_argument_group("from which etcd")
    group.add_argument(
        "--from", required=True, metavar="URL", dest="from_endpoint", help="of a member with v2"
    )
    group.add_argument(
        "--from-prefix", default="/clusterf", metavar="PATH", help="default: %(default)s"
    )
    group.add_argument("--from-ca", type=Path, metavar="FILE", help="authority of its certificate")
    group.add_argument("--from-cert", type=Path, metavar="FILE", help="certificate to show")
    group.add_argument("--from-key", type=Path, metavar="FILE", help="key of that certificate")
    add_options(parser)
    parser.set_defaults(step=run)


async def run(invocation: Invocation) -> int:
    """Copy, and tell of every key; 75 where something is not as it was in v2.

    Raises:
        ClusterfError: one of the two etcds is not to be used; as `connected`.
    """
    # It imports httpx2.
    from clusterf_etcd.commands.v2_client import NoTree, fetch  # noqa: PLC0415

    arguments = invocation.arguments
    origin = _origin(arguments)
    async with connected(invocation) as etcd:
        try:
            found = await fetch(origin, invocation.context("etcd v2"))
        except NoTree as error:
            raise Refused(str(error.args[0]), hint=error.hint) from error
        listing = await etcd.gateway.list(etcd.prefix)
        steps = plan(
            found,
            {entry.key: entry for entry in listing.entries},
            etcd.prefix,
            overwrite=arguments.overwrite,
            everything=arguments.all,
        )
        if not arguments.dry_run:
            edits = [step.edit for step in steps if step.fate in {Fate.COPIED, Fate.EXCHANGED}]
            left = await carry_out(etcd.gateway, edits)
            steps = [
                step._replace(fate=Fate.CHANGED) if step.edit in left else step for step in steps
            ]
    invocation.draw([(f"from {origin.endpoints[0]} {origin.prefix} (v2) to {etcd} (v3)", "bold")])
    invocation.draw(describe(steps))
    if arguments.dry_run:
        invocation.draw([(f"it would be: {count(steps)}; nothing is written: --dry-run", "yellow")])
    else:
        invocation.draw([(count(steps), "bold")])
    return 0 if all(step.fate.done for step in steps) else EX_TEMPFAIL


def _origin(arguments: argparse.Namespace) -> ConnectionSettings:
    """The etcd whose v2 keys are copied.

    Raises:
        Misused: the options say nonsense.
    """
    paths = {"ca": arguments.from_ca, "cert": arguments.from_cert, "key": arguments.from_key}
    tls = {name: path.absolute() for name, path in paths.items() if path is not None}
    given = {
        "endpoints": [arguments.from_endpoint],
        "prefix": arguments.from_prefix,
        "tls": tls or None,
        "timeout": arguments.timeout or "30s",
    }
    return connection({}, given, _OPTIONS)
