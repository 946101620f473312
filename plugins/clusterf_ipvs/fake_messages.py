"""Messages of the fake kernel: what it reads from requests and writes into answers.

Of the code under test it shares what an attribute is: numbers, sizes, byte orders, the walk over
them, all of it held to a real kernel by tests/conformance and to pyroute2 by the tests of
`constants`. It shares nothing of how a request is put together or an answer taken apart, so that
it does not inherit the mistakes in that.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6

from clusterf.model.table import DestinationKey, ServiceKey
from clusterf_ipvs.attributes import (
    Attribute,
    DecodeError,
    contents,
    enclose,
    message,
    nested,
    outermost,
)
from clusterf_ipvs.constants import (
    CMD_DEST,
    CMD_SERVICE,
    Command,
    DestAttr,
    InfoAttr,
    SvcAttr,
)
from clusterf_ipvs.destination_codec import decode_key
from clusterf_ipvs.service_codec import ServiceEncoder

Identity = tuple[int, int] | tuple[int, int, bytes, int]


class Refused(Exception):  # what the kernel does, no fault of the fake
    """The kernel's answer is an errno."""


@dataclass(slots=True)
class StoredDestination:
    """A destination as the kernel stores it: numbers. ``tunnel`` is type, port and flags."""

    family: int
    address: bytes
    port: int
    method: int = 0
    weight: int = 0
    upper: int = 0
    lower: int = 0
    tunnel: tuple[int, int, int] = (0, 0, 0)
    active: int = 0
    inactive: int = 0

    @property
    def identity(self) -> tuple[int, bytes, int]:
        """What the kernel finds it by, within its virtual service."""
        return (self.family, self.address, self.port)


@dataclass(slots=True)
class StoredService:
    """A virtual service as the kernel stores it."""

    family: int
    protocol: int
    address: bytes
    port: int
    fwmark: int
    scheduler: bytes = b""
    flags: int = 0
    timeout: int = 0
    netmask: bytes = b""
    # Newest first, as the kernel's list.
    destinations: list[StoredDestination] = field(default_factory=list)

    @property
    def identity(self) -> Identity:
        """What the kernel finds it by."""
        if self.fwmark:
            return (self.family, self.fwmark)
        return (self.family, self.protocol, self.address, self.port)


# --- requests --------------------------------------------------------------------------------


def parse_service(request: bytes, *, full: bool = False) -> StoredService:
    """ip_vs_genl_parse_service."""
    found = _found(request, CMD_SERVICE)
    family = _family(_read(found, SvcAttr.AF))
    if SvcAttr.FWMARK.kind in found:
        service = StoredService(family, 6, b"", 0, _read(found, SvcAttr.FWMARK))
    else:
        protocol, port = (_read(found, each) for each in (SvcAttr.PROTOCOL, SvcAttr.PORT))
        service = StoredService(family, protocol, _address(found, SvcAttr.ADDR6, family), port, 0)
    if full:
        scheduler, bits = found.get(SvcAttr.SCHED_NAME), found.get(SvcAttr.FLAGS.kind)
        if scheduler is None or bits is None or len(bits) > SvcAttr.FLAGS.size:
            raise Refused(errno.EINVAL)
        service.scheduler = scheduler.split(b"\0", 1)[0]
        flags, mask = struct.unpack("=II", bits.ljust(SvcAttr.FLAGS.size, b"\0"))
        service.flags = flags & mask
        service.timeout = _read(found, SvcAttr.TIMEOUT)
        service.netmask = struct.pack("!I", _read(found, SvcAttr.NETMASK4))
    return service


def parse_destination(request: bytes, family: int, *, full: bool) -> StoredDestination:
    """ip_vs_genl_parse_dest, of a virtual service of ``family``."""
    found = _found(request, CMD_DEST)
    own = _family(_read(found, DestAttr.ADDR_FAMILY, 0) or family)
    address = _address(found, DestAttr.ADDR6, own)
    destination = StoredDestination(own, address, _read(found, DestAttr.PORT))
    if full:
        destination.method = _read(found, DestAttr.FWD_METHOD) & 7
        destination.weight = _read(found, DestAttr.WEIGHT)
        destination.upper = _read(found, DestAttr.U_THRESH)
        destination.lower = _read(found, DestAttr.L_THRESH)
        destination.tunnel = (
            _read(found, DestAttr.TUN_TYPE, 0),
            _read(found, DestAttr.TUN_PORT, 0),
            _read(found, DestAttr.TUN_FLAGS, 0),
        )
    return destination


def _found(request: bytes, kind: int) -> dict[int, bytes]:
    try:
        return contents(nested(request, kind))
    except DecodeError:
        raise Refused(errno.EINVAL) from None


def _read(found: Mapping[int, bytes], attribute: Attribute, default: int | None = None) -> int:
    """A number; one that is short is EINVAL, as one that is missing."""
    try:
        return attribute.read(found, default)
    except DecodeError:
        raise Refused(errno.EINVAL) from None


def _address(found: Mapping[int, bytes], attribute: Attribute, family: int) -> bytes:
    """An address; one that is short is filled with zeros (nla_memcpy)."""
    if attribute.kind not in found:
        raise Refused(errno.EINVAL)
    size = 4 if family == AF_INET else 16
    return found[attribute.kind][:size].ljust(size, b"\0")


def _family(number: int) -> int:
    if number not in (AF_INET, AF_INET6):
        raise Refused(errno.EAFNOSUPPORT)
    return number


# --- answers ---------------------------------------------------------------------------------


def service_message(service: StoredService) -> bytes:
    """ip_vs_genl_fill_service, without the statistics."""
    if service.fwmark:
        identity = SvcAttr.FWMARK.pack(service.fwmark)
    else:
        identity = SvcAttr.PROTOCOL.pack(service.protocol)
        identity += _padded(SvcAttr.ADDR6, service.address)
        identity += SvcAttr.PORT.pack(service.port)
    row = (
        SvcAttr.AF.pack(service.family)
        + identity
        + enclose(SvcAttr.SCHED_NAME, service.scheduler + b"\0")
        + enclose(SvcAttr.FLAGS.kind, struct.pack("=II", service.flags, 0xFFFFFFFF))
        + SvcAttr.TIMEOUT.pack(service.timeout)
        + enclose(SvcAttr.NETMASK4.kind, service.netmask)
    )
    return message(Command.NEW_SERVICE, enclose(CMD_SERVICE, row))


def destination_message(destination: StoredDestination) -> bytes:
    """ip_vs_genl_fill_dest, without the statistics."""
    kind, port, flags = destination.tunnel
    row = _padded(DestAttr.ADDR6, destination.address) + _packed(
        [
            (DestAttr.PORT, destination.port),
            (DestAttr.FWD_METHOD, destination.method),
            (DestAttr.WEIGHT, destination.weight),
            (DestAttr.TUN_TYPE, kind),
            (DestAttr.TUN_PORT, port),
            (DestAttr.TUN_FLAGS, flags),
            (DestAttr.U_THRESH, destination.upper),
            (DestAttr.L_THRESH, destination.lower),
            (DestAttr.ACTIVE_CONNS, destination.active),
            (DestAttr.INACT_CONNS, destination.inactive),
            (DestAttr.PERSIST_CONNS, 0),
            (DestAttr.ADDR_FAMILY, destination.family),
        ]
    )
    return message(Command.NEW_DEST, enclose(CMD_DEST, row))


def info_message(version: int, size: int) -> bytes:
    """ip_vs_genl_get_cmd: version of IPVS and size of its connection table."""
    row = _packed([(InfoAttr.VERSION, version), (InfoAttr.CONN_TAB_SIZE, size)])
    return message(Command.SET_INFO, row)


def _packed(numbers: Collection[tuple[Attribute, int]]) -> bytes:
    return b"".join(attribute.pack(number) for attribute, number in numbers)


def _padded(attribute: Attribute, address: bytes) -> bytes:
    return enclose(attribute.kind, address.ljust(attribute.size, b"\0"))


# --- what tests point at ---------------------------------------------------------------------


def identity_of(key: ServiceKey) -> Identity:
    """Identity of a virtual service, as stored."""
    return parse_service(ServiceEncoder(key).get_service()).identity


def target_of(request: bytes, key: ServiceKey) -> DestinationKey | None:
    """Identity of the destination that a message is about."""
    if CMD_DEST not in outermost(request):
        return None
    return decode_key(contents(nested(request, CMD_DEST)), key.family)
