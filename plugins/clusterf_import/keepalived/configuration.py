"""A whole keepalived.conf: which blocks become services, and what is said of others. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from clusterf.model.address import Address
from clusterf.plugin import did_you_mean
from clusterf_import.keepalived.blocks import Statement, tree
from clusterf_import.keepalived.expansion import Expansion, Find
from clusterf_import.keepalived.groups import Group, group
from clusterf_import.keepalived.keywords import GLOBAL, ROOT
from clusterf_import.keepalived.lines import Source
from clusterf_import.keepalived.mapping import services
from clusterf_import.keepalived.servers import VirtualServer, virtual_server
from clusterf_import.numbers import address
from clusterf_import.places import Findings, Place
from clusterf_import.services import Imported, ImportedService

_KNOWN = ("global_defs", "virtual_server", "virtual_server_group", *ROOT)
_WIDTH = 96


def read(source: Source, identity: str, find: Find, findings: Findings) -> Imported | None:
    """Services of a configuration, and problems with what is not in them.

    None: its braces or quotes do not match, so that nobody can tell what was meant.
    """
    expansion = Expansion(identity, find, findings)
    parsed = tree(expansion.read(source), findings)
    if parsed.broken or expansion.broken:
        return None
    reader = _Reader(findings)
    for statement in parsed.statements:
        reader.read(statement)
    return reader.imported()


class _Reader:
    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._servers: list[VirtualServer] = []
        self._groups: dict[str, Group] = {}
        self._instances: list[tuple[Statement, list[str]]] = []

    def read(self, statement: Statement) -> None:
        """Read one statement that is in no block."""
        match statement.keyword:
            case "virtual_server":
                server = virtual_server(statement, self._findings)
                if server is not None:
                    self._servers.append(server)
            case "virtual_server_group":
                self._group(statement)
            case "global_defs":
                self._globals(statement)
            case "vrrp_instance":
                self._instances.append((statement, list(_virtual_addresses(statement))))
                self._not_carried(statement.all_words, statement, ROOT["vrrp_instance"])
            case keyword if keyword in ROOT:
                self._not_carried(statement.all_words, statement, ROOT[keyword])
            case keyword:
                message = f'unknown keyword "{keyword}", not carried over'
                self._findings.warning(statement.place, message, did_you_mean(keyword, _KNOWN))

    def imported(self) -> Imported:
        """What has been read, as a whole."""
        found = services(self._servers, self._groups, self._findings)
        return Imported(found, list(self._remarks(found)))

    def _group(self, statement: Statement) -> None:
        found = group(statement, self._findings)
        first = self._groups.setdefault(found.name, found)
        if first is not found:
            message = f"there is a group {found.name} already; this one is left out"
            self._findings.error(found.place, message, f"see {first.place}")

    def _globals(self, statement: Statement) -> None:
        others = []
        for inner in statement.block or ():
            if inner.keyword in GLOBAL:
                self._not_carried(inner.all_words, inner, GLOBAL[inner.keyword])
            elif inner.keyword not in others:
                others.append(inner.keyword)
        if others:
            # Of mail, names of processes and VRRP: one line for all of it.
            message = f"not carried over: {', '.join(others)}"
            self._findings.warning(statement.place, message, subject="global_defs")

    def _not_carried(self, place: Place, statement: Statement, why: str) -> None:
        self._findings.warning(place, f"{statement} is not carried over", why)

    def _remarks(self, found: list[ImportedService]) -> list[str]:
        if not self._instances:
            return []
        served = {
            address
            for service in found
            for frontend in service.frontends
            for address in (frontend.ipv4, frontend.ipv6)
        }
        remarks = [
            "keepalived moves these addresses between hosts by VRRP, which clusterf does not do:"
        ]
        for instance, addresses in self._instances:
            listed = ", ".join(_marked(text, served) for text in addresses) or "no addresses"
            remarks += textwrap.wrap(
                f"{instance} ({instance.place}): {listed}",
                _WIDTH,
                initial_indent="  ",
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        if any(text.endswith("*") or "*," in text for text in remarks):
            remarks.append("(* of no service here: managed has to name it before one can have it)")
        if found:
            remarks += [
                "Either keepalived goes on with these blocks alone (keepalived --vrrp), or the",
                "output vips below binds the VIPs of the services on this host.",
            ]
        return remarks


def _virtual_addresses(instance: Statement) -> Iterable[str]:
    """As they are written, with their length: those that are moved, and those besides."""
    for inner in instance.block or ():
        if inner.keyword in {"virtual_ipaddress", "virtual_ipaddress_excluded"}:
            for line in inner.block or ():
                yield from (word for word in [line.keyword] if address(word) is not None)


def _marked(text: str, served: set[Address | None]) -> str:
    return text if address(text) in served else f"{text} *"
