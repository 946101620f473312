"""Decode: generic netlink messages of IPVS to model values.

Takes what `encode` makes and what the kernel answers. Anything that cannot be understood raises
`DecodeError` and nothing else. What a stranger may have put into the kernel and the model has no
word for is decoded to a value that equals nothing desired, so that it is repaired.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable
from functools import lru_cache
from socket import AF_INET, AF_INET6, ntohs
from typing import NamedTuple

from clusterf.model.address import Address, Family
from clusterf.model.table import (
    AddressKey,
    Connections,
    Destination,
    DestinationKey,
    FwmarkKey,
    Method,
    Persistence,
    ServiceKey,
    Tunnel,
    VirtualService,
)
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
    FLAG_BITS,
    HASHED,
    INFO_CONN_TAB_SIZE,
    INFO_VERSION,
    METHODS,
    ONE_PACKET,
    ONES4,
    PERSISTENT,
    PROTOCOLS,
    SVC_ADDR,
    SVC_AF,
    SVC_FLAGS,
    SVC_FWMARK,
    SVC_NETMASK,
    SVC_PORT,
    SVC_PROTOCOL,
    SVC_SCHED_NAME,
    SVC_TIMEOUT,
    TUNNEL_FLAGS,
    TUNNEL_TYPES,
    attribute_header,
)

_METHODS = {number: method for method, number in METHODS.items()}
_PROTOCOLS = {int(number): protocol for protocol, number in PROTOCOLS.items()}
_TUNNEL_TYPES = {number: kind for kind, number in TUNNEL_TYPES.items()}
_TUNNEL_FLAGS = {number: word for word, number in TUNNEL_FLAGS.items()}
_ATTRIBUTE = struct.Struct("=HH")


class DecodeError(ValueError):
    """The bytes are not a message of IPVS."""


class Info(NamedTuple):
    """What IPVS says of itself."""

    version: str
    connection_table_size: int


class Entry(NamedTuple):
    """One destination as the kernel reports it."""

    key: DestinationKey
    destination: Destination
    connections: Connections


# --- attributes ------------------------------------------------------------------------------


def attributes(data: bytes) -> dict[int, bytes]:
    """Contents of a row of attributes by their type; of two with one type the last counts.

    Raises:
        DecodeError: a length does not fit.
    """
    found: dict[int, bytes] = {}
    offset, end = 0, len(data)
    while offset + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4 or offset + length > end:
            raise DecodeError(f"attribute {kind} has a length of {length} of {end - offset}")
        found[kind & 0x3FFF] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def nested(message: bytes, kind: int) -> bytes:
    """Content of one outermost attribute of a message.

    Raises:
        DecodeError: it is not there.
    """
    content = attributes(message[4:]).get(kind)
    if content is None:
        raise DecodeError(f"attribute {kind} is missing")
    return content


def _number(found: dict[int, bytes], kind: int, size: int, default: int | None = None) -> int:
    content = found.get(kind)
    if content is None and default is not None:
        return default
    if content is None or len(content) < size:
        raise DecodeError(f"attribute {kind} is missing or short")
    return int.from_bytes(content[:size], sys.byteorder)


def _port(found: dict[int, bytes], kind: int, default: int | None = None) -> int:
    return ntohs(_number(found, kind, 2, default))


def _address(content: bytes | None, family: Family) -> Address:
    size = family.bits // 8
    if content is None or len(content) < size:
        raise DecodeError("an address is missing or short")
    return Address(content[:size])


def _family(number: int) -> Family:
    if number == AF_INET:
        return Family.INET
    if number == AF_INET6:
        return Family.INET6
    raise DecodeError(f"address family {number} is unknown")


# --- virtual services ------------------------------------------------------------------------


def service_key(found: dict[int, bytes]) -> ServiceKey | None:
    """Identity of a virtual service; None: a protocol that clusterf has no word for.

    A service with a firewall mark has no address when it is dumped.
    """
    family = _family(_number(found, SVC_AF, 2))
    if SVC_FWMARK in found:
        return FwmarkKey(family, _number(found, SVC_FWMARK, 4))
    protocol = _PROTOCOLS.get(_number(found, SVC_PROTOCOL, 2))
    address = _address(found.get(SVC_ADDR), family)
    port = _port(found, SVC_PORT)
    return None if protocol is None else AddressKey(protocol, address, port)


def service(message: bytes) -> tuple[ServiceKey | None, VirtualService]:
    """One virtual service, without its destinations.

    Raises:
        DecodeError: not a message about a whole service.
    """
    found = attributes(nested(message, CMD_SERVICE))
    key = service_key(found)
    scheduler = found.get(SVC_SCHED_NAME)
    flags, netmask = found.get(SVC_FLAGS), found.get(SVC_NETMASK)
    if scheduler is None or flags is None or netmask is None or len(flags) < 4 or len(netmask) < 4:
        raise DecodeError("a setting of the service is missing or short")
    family = _family(_number(found, SVC_AF, 2))
    settings = _settings(
        family,
        scheduler,
        int.from_bytes(flags[:4], sys.byteorder),
        _number(found, SVC_TIMEOUT, 4),
        netmask,
    )
    return key, settings


@lru_cache(maxsize=256)
def _settings(
    family: Family, scheduler: bytes, bits: int, timeout: int, netmask: bytes
) -> VirtualService:
    """Settings as a service without destinations; most services of a cluster share them."""
    name = scheduler.split(b"\0", 1)[0].decode("ascii", "backslashreplace")
    persistence = None
    if bits & PERSISTENT:
        if family is Family.INET:
            prefix = _prefix(int.from_bytes(netmask[:4]))
        else:
            prefix = int.from_bytes(netmask[:4], sys.byteorder)
        persistence = Persistence(timeout, prefix)
    return VirtualService(name, flag_words(name, bits), persistence)


def _prefix(mask: int) -> int:
    """Length of an IPv4 mask; 0, which nobody asks for, when its ones are not in one row."""
    inverse = mask ^ ONES4
    return 32 - inverse.bit_length() if inverse & (inverse + 1) == 0 else 0


def flag_words(scheduler: str, bits: int) -> frozenset[str]:
    """Flags in ipvsadm's words for this scheduler; bits without a word as ``0x40``."""
    words = set()
    if bits & ONE_PACKET:
        words.add("ops")
    for number, bit in enumerate((0x8, 0x10, 0x20), start=1):
        if bits & bit:
            own = [w for w in FLAG_BITS if w.startswith(f"{scheduler}-") and FLAG_BITS[w] == bit]
            words.add(own[0] if own else f"flag-{number}")
    if rest := bits & ~(PERSISTENT | HASHED | ONE_PACKET | 0x38):
        words.add(f"{rest:#x}")
    return frozenset(words)


# --- destinations ----------------------------------------------------------------------------

# What the kernel sends (ip_vs_genl_fill_dest), with a header word before each value, from the
# first byte after the generic netlink header. The counters' statistics follow.
_ROW = struct.Struct("=I I16s IHxx II II IBxxx IHxx IHxx II II II II II IHxx")
_ROW_END = 4 + _ROW.size
_unpack_row = _ROW.unpack_from
_HEADERS = (
    attribute_header(16, DEST_ADDR),
    attribute_header(2, DEST_PORT),
    attribute_header(4, DEST_FWD_METHOD),
    attribute_header(4, DEST_WEIGHT),
    attribute_header(1, DEST_TUN_TYPE),
    attribute_header(2, DEST_TUN_PORT),
    attribute_header(2, DEST_TUN_FLAGS),
    attribute_header(4, DEST_U_THRESH),
    attribute_header(4, DEST_L_THRESH),
    attribute_header(4, DEST_ACTIVE_CONNS),
    attribute_header(4, DEST_INACT_CONNS),
    attribute_header(4, DEST_PERSIST_CONNS),
    attribute_header(2, DEST_ADDR_FAMILY),
)


def destinations(
    messages: Iterable[bytes], family: Family
) -> tuple[dict[DestinationKey, Destination], dict[DestinationKey, Connections]]:
    """All destinations of a service of this family, and the counters of those of weight 0.

    A destination that is there twice counts once: a dump repeats entries when somebody adds to
    the service meanwhile.

    Raises:
        DecodeError: one of them is not a message about a whole destination.
    """
    found: dict[DestinationKey, Destination] = {}
    quiesced: dict[DestinationKey, Connections] = {}
    for message in messages:
        if len(message) >= _ROW_END:
            row = _unpack_row(message, 4)
            # The form in which kernels since 5.3 report every destination.
            if row[1::2] == _HEADERS and (row[26] == AF_INET or row[26] == AF_INET6):
                key = DestinationKey(
                    Address(row[2][:4] if row[26] == AF_INET else row[2]), ntohs(row[4])
                )
                weight = row[8]
                found[key] = _destination(
                    row[6], weight, row[16], row[18], row[10], row[12], row[14]
                )
                if not weight:
                    quiesced[key] = Connections(row[20], row[22])
                continue
        entry = destination(message, family)
        found[entry.key] = entry.destination
        if not entry.destination.weight:
            quiesced[entry.key] = entry.connections
    return found, quiesced


def destination(message: bytes, service_family: Family) -> Entry:
    """One destination of a service of this family, in whatever order its attributes are.

    Raises:
        DecodeError: not a message about a whole destination.
    """
    found = attributes(nested(message, CMD_DEST))
    family = service_family
    if number := _number(found, DEST_ADDR_FAMILY, 2, 0):
        # Kernels before 3.18 have no such attribute, and no mixed families.
        family = _family(number)
    return Entry(
        destination_key(found, family),
        _destination(
            _number(found, DEST_FWD_METHOD, 4),
            _number(found, DEST_WEIGHT, 4),
            _number(found, DEST_U_THRESH, 4),
            _number(found, DEST_L_THRESH, 4),
            _number(found, DEST_TUN_TYPE, 1, 0),
            _number(found, DEST_TUN_PORT, 2, 0),
            _number(found, DEST_TUN_FLAGS, 2, 0),
        ),
        Connections(
            _number(found, DEST_ACTIVE_CONNS, 4, 0), _number(found, DEST_INACT_CONNS, 4, 0)
        ),
    )


def destination_key(found: dict[int, bytes], family: Family) -> DestinationKey:
    """Identity of a destination."""
    return DestinationKey(_address(found.get(DEST_ADDR), family), _port(found, DEST_PORT))


@lru_cache(maxsize=4096)
def _destination(
    method: int, weight: int, upper: int, lower: int, kind: int, port: int, flags: int
) -> Destination:
    """Settings of a destination: shared, because most destinations of a cluster have the same."""
    known = _METHODS.get(method & 7)
    if known is None:
        # "local" and "bypass" of the kernel: told apart from masq by a tunnel that masq never has.
        return Destination(weight, Method.MASQ, upper, lower, Tunnel(flags=f"method-{method & 7}"))
    tunnel = _tunnel(kind, ntohs(port), flags) if known is Method.TUNNEL else None
    return Destination(weight, known, upper, lower, tunnel)


def _tunnel(kind: int, port: int, flags: int) -> Tunnel:
    words = [word for bit, word in _TUNNEL_FLAGS.items() if bit and flags & bit]
    if rest := flags & ~3:
        words.append(f"{rest:#x}")
    known = _TUNNEL_TYPES.get(kind)
    if known is None:
        return Tunnel(port=port, flags=",".join([f"type-{kind}", *words]))
    return Tunnel(known, port, ",".join(words) or "nocsum")


# --- the rest --------------------------------------------------------------------------------


def info(message: bytes) -> Info:
    """Answer to GET_INFO.

    Raises:
        DecodeError: not such an answer.
    """
    found = attributes(message[4:])
    code = _number(found, INFO_VERSION, 4)
    version = f"{code >> 16 & 0xFF}.{code >> 8 & 0xFF}.{code & 0xFF}"
    return Info(version, _number(found, INFO_CONN_TAB_SIZE, 4))
