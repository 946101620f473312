"""A host in memory. It passes the same behaviours (behaviours.py) as a real one."""

from __future__ import annotations

from collections.abc import Sequence

from clusterf.model.address import Address
from clusterf.model.operation import Operation, Outcome
from clusterf.model.scope import Scope
from clusterf.plugin import OutputUnavailable
from clusterf_addresses.host import Carried
from clusterf_addresses.operations import (
    AddAddress,
    CreateInterface,
    RaiseInterface,
    RemoveAddress,
    SetSysctl,
)
from clusterf_addresses.tunnels.operations import TunnelOperation
from clusterf_addresses.tunnels.receiving import Receiving
from clusterf_addresses.world import Found, Link, World
from tests.unit.plugins.clusterf_addresses.tunnels.fake import FakeTunnels


class FakeHost:
    """Interfaces with their addresses, sysctls, and what shall go wrong."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {"lo": Link.UP}
        self.held: dict[tuple[Address, int, str], bool] = {}
        self.sysctls: dict[str, int] = {}
        self.read_only: set[str] = set()
        self.refusing: dict[Address, str] = {}
        self.gone = ""
        self.capable = True
        self.rp_filter = 0
        self.kernel = (6, 1)
        self.done: list[str] = []
        self.tunnels = FakeTunnels()

    def add_foreign(self, address: str, length: int, interface: str) -> None:
        """What somebody else does."""
        self.held[Address.parse(address), length, interface] = False

    def remove(self, address: str, interface: str) -> None:
        """What somebody else does."""
        for one in [one for one in self.held if one[::2] == (Address.parse(address), interface)]:
            del self.held[one]

    def look(self, interface: str, managed: Scope, tunnels: Receiving) -> World:
        self._answer()
        addresses: dict[Address, tuple[Found, ...]] = {}
        for (address, length, name), ours in self.held.items():
            if managed.holds(address):
                found = Found(address, length, name, ours)
                addresses[address] = (*addresses.get(address, ()), found)
        return World(
            link=self.links.get(interface, Link.MISSING),
            addresses=addresses,
            sysctls=dict(self.sysctls),
            capable=self.capable,
            kernel=self.kernel,
            tunnels=self.tunnels.look(tunnels),
        )

    def carry_out(self, operations: Sequence[Operation]) -> Carried:
        self._answer()
        outcomes: list[Outcome] = []
        found: set[int] = set()
        for index, operation in enumerate(operations):
            error, was_there = self._do(operation)
            outcomes.append(Outcome(operation, error))
            if was_there:
                found.add(index)
            if not error:
                self.done.append(operation.describe())
        return Carried(outcomes, frozenset(found))

    def _answer(self) -> None:
        if self.gone:
            raise OutputUnavailable(self.gone)

    def _do(self, operation: Operation) -> tuple[str, bool]:
        match operation:
            case AddAddress(address=address, interface=interface):
                if address in self.refusing:
                    return self.refusing[address], False
                if interface not in self.links:
                    return "no such device (ENODEV)", False
                here = (address, operation.length, interface)
                if here in self.held:
                    return "", True
                self.held[here] = True
            case RemoveAddress(address=address, length=length, interface=interface):
                return "", self.held.pop((address, length, interface), None) is None
            case CreateInterface() | RaiseInterface():
                return self._set_up(operation)
            case _ if isinstance(operation, TunnelOperation):
                return self._tunnel(operation)
            case SetSysctl(name=name, value=value):
                if name in self.read_only:
                    return f"{name}: read-only file system (EROFS)", False
                if name not in self.sysctls:
                    return f"{name}: no such file or directory (ENOENT)", False
                self.sysctls[name] = value
            case _:
                raise TypeError(operation)
        return "", False

    def _tunnel(self, operation: TunnelOperation) -> tuple[str, bool]:
        error = self.tunnels.carry_out(operation)
        # Each interface has sysctls of its own, as long as it is there.
        for name in self.tunnels.names():
            self.sysctls.setdefault(f"net.ipv4.conf.{name}.rp_filter", self.rp_filter)
        return error, False

    def _set_up(self, operation: CreateInterface | RaiseInterface) -> tuple[str, bool]:
        known = operation.interface in self.links
        if isinstance(operation, RaiseInterface) and not known:
            return "no such device (ENODEV)", False
        if isinstance(operation, RaiseInterface) or not known:
            self.links[operation.interface] = Link.UP
            return "", False
        return "", True
