"""Encode: model values to generic netlink messages of IPVS.

A message here is what follows the netlink header: command, version and attributes, a multiple of
four bytes long. Everything of a virtual service is encoded once, in `ServiceEncoder`; a
destination then costs one pack and one concatenation (docs/adr: fixed structs, and not
pyroute2's calls, which take a hundred times as long).

Attributes that the kernel defaults to 0 are left out of the common message: the address family
when it is the service's own, and the tunnel's when there is none.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from socket import AF_INET, AF_INET6, htons

from clusterf.model.address import Address, Family
from clusterf.model.table import (
    Destination,
    DestinationKey,
    FwmarkKey,
    Method,
    Persistence,
    ServiceKey,
    Tunnel,
)
from clusterf_ipvs.constants import (
    ALL_FLAGS,
    CMD_DEST,
    CMD_SERVICE,
    DEST_ADDR,
    DEST_ADDR_FAMILY,
    DEST_FWD_METHOD,
    DEST_L_THRESH,
    DEST_PORT,
    DEST_TUN_FLAGS,
    DEST_TUN_PORT,
    DEST_TUN_TYPE,
    DEST_U_THRESH,
    DEST_WEIGHT,
    FAMILIES,
    FLAG_BITS,
    GENL_VERSION,
    METHODS,
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
    Command,
    attribute_header,
)
from clusterf_ipvs.kernel import Row

_GENL = struct.Struct("=BBH")
_REQUEST = struct.Struct("=BBHHH")
_HEAD = struct.Struct("=HH")
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
_MARK = struct.Struct("=IHxxII")
_H_SVC_AF = attribute_header(2, SVC_AF)
_H_SVC_PROTOCOL = attribute_header(2, SVC_PROTOCOL)
_H_SVC_ADDR4, _H_SVC_ADDR6 = attribute_header(4, SVC_ADDR), attribute_header(16, SVC_ADDR)
_H_SVC_PORT = attribute_header(2, SVC_PORT)
_H_SVC_FWMARK = attribute_header(4, SVC_FWMARK)
_U16 = struct.Struct("=IHxx")
_U32 = struct.Struct("=II")
_IDENTITY = struct.Struct("=IHxxIHxxI")
# What a service's identity has before its address, by protocol.
_HEADS4, _HEADS6 = (
    {
        protocol: _IDENTITY.pack(_H_SVC_AF, family, _H_SVC_PROTOCOL, number, address)
        for protocol, number in PROTOCOLS.items()
    }
    for family, address in ((AF_INET, _H_SVC_ADDR4), (AF_INET6, _H_SVC_ADDR6))
)
_MASQ, _DROUTE = METHODS[Method.MASQ], METHODS[Method.DROUTE]
_INET, _INET6 = Family.INET, Family.INET6
_BY_MASQ, _BY_TUNNEL = Method.MASQ, Method.TUNNEL

# A destination's identity is its address and port; its settings are method, weight, upper and
# lower threshold; the rest is family, tunnel type, tunnel port and tunnel flags.
_SETTINGS = "IIIIIIII"
_REST = "IHxxIBxxxIHxxIHxx"
_PLAIN4 = struct.Struct("=II4sIHxx" + _SETTINGS)
_pack_plain4 = _PLAIN4.pack
_PLAIN6 = struct.Struct("=II16sIHxx" + _SETTINGS)
_FULL4 = struct.Struct("=II4sIHxx" + _SETTINGS + _REST)
_FULL6 = struct.Struct("=II16sIHxx" + _SETTINGS + _REST)

_H_ADDR4, _H_ADDR6 = attribute_header(4, DEST_ADDR), attribute_header(16, DEST_ADDR)
_H_PORT = attribute_header(2, DEST_PORT)
_H_METHOD = attribute_header(4, DEST_FWD_METHOD)
_H_WEIGHT = attribute_header(4, DEST_WEIGHT)
_H_UPPER = attribute_header(4, DEST_U_THRESH)
_H_LOWER = attribute_header(4, DEST_L_THRESH)
_H_FAMILY = attribute_header(2, DEST_ADDR_FAMILY)
_H_TUN_TYPE = attribute_header(1, DEST_TUN_TYPE)
_H_TUN_PORT = attribute_header(2, DEST_TUN_PORT)
_H_TUN_FLAGS = attribute_header(2, DEST_TUN_FLAGS)
_N_PLAIN4 = attribute_header(_PLAIN4.size - 4, CMD_DEST)
_N_PLAIN6 = attribute_header(_PLAIN6.size - 4, CMD_DEST)
_N_FULL4 = attribute_header(_FULL4.size - 4, CMD_DEST)
_N_FULL6 = attribute_header(_FULL6.size - 4, CMD_DEST)

LIST_SERVICES = _GENL.pack(Command.GET_SERVICE, GENL_VERSION, 0)
"""Dump request: all virtual services of the network namespace."""

GET_INFO = _GENL.pack(Command.GET_INFO, GENL_VERSION, 0)
"""Request: version of IPVS and size of its connection table."""


class ServiceEncoder:
    """Messages about one virtual service and its destinations."""

    __slots__ = ("_identity", "family")

    def __init__(self, key: ServiceKey) -> None:
        if isinstance(key, FwmarkKey):
            self.family = key.family
            self._identity = _MARK.pack(_H_SVC_AF, FAMILIES[key.family], _H_SVC_FWMARK, key.mark)
            return
        protocol, address, port = key
        self.family, heads = (_INET, _HEADS4) if len(address) == 4 else (_INET6, _HEADS6)
        self._identity = heads[protocol] + address + _U16.pack(_H_SVC_PORT, htons(port))

    # --- the virtual service ---------------------------------------------------------------

    def new_service(
        self, scheduler: str, flags: frozenset[str], persistence: Persistence | None
    ) -> bytes:
        """IPVS_CMD_NEW_SERVICE."""
        settings = _service_settings(self.family, scheduler, flags, persistence)
        return _request(Command.NEW_SERVICE, self._identity + settings)

    def set_service(
        self, scheduler: str, flags: frozenset[str], persistence: Persistence | None
    ) -> bytes:
        """IPVS_CMD_SET_SERVICE: edits in place, the scheduler too."""
        settings = _service_settings(self.family, scheduler, flags, persistence)
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
        return request + _destination(self.family, key, destination)

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
        if not alike:
            return [self.new_destination(*pair) for pair in destinations.items()]
        before, after = _around(self.family, width, port, first)
        return (Row(_request(Command.NEW_DEST, self._identity) + before, addresses, after),)

    def set_destination(self, key: DestinationKey, destination: Destination) -> bytes:
        """IPVS_CMD_SET_DEST: edits in place, the method too."""
        return _request(Command.SET_DEST, self._identity) + _destination(
            self.family, key, destination
        )

    def del_destination(self, key: DestinationKey) -> bytes:
        """IPVS_CMD_DEL_DEST."""
        address = key.address
        identity = _attribute(DEST_ADDR, address) + _U16.pack(_H_PORT, htons(key.port))
        if address.family is not self.family:
            identity += _U16.pack(_H_FAMILY, FAMILIES[address.family])
        request = _request(Command.DEL_DEST, self._identity)
        return request + _attribute(CMD_DEST, identity)


def _attribute(kind: int, content: bytes) -> bytes:
    size = len(content)
    return _HEAD.pack(size + 4, kind) + content + _PADDING[size & 3]


def _request(command: Command, service: bytes) -> bytes:
    """Command with an attribute for the service; ``service`` is a multiple of four long."""
    return _REQUEST.pack(command, GENL_VERSION, 0, len(service) + 4, CMD_SERVICE) + service


@lru_cache(maxsize=256)
def _service_settings(
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
        netmask = ((ONES4 << (32 - prefix)) & ONES4).to_bytes(4)
    else:
        netmask = struct.pack("=I", prefix)
    return (
        _attribute(SVC_SCHED_NAME, scheduler.encode() + b"\0")
        + _attribute(SVC_FLAGS, struct.pack("=II", bits, ALL_FLAGS))
        + _U32.pack(attribute_header(4, SVC_TIMEOUT), timeout)
        + _attribute(SVC_NETMASK, netmask)
    )


def flag_bits(flag: str) -> int:
    """Bits of a flag's word; ``0x40`` stands for bits that have no word."""
    bits = FLAG_BITS.get(flag)
    return int(flag, 16) if bits is None else bits


def _destination(family: Family, key: tuple[Address, int], destination: Destination) -> bytes:
    """IPVS_CMD_ATTR_DEST with all settings, for a service of ``family``.

    Runs once for every destination of the cluster: the common case looks up as little as it can.
    """
    address, port = key
    method = destination.method
    if method is not _BY_TUNNEL and len(address) == 4 and family is _INET:
        return _pack_plain4(
            _N_PLAIN4,
            _H_ADDR4,
            address,
            _H_PORT,
            htons(port),
            _H_METHOD,
            _MASQ if method is _BY_MASQ else _DROUTE,
            _H_WEIGHT,
            destination.weight,
            _H_UPPER,
            destination.upper_threshold,
            _H_LOWER,
            destination.lower_threshold,
        )
    four = len(address) == 4
    identity = (_H_ADDR4 if four else _H_ADDR6, address, _H_PORT, htons(port))
    settings = (
        *(_H_METHOD, METHODS[method], _H_WEIGHT, destination.weight),
        *(_H_UPPER, destination.upper_threshold, _H_LOWER, destination.lower_threshold),
    )
    if method is not _BY_TUNNEL and not four and family is not _INET:
        return _PLAIN6.pack(_N_PLAIN6, *identity, *settings)
    rest = (_H_FAMILY, AF_INET if four else AF_INET6, *_tunnel(destination.tunnel or Tunnel()))
    if four:
        return _FULL4.pack(_N_FULL4, *identity, *settings, *rest)
    return _FULL6.pack(_N_FULL6, *identity, *settings, *rest)


@lru_cache(maxsize=256)
def _around(family: Family, width: int, port: int, destination: Destination) -> tuple[bytes, bytes]:
    """What `_destination` has before and after an address: most of a cluster's are alike."""
    whole = _destination(family, (Address(width), port), destination)
    # First come the headers of the destination and of its address.
    return whole[:8], whole[8 + width :]


def _tunnel(tunnel: Tunnel) -> tuple[int, int, int, int, int, int]:
    """The port is in network order (ip_vs_genl_parse_dest), where pyroute2 declares host order."""
    return (
        *(_H_TUN_TYPE, TUNNEL_TYPES[tunnel.type]),
        *(_H_TUN_PORT, htons(tunnel.port)),
        *(_H_TUN_FLAGS, tunnel_flag_bits(tunnel.flags)),
    )


def tunnel_flag_bits(flags: str) -> int:
    """Bits of a tunnel's flags, its words joined by commas; words of `decode` alone are 0."""
    return sum(TUNNEL_FLAGS.get(word, 0) for word in flags.split(","))
