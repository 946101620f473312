"""A virtual service to bytes and back, and the requests about it and its destinations.

Everything of a virtual service is encoded once, in `ServiceEncoder`; a destination then costs one
pack and one concatenation (`destination_codec`), and destinations that are alike cost less still
(docs/adr: rows of messages).
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from socket import htons
from typing import Final, NamedTuple

from clusterf.model.address import Address, Family
from clusterf.model.table import (
    AddressKey,
    Destination,
    DestinationKey,
    FwmarkKey,
    Persistence,
    ServiceKey,
    VirtualService,
)
from clusterf_ipvs import destination_codec
from clusterf_ipvs.attributes import (
    FAMILIES,
    VERSION,
    DecodeError,
    contents,
    enclose,
    family_of,
    layout,
    message,
    nested,
    outermost,
    read_address,
)
from clusterf_ipvs.constants import CMD_SERVICE, Command, InfoAttr, SvcAttr
from clusterf_ipvs.kernel import Row
from clusterf_ipvs.words import (
    ALL_FLAGS,
    PERSISTENT,
    PROTOCOL_WORDS,
    PROTOCOLS,
    flag_bits,
    flag_words,
)

_ONES = 0xFFFFFFFF
_INET, _INET6 = Family.INET, Family.INET6

# The head of a message and that of IPVS_CMD_ATTR_SERVICE.
_pack_request = struct.Struct("=BBHHH").pack
_FLAGS = struct.Struct("=II")
# What a service's identity has before its address, by protocol; and what it has after.
_BEFORE4, _BEFORE6 = (
    {
        protocol: SvcAttr.AF.pack(FAMILIES[family])
        + SvcAttr.PROTOCOL.pack(number)
        + struct.pack("=I", address.header)
        for protocol, number in PROTOCOLS.items()
    }
    for family, address in ((_INET, SvcAttr.ADDR4), (_INET6, SvcAttr.ADDR6))
)
_pack_port = layout(SvcAttr.PORT).pack
_PORT = SvcAttr.PORT.header

LIST_SERVICES: Final = message(Command.GET_SERVICE)
"""Dump request: all virtual services of the network namespace."""

GET_INFO: Final = message(Command.GET_INFO)
"""Request: version of IPVS and size of its connection table."""


class Info(NamedTuple):
    """What IPVS says of itself."""

    version: str
    connection_table_size: int


class ServiceEncoder:
    """Messages about one virtual service and its destinations."""

    __slots__ = ("_identity", "family")

    def __init__(self, key: ServiceKey) -> None:
        if isinstance(key, FwmarkKey):
            self.family = key.family
            self._identity = SvcAttr.AF.pack(FAMILIES[key.family]) + SvcAttr.FWMARK.pack(key.mark)
            return
        protocol, address, port = key
        self.family, before = (_INET, _BEFORE4) if len(address) == 4 else (_INET6, _BEFORE6)
        self._identity = before[protocol] + address + _pack_port(_PORT, htons(port))

    # --- the virtual service ---------------------------------------------------------------

    def new_service(
        self, scheduler: str, flags: frozenset[str], persistence: Persistence | None
    ) -> bytes:
        """IPVS_CMD_NEW_SERVICE."""
        settings = _encode_settings(self.family, scheduler, flags, persistence)
        return _request(Command.NEW_SERVICE, self._identity + settings)

    def set_service(
        self, scheduler: str, flags: frozenset[str], persistence: Persistence | None
    ) -> bytes:
        """IPVS_CMD_SET_SERVICE: edits in place, the scheduler too."""
        settings = _encode_settings(self.family, scheduler, flags, persistence)
        return _request(Command.SET_SERVICE, self._identity + settings)

    def del_service(self) -> bytes:
        """IPVS_CMD_DEL_SERVICE: goes with all its destinations."""
        return _request(Command.DEL_SERVICE, self._identity)

    def get_service(self) -> bytes:
        """IPVS_CMD_GET_SERVICE for this one service."""
        return _request(Command.GET_SERVICE, self._identity)

    def list_destinations(self) -> bytes:
        """Dump request: all destinations of this service."""
        return _request(Command.GET_DEST, self._identity)

    # --- destinations ----------------------------------------------------------------------

    def new_destination(self, key: DestinationKey, destination: Destination) -> bytes:
        """IPVS_CMD_NEW_DEST."""
        request = _request(Command.NEW_DEST, self._identity)
        return request + destination_codec.encode(self.family, key, destination)

    def new_destinations(
        self, destinations: Mapping[DestinationKey, Destination]
    ) -> Sequence[bytes | Row]:
        """IPVS_CMD_NEW_DEST for several: one row if they are alike in all but their addresses.

        Everything that is done for each of them is done in C.
        """
        size = len(destinations)
        if not size:
            return ()
        addresses: tuple[Address, ...]
        ports: tuple[int, ...]
        addresses, ports = zip(*destinations)  # noqa: B905 # keys are pairs, and this is hot
        settings = list(destinations.values())
        first, port, width = settings[0], ports[0], len(addresses[0])
        alike = (
            settings.count(first) == size
            and ports.count(port) == size
            # No address is longer than one of 16 bytes or shorter than one of 4.
            and len(b"".join(addresses)) == size * width
        )
        request, family = _request(Command.NEW_DEST, self._identity), self.family
        if not alike:
            encode = destination_codec.encode
            return [request + encode(family, *pair) for pair in destinations.items()]
        before, after = destination_codec.around(family, width, port, first)
        return (Row(request + before, addresses, after),)

    def set_destination(self, key: DestinationKey, destination: Destination) -> bytes:
        """IPVS_CMD_SET_DEST: edits in place, the method too."""
        request = _request(Command.SET_DEST, self._identity)
        return request + destination_codec.encode(self.family, key, destination)

    def del_destination(self, key: DestinationKey) -> bytes:
        """IPVS_CMD_DEL_DEST."""
        request = _request(Command.DEL_DEST, self._identity)
        return request + destination_codec.encode_key(self.family, key)


def _request(command: Command, service: bytes) -> bytes:
    """Command with an attribute for the service; ``service`` is a multiple of four long."""
    return _pack_request(command, VERSION, 0, len(service) + 4, CMD_SERVICE) + service


@lru_cache(maxsize=256)
def _encode_settings(
    family: Family, scheduler: str, flags: frozenset[str], persistence: Persistence | None
) -> bytes:
    """Scheduler, flags, timeout and netmask: most services of a cluster have the same.

    The netmask is a mask in network order for IPv4; for IPv6 the same field takes the length of
    a prefix in host order, from 1 to 128, and anything else is EINVAL (ip_vs_ctl.c,
    ip_vs_add_service). Without persistence it is not used, but must be there.
    """
    bits = 0
    for flag in flags:
        bits |= flag_bits(flag)
    timeout, prefix = 0, family.bits
    if persistence is not None:
        bits |= PERSISTENT
        timeout, prefix = persistence
    if family is Family.INET:
        netmask = SvcAttr.NETMASK4.pack((_ONES << (32 - prefix)) & _ONES)
    else:
        netmask = SvcAttr.NETMASK6.pack(prefix)
    return (
        enclose(SvcAttr.SCHED_NAME, scheduler.encode() + b"\0")
        + enclose(SvcAttr.FLAGS.kind, _FLAGS.pack(bits, ALL_FLAGS))
        + SvcAttr.TIMEOUT.pack(timeout)
        + netmask
    )


# --- and back --------------------------------------------------------------------------------


def decode(reported: bytes) -> tuple[ServiceKey | None, VirtualService]:
    """One virtual service, without its destinations; None as in `decode_key`.

    Raises:
        DecodeError: not a message about a whole service.
    """
    found = contents(nested(reported, CMD_SERVICE))
    key = decode_key(found)
    scheduler, flags = found.get(SvcAttr.SCHED_NAME), found.get(SvcAttr.FLAGS.kind)
    if scheduler is None or flags is None or len(flags) < 4:
        raise DecodeError("a setting of the service is missing or short")
    family = family_of(SvcAttr.AF.read(found))
    netmask = SvcAttr.NETMASK4 if family is Family.INET else SvcAttr.NETMASK6
    return key, _decode_settings(
        family,
        scheduler,
        int.from_bytes(flags[:4], sys.byteorder),
        SvcAttr.TIMEOUT.read(found),
        netmask.read(found),
    )


def decode_key(found: Mapping[int, bytes]) -> ServiceKey | None:
    """Identity of a virtual service; None: a protocol that clusterf has no word for.

    A service with a firewall mark has no address when it is dumped.

    Raises:
        DecodeError: a part of it is missing.
    """
    family = family_of(SvcAttr.AF.read(found))
    if SvcAttr.FWMARK.kind in found:
        return FwmarkKey(family, SvcAttr.FWMARK.read(found))
    protocol = PROTOCOL_WORDS.get(SvcAttr.PROTOCOL.read(found))
    address = read_address(found, SvcAttr.ADDR6.kind, family)
    port = SvcAttr.PORT.read(found)
    return None if protocol is None else AddressKey(protocol, address, port)


@lru_cache(maxsize=256)
def _decode_settings(
    family: Family, scheduler: bytes, bits: int, timeout: int, netmask: int
) -> VirtualService:
    """Settings as a service without destinations; most services of a cluster share them."""
    name = scheduler.split(b"\0", 1)[0].decode("ascii", "backslashreplace")
    persistence = None
    if bits & PERSISTENT:
        prefix = _prefix(netmask) if family is Family.INET else netmask
        persistence = Persistence(timeout, prefix)
    return VirtualService(name, flag_words(name, bits), persistence)


def _prefix(mask: int) -> int:
    """Length of an IPv4 mask; 0, which nobody asks for, when its ones are not in one row."""
    inverse = mask ^ _ONES
    return 32 - inverse.bit_length() if inverse & (inverse + 1) == 0 else 0


def decode_info(answer: bytes) -> Info:
    """Answer to `GET_INFO`.

    Raises:
        DecodeError: not such an answer.
    """
    found = outermost(answer)
    code = InfoAttr.VERSION.read(found)
    version = f"{code >> 16 & 0xFF}.{code >> 8 & 0xFF}.{code & 0xFF}"
    return Info(version, InfoAttr.CONN_TAB_SIZE.read(found))
