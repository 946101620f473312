"""``real_server``: what keepalived reads in its block. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from clusterf.model.address import Address
from clusterf.model.table import WEIGHT_MAX
from clusterf.plugin import did_you_mean
from clusterf_import.keepalived.blocks import Statement, flattened
from clusterf_import.keepalived.forwarding import Forwarding, forwarding
from clusterf_import.keepalived.keywords import CHECKERS, CHECKS_WHY, REAL_SERVER
from clusterf_import.numbers import address, number, port
from clusterf_import.places import Findings, Place

_THRESHOLD_MAX = 2**32 - 1
SINGLE = frozenset({"weight", "uthreshold", "lthreshold"})
"""Statements with one argument."""

_CARRIED = frozenset({"weight", "lvs_method", "lb_kind", "uthreshold", "lthreshold"})


@dataclass(slots=True)
class RealServer:
    """One, as it is written. ``weight`` None: that of the virtual server. ``port`` 0: none.

    ``remarks`` are checks and the like, which people have to set up anew.
    """

    place: Place
    address: Address
    port: int
    weight: int | None = None
    forwarding: Forwarding | None = None
    upper: int = 0
    lower: int = 0
    remarks: list[str] = field(default_factory=list)


def real_server(
    statement: Statement, inherited: Forwarding | None, findings: Findings, subject: str
) -> RealServer | None:
    """Read one; None, and a problem, where keepalived skips it.

    ``inherited``: what the virtual server has said so far of forwarding.
    """
    arguments = statement.arguments
    subject = f"{subject} real_server {' '.join(arguments)}".strip()
    where = address(arguments[0]) if arguments else None
    number_of_port = port(arguments[1] if len(arguments) > 1 else None)
    if where is None or not where.is_unicast:
        given = arguments[0] if arguments else ""
        message = f'"{given}" is no address of a server' if given else "has no address"
        findings.error(statement.argument(0), f"{message}; it is left out", subject=subject)
        return None
    if number_of_port is None:
        findings.error(
            statement.argument(1),
            f'"{arguments[1]}" is not a port; the real server is left out',
            "a number from 1 to 65535",
            subject=subject,
        )
        return None
    server = RealServer(statement.place, where, number_of_port, forwarding=inherited)
    for inner in statement.block or ():
        _read(server, inner, findings, subject)
    return server


def _read(server: RealServer, inner: Statement, findings: Findings, subject: str) -> None:
    keyword = inner.keyword
    surplus(inner, SINGLE, findings, subject)
    if keyword in {"lvs_method", "lb_kind"}:
        server.forwarding = forwarding(inner, findings, subject) or server.forwarding
    elif keyword in _CARRIED:
        most = WEIGHT_MAX if keyword == "weight" else _THRESHOLD_MAX
        value = number(inner.arguments[0], 0, most) if inner.arguments else None
        if value is None:
            findings.error(
                inner.argument(0),
                f"{keyword} is not a number from 0 to {most}; keepalived ignores it",
                subject=subject,
            )
        elif keyword == "weight":
            server.weight = value
        elif keyword == "uthreshold":
            server.upper = value
        else:
            server.lower = value
    elif keyword in CHECKERS:
        findings.warning(inner.place, f"{keyword} is not carried over", CHECKS_WHY, subject=subject)
        server.remarks.append(f"{inner.place}: {flattened(inner)}")
    elif keyword in REAL_SERVER:
        findings.warning(
            inner.all_words,
            f"{keyword} is not carried over",
            REAL_SERVER[keyword],
            subject=subject,
        )
        server.remarks.append(f"{inner.place}: {flattened(inner)}")
    else:
        unknown(inner, [*_CARRIED, *CHECKERS, *REAL_SERVER], findings, subject)


def surplus(statement: Statement, single: frozenset[str], findings: Findings, subject: str) -> None:
    """Tell of words behind the only one that counts: often another statement on the same line."""
    if statement.keyword in single and len(statement.arguments) > 1:
        findings.warning(
            statement.argument(1),
            f'"{" ".join(statement.arguments[1:])}" is ignored, as by keepalived',
            "a statement ends with its line",
            subject=subject,
        )


def unknown(statement: Statement, known: list[str], findings: Findings, subject: str = "") -> None:
    """Tell of a keyword that there is not: keepalived tells so too, and goes on."""
    findings.warning(
        statement.place,
        f'unknown keyword "{statement.keyword}", not carried over',
        did_you_mean(statement.keyword, known),
        subject=subject,
    )
