"""This host: one look at all that matters, and operations carried out one by one. Blocking."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from clusterf.model.address import Address, Family
from clusterf.model.operation import Operation, Outcome
from clusterf.model.scope import Scope
from clusterf_addresses import sysctls
from clusterf_addresses.marks import is_ours
from clusterf_addresses.netlink import RefusedError
from clusterf_addresses.operations import (
    AddAddress,
    CreateInterface,
    RaiseInterface,
    RemoveAddress,
    SetSysctl,
)
from clusterf_addresses.rtnetlink import Session, interface_name, kernel_version
from clusterf_addresses.tunnels import host as tunnels_host
from clusterf_addresses.tunnels.operations import TunnelOperation
from clusterf_addresses.tunnels.receiving import Receiving
from clusterf_addresses.world import Found, World


class Carried(NamedTuple):
    """Outcomes in the order of the operations; ``found``: indices of what was there already."""

    outcomes: list[Outcome]
    found: frozenset[int]


class Host(Protocol):
    """What the output needs of the host it runs on. Each call is made in a worker thread."""

    def look(self, interface: str, managed: Scope, tunnels: Receiving) -> World:
        """See everything; of ``tunnels`` what is wanted, and what of us there is.

        Raises:
            OutputUnavailable: the kernel does not tell.
        """
        ...

    def carry_out(self, operations: Sequence[Operation]) -> Carried:
        """Carry out, one by one; what the kernel refuses is told in the outcome.

        Raises:
            OutputUnavailable: the kernel does not listen.
        """
        ...


class ThisHost:
    """Implements `Host`. ``proc`` and ``kernel`` (Linux version) are found out by default."""

    def __init__(
        self, proc: Path = sysctls.PROC, kernel: Callable[[], tuple[int, int]] = kernel_version
    ) -> None:
        self._proc = proc
        self._kernel = kernel

    def look(self, interface: str, managed: Scope, tunnels: Receiving) -> World:
        """As `Host.look`."""
        kernel = self._kernel()
        addresses: dict[Address, tuple[Found, ...]] = {}
        names: dict[int, str] = {}
        addressed: set[str] = set()
        with Session() as session:
            link = session.link(interface)
            for address, length, index, marks in session.addresses():
                if index not in names:
                    names[index] = interface_name(index)
                name = names[index]
                if address.family is Family.INET:
                    addressed.add(name)
                if managed.holds(address):
                    ours = is_ours(address.family, marks, name, kernel)
                    found = Found(address, length, name, ours)
                    addresses[address] = (*addresses.get(address, ()), found)
        return World(
            link=link,
            addresses=addresses,
            sysctls=sysctls.read(self._proc),
            capable=sysctls.capable(self._proc),
            kernel=kernel,
            tunnels=tunnels_host.look(tunnels, addressed),
        )

    def carry_out(self, operations: Sequence[Operation]) -> Carried:
        """As `Host.carry_out`."""
        outcomes: list[Outcome] = []
        found: set[int] = set()
        with Session() as session:
            for index, operation in enumerate(operations):
                try:
                    outcomes.append(_done(session, operation, self._proc))
                except RefusedError as refused:
                    if refused.code in _AS_WANTED.get(type(operation), ()):
                        outcomes.append(Outcome(operation))
                        found.add(index)
                    else:
                        hint = _hint(refused.code, operation)
                        outcomes.append(Outcome(operation, str(refused), hint))
        return Carried(outcomes, frozenset(found))


_AS_WANTED: dict[type, tuple[int, ...]] = {
    AddAddress: (errno.EEXIST,),
    CreateInterface: (errno.EEXIST,),
    # With its interface an address goes too.
    RemoveAddress: (errno.EADDRNOTAVAIL, errno.ENODEV),
    **tunnels_host.AS_WANTED,
}
"""Refusals that say that the world is already as the operation wants it."""


def _done(session: Session, operation: Operation, proc: Path) -> Outcome:
    match operation:
        case AddAddress():
            session.add(operation.address, operation.interface)
        case RemoveAddress():
            session.remove(operation.address, operation.length, operation.interface)
        case CreateInterface():
            session.create(operation.interface)
        case RaiseInterface():
            session.set_up(operation.interface)
        case SetSysctl():
            error, hint = sysctls.write(operation.name, operation.value, proc)
            return Outcome(operation, error, hint)
        case _ if isinstance(operation, TunnelOperation):
            tunnels_host.carry_out(session, operation)
        case _:
            raise TypeError(f"not an operation of this output: {operation!r}")
    return Outcome(operation)


def _hint(code: int, operation: Operation) -> str:
    interface = getattr(operation, "interface", "")
    if code == errno.EPERM:
        return "run it as root or with CAP_NET_ADMIN"
    if isinstance(operation, TunnelOperation):
        return tunnels_host.hint(code, operation)
    if code == errno.ENODEV:
        return f"ip link add {interface} up type dummy"
    if code == errno.EACCES:
        return f"sysctl -w net.ipv6.conf.{interface.replace('.', '/')}.disable_ipv6=0"
    if code == errno.EOPNOTSUPP:
        return "modprobe dummy" if isinstance(operation, CreateInterface) else ""
    return ""
