"""The edits of this output, in the words of ip(8) and sysctl(8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from clusterf.model.address import Address
from clusterf.model.operation import Stage
from clusterf.model.table import ServiceKey


@dataclass(frozen=True, slots=True)
class AddAddress:
    """Add a VIP to the interface."""

    stage: ClassVar[Stage] = Stage.ADD
    subject: ServiceKey | None
    address: Address
    interface: str
    because: str = ""

    @property
    def length(self) -> int:
        """A VIP is a host address: nobody else of its prefix is reached through this interface."""
        return self.address.family.bits

    def describe(self) -> str:
        """As ip address add. IPv6: usable at once, and no source of this host's own packets."""
        extra = " nodad preferred_lft 0" if len(self.address) == 16 else ""
        return f"ip address add {self.address}/{self.length} dev {self.interface}{extra}"

    def reason(self) -> str:
        """Why."""
        return self.because


@dataclass(frozen=True, slots=True)
class RemoveAddress:
    """Remove a VIP that this program has added."""

    stage: ClassVar[Stage] = Stage.REMOVE
    subject: ServiceKey | None
    address: Address
    length: int
    interface: str
    because: str = ""

    def describe(self) -> str:
        """As ip address delete."""
        return f"ip address delete {self.address}/{self.length} dev {self.interface}"

    def reason(self) -> str:
        """Why."""
        return self.because


@dataclass(frozen=True, slots=True)
class CreateInterface:
    """Make the dummy device that holds the VIPs. Such a device never answers ARP by itself."""

    stage: ClassVar[Stage] = Stage.ADD
    subject: ClassVar[None] = None
    interface: str

    def describe(self) -> str:
        """As ip link add."""
        return f"ip link add {self.interface} up type dummy"

    def reason(self) -> str:
        """Why."""
        return "the interface for VIPs is missing"


@dataclass(frozen=True, slots=True)
class RaiseInterface:
    """Set the interface up: an address of one that is down is not an address of this host."""

    stage: ClassVar[Stage] = Stage.ADD
    subject: ClassVar[None] = None
    interface: str

    def describe(self) -> str:
        """As ip link set."""
        return f"ip link set {self.interface} up"

    def reason(self) -> str:
        """Why."""
        return "the interface for VIPs is down"


@dataclass(frozen=True, slots=True)
class SetSysctl:
    """Set a sysctl that a forwarding method needs."""

    stage: ClassVar[Stage] = Stage.ADD
    subject: ClassVar[None] = None
    name: str
    value: int
    because: str = ""

    def describe(self) -> str:
        """As sysctl -w."""
        return f"sysctl -w {self.name}={self.value}"

    def reason(self) -> str:
        """Why."""
        return self.because
