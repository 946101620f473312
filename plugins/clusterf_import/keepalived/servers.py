"""``virtual_server``: what keepalived makes of its block, in keepalived's own order. Pure.

Statements count from where they stand: a flag before its scheduler says nothing, and a real server
has the forwarding method that was known when it began (check_parser.c, check_data.c).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from clusterf.model.address import Address, Family
from clusterf.model.table import SCHEDULERS, WEIGHT_MAX, Method, Protocol
from clusterf.plugin import did_you_mean
from clusterf_import.keepalived.blocks import Statement, flattened
from clusterf_import.keepalived.forwarding import Forwarding, forwarding
from clusterf_import.keepalived.keywords import VIRTUAL_SERVER
from clusterf_import.keepalived.real_servers import RealServer, real_server, surplus, unknown
from clusterf_import.numbers import address, number, port, prefix
from clusterf_import.places import Findings, Place

PERSISTENCE = 360
"""Seconds, where only persistence is asked for: IPVS_SVC_PERSISTENT_TIMEOUT."""

PERSISTENCE_MAX = 31 * 86400
FWMARK_MAX = 2**32 - 1

_NUMBERED = {"sh": ("sh-fallback", "sh-port"), "mh": ("mh-fallback", "mh-port")}
"""What flag-1 and flag-2 are of these schedulers (include/uapi/linux/ip_vs.h)."""

_SINGLE = frozenset(
    {"ip_family", "lb_algo", "lvs_sched", "persistence_granularity", "persistence_timeout"}
    | {"protocol", "weight"}
)
"""Statements with one argument."""

_FLAGS = ("flag-1", "flag-2", "flag-3", "sh-port", "sh-fallback", "mh-port", "mh-fallback")


@dataclass(slots=True)
class VirtualServer:
    """One, as it is written; it has an ``address`` with a port, a ``mark`` or a ``group``."""

    place: Place
    label: str
    address: Address | None = None
    port: int = 0
    mark: int | None = None
    group: str | None = None
    protocol: Protocol | None = None
    scheduler: str | None = None
    flags: set[str] = field(default_factory=set)
    one_packet: Place | None = None
    forwarding: Forwarding | None = None
    persistence: int | None = None
    prefix: int | None = None
    family: Family | None = None
    weight: int = 1
    name: str = ""
    servers: list[RealServer] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """What problems call it."""
        return f"virtual_server {self.label}".strip()


def virtual_server(statement: Statement, findings: Findings) -> VirtualServer | None:
    """Read one; None, and a problem, where keepalived skips it."""
    server = _named(statement, findings)
    if server is not None:
        reader = _Reader(server, findings)
        for inner in statement.block or ():
            reader.read(inner)
        _settle_family(server)
    return server


def _named(statement: Statement, findings: Findings) -> VirtualServer | None:
    arguments = statement.arguments
    server = VirtualServer(statement.all_words, " ".join(arguments))
    message, index = "", 0
    match arguments:
        case ["group", name, *_]:
            server.group = name
        case ["fwmark", mark, *_]:
            server.mark = number(mark, 1, FWMARK_MAX)
            if server.mark is None:
                message, index = f'"{mark}" is not a firewall mark', 1
        case [first, *rest]:
            where, number_of_port = address(first), port(rest[0] if rest else None)
            if where is None:
                message = f'"{first}" is not an IP address'
            elif not where.is_unicast:
                message = f"{where} is no address of a virtual server"
            elif number_of_port is None:
                message, index = f'"{rest[0]}" is not a port', 1
            else:
                server.address, server.port, server.family = where, number_of_port, where.family
        case _:
            message = "has no address"
    if message:
        place = statement.argument(index)
        findings.error(place, f"{message}; the virtual server is left out", subject=server.subject)
        return None
    return server


def _settle_family(server: VirtualServer) -> None:
    """Without a hint, a mark whose servers are all tunnelled is of their family, else IPv4."""
    if server.family is None and server.group is None:
        families = {one.address.family for one in server.servers}
        server.family = families.pop() if len(families) == 1 else Family.INET


class _Reader:
    """Reads the statements of one block, one after the other."""

    def __init__(self, server: VirtualServer, findings: Findings) -> None:
        self._server = server
        self._findings = findings
        self._readers: dict[str, Callable[[Statement], None]] = {
            "ip_family": self._family,
            "lb_algo": self._scheduler,
            "lvs_sched": self._scheduler,
            "lb_kind": self._forwarding,
            "lvs_method": self._forwarding,
            "persistence_timeout": self._persistence,
            "persistence_granularity": self._granularity,
            "protocol": self._protocol,
            "ops": self._one_packet,
            "hashed": lambda _: None,
            "weight": self._weight,
            "snmp_name": self._name,
            "real_server": self._real_server,
            **dict.fromkeys(_FLAGS, self._flag),
        }

    def read(self, statement: Statement) -> None:
        """Read one statement."""
        keyword = statement.keyword
        surplus(statement, _SINGLE, self._findings, self._server.subject)
        if keyword in self._readers:
            self._readers[keyword](statement)
        elif keyword in VIRTUAL_SERVER:
            self._findings.warning(
                statement.all_words,
                f"{keyword} is not carried over",
                VIRTUAL_SERVER[keyword],
                subject=self._server.subject,
            )
            self._server.remarks.append(f"{statement.place}: {flattened(statement)}")
        else:
            known = [*self._readers, *VIRTUAL_SERVER]
            unknown(statement, known, self._findings, self._server.subject)

    def _error(self, statement: Statement, message: str, hint: str = "") -> None:
        place = statement.argument(0)
        self._findings.error(place, message, hint, subject=self._server.subject)

    @staticmethod
    def _first(statement: Statement) -> str:
        return statement.arguments[0] if statement.arguments else ""

    def _family(self, statement: Statement) -> None:
        given = self._first(statement)
        server = self._server
        if given not in set(Family):
            self._error(statement, f'"{given}" is not an address family', "inet or inet6")
        elif server.family not in {None, Family(given)}:
            self._error(statement, f"{given} is not the family of the virtual server")
        else:
            server.family = Family(given)

    def _scheduler(self, statement: Statement) -> None:
        given = self._first(statement)
        if given in SCHEDULERS:
            self._server.scheduler = given
        else:
            message = f'unknown scheduler "{given}"; keepalived ignores it'
            self._error(statement, message, did_you_mean(given, SCHEDULERS))

    def _forwarding(self, statement: Statement) -> None:
        found = forwarding(statement, self._findings, self._server.subject)
        self._server.forwarding = found or self._server.forwarding

    def _persistence(self, statement: Statement) -> None:
        given = self._first(statement)
        timeout = number(given, 1, PERSISTENCE_MAX) if given else PERSISTENCE
        if timeout is None:
            message = f"{given} is not a number of seconds from 1 to {PERSISTENCE_MAX}"
            self._error(statement, f"{message}; keepalived ignores it")
        else:
            self._server.persistence = timeout

    def _granularity(self, statement: Statement) -> None:
        given, server = self._first(statement), self._server
        family = server.family or (Family.INET if "." in given else Family.INET6)
        length = prefix(given, family)
        if length is None:
            wanted = "a netmask" if family is Family.INET else "a number from 1 to 128"
            self._error(statement, f'"{given}" is not {wanted}', "it is left out")
            return
        server.prefix, server.family = length, family
        if server.persistence is None:
            server.persistence = PERSISTENCE

    def _protocol(self, statement: Statement) -> None:
        given = self._first(statement)
        try:
            self._server.protocol = Protocol(given.lower())
        except ValueError:
            self._error(statement, f'"{given}" is not a protocol', "TCP, UDP or SCTP")

    def _one_packet(self, statement: Statement) -> None:
        self._server.one_packet = statement.place

    def _flag(self, statement: Statement) -> None:
        flag, scheduler = statement.keyword, self._server.scheduler
        known = SCHEDULERS.get(scheduler or "", frozenset())
        if flag.startswith("flag-"):
            numbered = _NUMBERED.get(scheduler or "", ())
            index = int(flag[-1]) - 1
            flag = numbered[index] if index < len(numbered) else flag
        if flag in known:
            self._server.flags.add(flag)
            return
        why = f"scheduler {scheduler} has no {flag}" if scheduler else "no scheduler stands before"
        self._findings.warning(
            statement.place,
            f"{statement.keyword} is not carried over",
            f"{why}: keepalived ignores it, or the kernel",
            subject=self._server.subject,
        )

    def _weight(self, statement: Statement) -> None:
        given = self._first(statement)
        weight = number(given, 1, WEIGHT_MAX)
        if weight is None:
            message = f"weight is not a number from 1 to {WEIGHT_MAX}; keepalived ignores it"
            self._error(statement, message)
        else:
            self._server.weight = weight

    def _name(self, statement: Statement) -> None:
        self._server.name = self._first(statement)

    def _real_server(self, statement: Statement) -> None:
        server = self._server
        found = real_server(statement, server.forwarding, self._findings, server.subject)
        if found is None:
            return
        tunnelled = found.forwarding is not None and found.forwarding.method is Method.TUNNEL
        if not tunnelled and server.family is None:
            server.family = found.address.family
        if not tunnelled and server.family is not found.address.family:
            self._findings.error(
                statement.argument(0),
                f"{found.address} is not of the address family of its virtual server",
                "it is left out, as by keepalived: only TUN can do that",
                subject=server.subject,
            )
            return
        server.servers.append(found)
