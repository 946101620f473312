"""From virtual servers to services: what keepalived would have in the kernel. Pure.

What keepalived corrects by itself (validate_check_config in check_data.c) is corrected in the same
way, and told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from clusterf.model.address import Family
from clusterf.model.service import Frontend, Ports, StickyClients
from clusterf.model.table import Method, Protocol, ServiceKey
from clusterf_import.keepalived.forwarding import Forwarding
from clusterf_import.keepalived.groups import Entry, Group
from clusterf_import.keepalived.real_servers import RealServer
from clusterf_import.keepalived.servers import PERSISTENCE, VirtualServer
from clusterf_import.places import Findings, Place
from clusterf_import.services import (
    ImportedBackend,
    ImportedService,
    keys,
    name_of,
    plain_name,
    unique_name,
)

SCHEDULER = "wlc"
"""keepalived's, where none is given: IPVS_DEF_SCHED."""


class _Place(NamedTuple):
    """A frontend and the line that asks for it."""

    frontend: Frontend
    place: Place


def services(
    servers: Iterable[VirtualServer], groups: Mapping[str, Group], findings: Findings
) -> list[ImportedService]:
    """All services. Of two virtual servers with one key the earlier one keeps it."""
    mapping = _Mapping(groups, findings)
    found = [mapping.service(server) for server in servers]
    for group in groups.values():
        if not group.used:
            findings.warning(
                group.place,
                "is used by no virtual_server, not carried over",
                subject=f"virtual_server_group {group.name}",
            )
    return [service for service in found if service is not None]


class _Mapping:
    def __init__(self, groups: Mapping[str, Group], findings: Findings) -> None:
        self._groups = groups
        self._findings = findings
        self._claimed: dict[ServiceKey, VirtualServer] = {}
        self._names: list[str] = []

    def service(self, server: VirtualServer) -> ImportedService | None:
        """One service, or None where keepalived would have nothing in the kernel."""
        entries = self._entries(server)
        if entries is None:
            return None
        if not server.servers:
            self._tell(server, "has no real_server: keepalived leaves it out, and so it is here")
            return None
        placed = self._unclaimed(server, self._frontends(server, entries))
        if not placed:
            return None
        frontends = tuple(one.frontend for one in placed)
        backends = self._backends(server, frontends)
        if not backends:
            self._tell(server, "none of its real servers is left, so it is left out", error=True)
            return None
        name = plain_name(server.name or server.group or "") if server.name or server.group else ""
        name = unique_name(name or name_of(next(keys(frontends[0]))), self._names)
        self._names.append(name)
        return ImportedService(
            name=name,
            title=f"{server.subject} ({server.place})",
            frontends=frontends,
            scheduler=server.scheduler or SCHEDULER,
            flags=self._flags(server, frontends),
            persistence=self._persistence(server, frontends),
            backends=backends,
            remarks=tuple(server.remarks),
        )

    def _tell(
        self, server: VirtualServer, message: str, hint: str = "", *, error: bool = False
    ) -> None:
        tell = self._findings.error if error else self._findings.warning
        tell(server.place, message, hint, subject=server.subject)

    # --- where clients come ----------------------------------------------------------------------

    def _entries(self, server: VirtualServer) -> list[Entry] | None:
        if server.group is None:
            return [Entry(server.place, server.address, server.port, server.mark, server.family)]
        group = self._groups.get(server.group)
        if group is None:
            self._tell(server, "there is no such group; it is left out", error=True)
            return None
        group.used = True
        if not group.entries:
            self._tell(server, f"group {group.name} is empty; it is left out", error=True)
            return None
        return group.entries

    def _frontends(self, server: VirtualServer, entries: list[Entry]) -> list[_Place]:
        addressed = any(entry.address is not None for entry in entries)
        if addressed and server.protocol is None:
            self._tell(
                server,
                "has no protocol: keepalived takes UDP, and so it is here",
                "if TCP was meant, it did not work",
            )
        protocol = server.protocol or Protocol.UDP
        group = self._groups.get(server.group or "")
        family = server.family or _only(group.families if group else ()) or Family.INET
        placed = []
        for entry in entries:
            if entry.address is None:
                marked = Frontend(fwmark=entry.mark, family=entry.family or family)
                placed.append(_Place(marked, entry.place))
                continue
            ports = Ports(**{protocol.value: entry.port})
            if entry.address.family is Family.INET:
                placed.append(_Place(Frontend(ipv4=entry.address, ports=ports), entry.place))
            else:
                placed.append(_Place(Frontend(ipv6=entry.address, ports=ports), entry.place))
        return placed

    def _unclaimed(self, server: VirtualServer, placed: list[_Place]) -> list[_Place]:
        left = []
        for one in placed:
            key = next(keys(one.frontend))
            holder = self._claimed.get(key)
            if holder is None:
                self._claimed[key] = server
                left.append(one)
                continue
            self._findings.error(
                one.place,
                f"{key} is there already; it is left out",
                f"see {holder.place}",
                subject=server.subject,
            )
        return left

    # --- settings --------------------------------------------------------------------------------

    def _flags(self, server: VirtualServer, frontends: tuple[Frontend, ...]) -> frozenset[str]:
        flags = frozenset(server.flags)
        if server.one_packet is None:
            return flags
        addressed = any(one.fwmark is None for one in frontends)
        if addressed and server.protocol not in {None, Protocol.UDP}:
            self._findings.warning(
                server.one_packet,
                "ops is not carried over",
                "it is for UDP: keepalived ignores it",
                subject=server.subject,
            )
            return flags
        return flags | {"ops"}

    def _persistence(
        self, server: VirtualServer, frontends: tuple[Frontend, ...]
    ) -> StickyClients | None:
        timeout = server.persistence
        if timeout is None and any(0 in one.ports for one in frontends):
            timeout = PERSISTENCE
            self._tell(
                server,
                f"has no port, which means all of them and needs persistence_timeout: "
                f"keepalived takes {PERSISTENCE} s, and so it is here",
            )
        if timeout is None:
            return None
        if server.prefix is None:
            return StickyClients(timeout)
        if server.family is Family.INET6:
            return StickyClients(timeout, prefix6=server.prefix)
        return StickyClients(timeout, prefix4=server.prefix)

    # --- where packets go ------------------------------------------------------------------------

    def _backends(
        self, server: VirtualServer, frontends: tuple[Frontend, ...]
    ) -> tuple[ImportedBackend, ...]:
        found: dict[str, ImportedBackend] = {}
        families = frozenset(family for one in frontends for family in one.families)
        for real in server.servers:
            way = real.forwarding or server.forwarding or Forwarding()
            if way.method is not Method.TUNNEL and real.address.family not in families:
                message = f"{real.address} is of another address family than all of the group"
                self._wrong(real, server, f"{message}; it is left out", error=True)
                continue
            backend = self._backend(real, server, way, frontends)
            if str(backend) in found:
                self._wrong(real, server, f"{backend} is there already; it is left out")
                continue
            found[str(backend)] = backend
        return tuple(found.values())

    def _backend(
        self,
        real: RealServer,
        server: VirtualServer,
        way: Forwarding,
        frontends: tuple[Frontend, ...],
    ) -> ImportedBackend:
        lower = real.lower
        if lower > real.upper:
            message = f"lthreshold {lower} is above uthreshold {real.upper}, not carried over"
            self._wrong(
                real, server, message, "the kernel refuses such a real server of keepalived"
            )
            lower = 0
        return ImportedBackend(
            address=real.address,
            port=self._port(real, server, way, frontends),
            weight=server.weight if real.weight is None else real.weight,
            method=way.method,
            tunnel=way.tunnel,
            upper_threshold=real.upper,
            lower_threshold=lower,
            origin=str(real.place),
            remarks=tuple(real.remarks),
        )

    def _port(
        self,
        real: RealServer,
        server: VirtualServer,
        way: Forwarding,
        frontends: tuple[Frontend, ...],
    ) -> int:
        """Its own port with NAT, else that of the virtual server; 0 where that is several."""
        offered = {port for one in frontends for port in one.ports if port is not None}
        marked = any(one.fwmark is not None for one in frontends)
        common = offered.pop() if len(offered) == 1 and not marked else 0
        if way.method is Method.MASQ:
            return real.port or common
        if real.port not in {0, common}:
            message = f"port {real.port} is not that of its virtual server"
            self._wrong(
                real,
                server,
                f"{message}; the port that clients ask for is kept",
                "only NAT can change ports",
            )
        return common

    def _wrong(
        self,
        real: RealServer,
        server: VirtualServer,
        message: str,
        hint: str = "",
        *,
        error: bool = False,
    ) -> None:
        tell = self._findings.error if error else self._findings.warning
        tell(real.place, message, hint, subject=f"{server.subject} real_server {real.address}")


def _only(families: Iterable[Family]) -> Family | None:
    found = set(families)
    return found.pop() if len(found) == 1 else None
