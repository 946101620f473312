"""The fields of a value as options of the command line. Pure but for adding them to a parser."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

from clusterf.model.service import BackendRef, Ref, RouteRef
from clusterf.model.table import SCHEDULERS, Method, TunnelType
from clusterf_etcd.commands.ending import Misused
from clusterf_etcd.commands.judging import field_names, model_of


class _Option(NamedTuple):
    """``field``: what it is in a value; ``in_route``: what it is in that of a route."""

    name: str
    metavar: str
    help: str
    kind: type = str
    field: str = ""
    in_route: str = ""

    @property
    def dest(self) -> str:
        return f"value_{self.name.replace('-', '_')}"


_OPTIONS = (
    _Option("ipv4", "ADDRESS", "VIP of a frontend, or address of a backend"),
    _Option("ipv6", "ADDRESS", "the same of IPv6"),
    _Option("tcp", "PORT", "port of it", int),
    _Option("udp", "PORT", "port of it", int),
    _Option("sctp", "PORT", "port of it", int),
    _Option("fwmark", "MARK", "firewall mark instead of a VIP", int),
    _Option("family", "FAMILY", "inet or inet6; of the firewall mark"),
    _Option("gateway", "ADDRESS", "of a route", in_route="Gateway"),
    _Option("scheduler", "SCHEDULER", f"one of {', '.join(SCHEDULERS)}"),
    _Option("persistence", "TIME", 'how long a client keeps its destination: 300 or "5m"'),
    _Option("weight", "NUMBER", "of a backend; of a frontend: that of backends without one", int),
    _Option("method", "METHOD", f"one of {', '.join(Method)}", in_route="IPVSMethod"),
    _Option("tunnel", "TUNNEL", f"one of {', '.join(TunnelType)}; of the method tunnel"),
    _Option("upper-threshold", "NUMBER", "of connections", int, "upper_threshold"),
    _Option("lower-threshold", "NUMBER", "of connections", int, "lower_threshold"),
)
_FLAGS = "value_flag"
_ELIDE = "value_elide"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them, all that there are: which fit is seen when it is known what is written."""
    group = parser.add_argument_group("the value")
    for option in _OPTIONS:
        group.add_argument(
            f"--{option.name}",
            type=option.kind,
            metavar=option.metavar,
            dest=option.dest,
            help=option.help,
        )
    group.add_argument(
        "--flag",
        action="append",
        metavar="FLAG",
        dest=_FLAGS,
        help="of the scheduler, or ops; again for each further",
    )
    group.add_argument(
        "--elide",
        action=argparse.BooleanOptionalAction,
        dest=_ELIDE,
        help="no virtual service while there is no destination",
    )


def given_fields(arguments: argparse.Namespace, ref: Ref, prefix: str | None) -> dict[str, Any]:
    """What the options say, as fields of the value of a record.

    ``prefix`` is a route's.

    Raises:
        Misused: one of them is not of such a record.
    """
    route = isinstance(ref, RouteRef)
    given: dict[str, Any] = {}
    if prefix is not None:
        given["--prefix"] = ("Prefix", prefix)
    for option in _OPTIONS:
        value = getattr(arguments, option.dest)
        if value is not None:
            name = (option.in_route if route else "") or option.field or option.name
            given[f"--{option.name}"] = (name, _whole(value) if name == "persistence" else value)
    if getattr(arguments, _FLAGS) is not None:
        given["--flag"] = ("flags", getattr(arguments, _FLAGS))
    if getattr(arguments, _ELIDE) is not None:
        given["--elide"] = ("elide", getattr(arguments, _ELIDE))
    known = set(field_names(model_of(ref)).values())
    for option_name, (name, _) in given.items():
        if name not in known:
            kind = "route" if route else "backend" if isinstance(ref, BackendRef) else "frontend"
            raise Misused(f"{option_name} is not for a {kind}")
    return dict(given.values())


def _whole(text: str) -> int | str:
    """Seconds, or a duration with its unit."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
