"""Messages of the fake kernel: what it reads from requests and writes into answers.

Of the code under test it shares the walk over attributes only: it must not inherit the mistakes
of its encoders.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6

from clusterf.model.address import Family
from clusterf.model.table import DestinationKey, ServiceKey
from clusterf_ipvs import decode
from clusterf_ipvs.constants import (
    CMD_DEST,
    CMD_SERVICE,
    DEST_ACTIVE_CONNS,
    DEST_ADDR,
    DEST_ADDR_FAMILY,
    DEST_FWD_METHOD,
    DEST_INACT_CONNS,
    DEST_L_THRESH,
    DEST_PERSIST_CONNS,
    DEST_PORT,
    DEST_TUN_FLAGS,
    DEST_TUN_PORT,
    DEST_TUN_TYPE,
    DEST_U_THRESH,
    DEST_WEIGHT,
    GENL_VERSION,
    SVC_ADDR,
    SVC_AF,
    SVC_FLAGS,
    SVC_FWMARK,
    SVC_NETMASK,
    SVC_PORT,
    SVC_PROTOCOL,
    SVC_SCHED_NAME,
    SVC_TIMEOUT,
    Command,
    attribute_header,
)
from clusterf_ipvs.encode import ServiceEncoder

Identity = tuple[int, ...] | tuple[int, int, bytes, int]


class Refused(Exception):  # what the kernel does, no fault of the fake
    """The kernel's answer is an errno."""


@dataclass(slots=True)
class StoredDestination:
    """A destination as the kernel stores it: numbers, ports in network order."""

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


def parse_service(message: bytes, *, full: bool = False) -> StoredService:
    """ip_vs_genl_parse_service."""
    try:
        found = decode.attributes(decode.nested(message, CMD_SERVICE))
    except decode.DecodeError:
        raise Refused(errno.EINVAL) from None
    numbers = _numbers(found, {SVC_AF: 2, SVC_PROTOCOL: 2, SVC_PORT: 2, SVC_FWMARK: 4})
    whole = {SVC_PROTOCOL, SVC_ADDR, SVC_PORT} <= found.keys()
    if SVC_AF not in found or not (SVC_FWMARK in found or whole):
        raise Refused(errno.EINVAL)
    family = numbers[SVC_AF]
    if family not in (AF_INET, AF_INET6):
        raise Refused(errno.EAFNOSUPPORT)
    if SVC_FWMARK in found:
        service = StoredService(family, 6, b"", 0, numbers[SVC_FWMARK])
    else:
        size = 4 if family == AF_INET else 16
        address = found[SVC_ADDR][:size].ljust(size, b"\0")
        service = StoredService(family, numbers[SVC_PROTOCOL], address, numbers[SVC_PORT], 0)
    if full:
        if not {SVC_SCHED_NAME, SVC_FLAGS, SVC_TIMEOUT, SVC_NETMASK} <= found.keys():
            raise Refused(errno.EINVAL)
        service.scheduler = found[SVC_SCHED_NAME].split(b"\0", 1)[0]
        flags, mask = struct.unpack("=II", found[SVC_FLAGS].ljust(8, b"\0"))
        service.flags = flags & mask
        service.timeout = _numbers(found, {SVC_TIMEOUT: 4})[SVC_TIMEOUT]
        service.netmask = found[SVC_NETMASK][:4]
    return service


def parse_destination(message: bytes, family: int, *, full: bool) -> StoredDestination:
    """ip_vs_genl_parse_dest."""
    try:
        found = decode.attributes(decode.nested(message, CMD_DEST))
    except decode.DecodeError:
        raise Refused(errno.EINVAL) from None
    if not {DEST_ADDR, DEST_PORT} <= found.keys():
        raise Refused(errno.EINVAL)
    sizes = {
        DEST_PORT: 2,
        DEST_FWD_METHOD: 4,
        DEST_WEIGHT: 4,
        DEST_U_THRESH: 4,
        DEST_L_THRESH: 4,
        DEST_ADDR_FAMILY: 2,
        DEST_TUN_TYPE: 1,
        DEST_TUN_PORT: 2,
        DEST_TUN_FLAGS: 2,
    }
    numbers = _numbers(found, sizes)
    own = numbers.get(DEST_ADDR_FAMILY, 0) or family
    if own not in (AF_INET, AF_INET6):
        raise Refused(errno.EAFNOSUPPORT)
    size = 4 if own == AF_INET else 16
    destination = StoredDestination(
        own, found[DEST_ADDR][:size].ljust(size, b"\0"), numbers[DEST_PORT]
    )
    if full:
        if not {DEST_FWD_METHOD, DEST_WEIGHT, DEST_U_THRESH, DEST_L_THRESH} <= found.keys():
            raise Refused(errno.EINVAL)
        destination.method = numbers[DEST_FWD_METHOD] & 7
        destination.weight = numbers[DEST_WEIGHT]
        destination.upper, destination.lower = numbers[DEST_U_THRESH], numbers[DEST_L_THRESH]
        destination.tunnel = (
            numbers.get(DEST_TUN_TYPE, 0),
            numbers.get(DEST_TUN_PORT, 0),
            numbers.get(DEST_TUN_FLAGS, 0),
        )
    return destination


def _numbers(found: Mapping[int, bytes], sizes: Mapping[int, int]) -> dict[int, int]:
    """Numbers among attributes, in the machine's order; a short one is ERANGE (validate_nla)."""
    numbers = {}
    formats = {1: "=B", 2: "=H", 4: "=I"}
    for kind, size in sizes.items():
        if kind in found:
            if len(found[kind]) < size:
                raise Refused(errno.ERANGE)
            numbers[kind] = struct.unpack(formats[size], found[kind][:size])[0]
    return numbers


def _attribute(kind: int, content: bytes) -> bytes:
    return (
        struct.pack("=I", attribute_header(len(content), kind)) + content + bytes(-len(content) % 4)
    )


def _row(entries: Collection[tuple[int, str, int]]) -> bytes:
    return b"".join(_attribute(kind, struct.pack("=" + form, n)) for kind, form, n in entries)


def service_message(service: StoredService) -> bytes:
    """ip_vs_genl_fill_service, without the statistics."""
    if service.fwmark:
        identity = _row([(SVC_FWMARK, "I", service.fwmark)])
    else:
        identity = _row([(SVC_PROTOCOL, "H", service.protocol)])
        identity += _attribute(SVC_ADDR, service.address.ljust(16, b"\0"))
        identity += _row([(SVC_PORT, "H", service.port)])
    content = (
        _row([(SVC_AF, "H", service.family)])
        + identity
        + _attribute(SVC_SCHED_NAME, service.scheduler + b"\0")
        + _attribute(SVC_FLAGS, struct.pack("=II", service.flags, 0xFFFFFFFF))
        + _row([(SVC_TIMEOUT, "I", service.timeout)])
        + _attribute(SVC_NETMASK, service.netmask)
    )
    head = struct.pack("=BBH", Command.NEW_SERVICE, GENL_VERSION, 0)
    return head + _attribute(CMD_SERVICE, content)


def destination_message(destination: StoredDestination) -> bytes:
    """ip_vs_genl_fill_dest, without the statistics."""
    kind, port, flags = destination.tunnel
    content = _attribute(DEST_ADDR, destination.address.ljust(16, b"\0")) + _row(
        [
            (DEST_PORT, "H", destination.port),
            (DEST_FWD_METHOD, "I", destination.method),
            (DEST_WEIGHT, "I", destination.weight),
            (DEST_TUN_TYPE, "B", kind),
            (DEST_TUN_PORT, "H", port),
            (DEST_TUN_FLAGS, "H", flags),
            (DEST_U_THRESH, "I", destination.upper),
            (DEST_L_THRESH, "I", destination.lower),
            (DEST_ACTIVE_CONNS, "I", destination.active),
            (DEST_INACT_CONNS, "I", destination.inactive),
            (DEST_PERSIST_CONNS, "I", 0),
            (DEST_ADDR_FAMILY, "H", destination.family),
        ]
    )
    head = struct.pack("=BBH", Command.NEW_DEST, GENL_VERSION, 0)
    return head + _attribute(CMD_DEST, content)


def identity_of(key: ServiceKey) -> Identity:
    """Identity of a virtual service, as stored."""
    return parse_service(ServiceEncoder(key).get_service()).identity


def target_of(message: bytes, key: ServiceKey) -> DestinationKey | None:
    """Identity of the destination that a message is about."""
    found = decode.attributes(message[4:])
    if CMD_DEST not in found:
        return None
    inner = decode.attributes(found[CMD_DEST])
    number = inner.get(DEST_ADDR_FAMILY)
    family = key.family
    if number is not None:
        family = Family.INET if struct.unpack("=H", number)[0] == AF_INET else Family.INET6
    return decode.destination_key(inner, family)
