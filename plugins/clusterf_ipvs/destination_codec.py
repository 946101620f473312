"""A destination to bytes and back: the content of IPVS_CMD_ATTR_DEST.

Encoding and decoding a whole destination are one `struct` call each over all of its attributes
(docs/adr: fixed structs, and not pyroute2's calls, which take a hundred times as long). Anything
that cannot be understood raises `DecodeError` and nothing else. What a stranger may have put into
the kernel and the model has no word for is decoded to a value that equals nothing desired, so
that it is repaired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from socket import AF_INET, AF_INET6, htons, ntohs
from typing import Final, NamedTuple

from clusterf.model.address import Address, Family
from clusterf.model.table import (
    Connections,
    Destination,
    DestinationKey,
    Method,
    Tunnel,
    TunnelType,
)
from clusterf_ipvs.attributes import (
    FAMILIES,
    contents,
    enclose,
    family_of,
    layout,
    nested,
    read_address,
)
from clusterf_ipvs.constants import CMD_DEST, DestAttr
from clusterf_ipvs.words import (
    METHOD_BITS,
    METHOD_WORDS,
    METHODS,
    TUNNEL_TYPE_WORDS,
    TUNNEL_TYPES,
    tunnel_flag_bits,
    tunnel_words,
)

# The attributes that every destination needs. What the kernel defaults to 0 is left out of the
# common message: the family where it is the service's own, and the tunnel where there is none.
_ALWAYS = (
    DestAttr.PORT,
    DestAttr.FWD_METHOD,
    DestAttr.WEIGHT,
    DestAttr.U_THRESH,
    DestAttr.L_THRESH,
)
_BY_WIDTH = {
    address.size: (layout(address, *_ALWAYS).pack, address.header, family)
    for address, family in ((DestAttr.ADDR4, Family.INET), (DestAttr.ADDR6, Family.INET6))
}
"""Of an address: how to pack a row that begins with it, its header, its family."""
_TUNNEL = Method.TUNNEL
_PORT, _METHOD, _WEIGHT, _UPPER, _LOWER = (each.header for each in _ALWAYS)

REPORTED: Final = (
    DestAttr.ADDR6,
    DestAttr.PORT,
    DestAttr.FWD_METHOD,
    DestAttr.WEIGHT,
    DestAttr.TUN_TYPE,
    DestAttr.TUN_PORT,
    DestAttr.TUN_FLAGS,
    DestAttr.U_THRESH,
    DestAttr.L_THRESH,
    DestAttr.ACTIVE_CONNS,
    DestAttr.INACT_CONNS,
    DestAttr.PERSIST_CONNS,
    DestAttr.ADDR_FAMILY,
)
"""What kernels since 5.3 report of every destination, in their order (ip_vs_genl_fill_dest); the
statistics follow."""

_ROW_AT = 8  # behind the head of the message and that of IPVS_CMD_ATTR_DEST
_ROW = layout(*REPORTED)
_ROW_END = _ROW_AT + _ROW.size
_unpack_row = _ROW.unpack_from
_HEADERS = tuple(each.header for each in REPORTED)


class Entry(NamedTuple):
    """One destination as the kernel reports it."""

    key: DestinationKey
    destination: Destination
    connections: Connections


# --- to bytes --------------------------------------------------------------------------------


def encode(family: Family, key: DestinationKey, destination: Destination) -> bytes:
    """A whole destination, of a service of ``family``."""
    address, port = key
    pack, header, own = _BY_WIDTH[len(address)]
    method = destination.method
    row = pack(
        header,
        address,
        _PORT,
        htons(port),
        _METHOD,
        METHODS[method],
        _WEIGHT,
        destination.weight,
        _UPPER,
        destination.upper_threshold,
        _LOWER,
        destination.lower_threshold,
    )
    if method is _TUNNEL or own is not family:
        row += _encode_rest(own, destination.tunnel or Tunnel())
    return enclose(CMD_DEST, row)


@lru_cache(maxsize=256)
def _encode_rest(family: Family, tunnel: Tunnel) -> bytes:
    """The destination's own family, and its tunnel: most of a cluster have the same."""
    return (
        DestAttr.ADDR_FAMILY.pack(FAMILIES[family])
        + DestAttr.TUN_TYPE.pack(TUNNEL_TYPES[tunnel.type])
        + DestAttr.TUN_PORT.pack(tunnel.port)
        + DestAttr.TUN_FLAGS.pack(tunnel_flag_bits(tunnel.flags))
    )


def encode_key(family: Family, key: DestinationKey) -> bytes:
    """What identifies a destination of a service of ``family``."""
    address, port = key
    row = enclose(DestAttr.ADDR6.kind, address) + DestAttr.PORT.pack(port)
    if address.family is not family:
        row += DestAttr.ADDR_FAMILY.pack(FAMILIES[address.family])
    return enclose(CMD_DEST, row)


@lru_cache(maxsize=256)
def around(family: Family, width: int, port: int, destination: Destination) -> tuple[bytes, bytes]:
    """What `encode` has before and after an address of ``width`` bytes: most have the same."""
    whole = encode(family, DestinationKey(Address(width), port), destination)
    # First come the headers of the destination and of its address.
    return whole[:8], whole[8 + width :]


# --- and back --------------------------------------------------------------------------------


def decode_all(
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
            row = _unpack_row(message, _ROW_AT)
            if row[::2] == _HEADERS and (row[25] == AF_INET or row[25] == AF_INET6):
                key = DestinationKey(
                    Address(row[1][:4] if row[25] == AF_INET else row[1]), ntohs(row[3])
                )
                weight = row[7]
                found[key] = settings(row[5], weight, row[15], row[17], row[9], row[11], row[13])
                if not weight:
                    quiesced[key] = Connections(row[19], row[21])
                continue
        entry = decode(message, family)
        found[entry.key] = entry.destination
        if not entry.destination.weight:
            quiesced[entry.key] = entry.connections
    return found, quiesced


def decode(message: bytes, family: Family) -> Entry:
    """One destination of a service of ``family``, in whatever order its attributes are.

    Raises:
        DecodeError: not a message about a whole destination.
    """
    found = contents(nested(message, CMD_DEST))
    return Entry(
        decode_key(found, family),
        settings(
            DestAttr.FWD_METHOD.read(found),
            DestAttr.WEIGHT.read(found),
            DestAttr.U_THRESH.read(found),
            DestAttr.L_THRESH.read(found),
            DestAttr.TUN_TYPE.read(found, 0),
            htons(DestAttr.TUN_PORT.read(found, 0)),
            DestAttr.TUN_FLAGS.read(found, 0),
        ),
        Connections(DestAttr.ACTIVE_CONNS.read(found, 0), DestAttr.INACT_CONNS.read(found, 0)),
    )


def decode_key(found: Mapping[int, bytes], family: Family) -> DestinationKey:
    """Identity of a destination of a service of ``family``.

    Raises:
        DecodeError: half of it is missing.
    """
    # Kernels before 3.18 have no such attribute, and no mixed families.
    own = DestAttr.ADDR_FAMILY.read(found, 0)
    address = read_address(found, DestAttr.ADDR6.kind, family_of(own) if own else family)
    return DestinationKey(address, DestAttr.PORT.read(found))


@lru_cache(maxsize=4096)
def settings(
    method: int, weight: int, upper: int, lower: int, kind: int, port: int, flags: int
) -> Destination:
    """Settings of a destination: one object for all that are alike, as most of a cluster are.

    ``port`` is the tunnel's, in network order.
    """
    known = METHOD_WORDS.get(method & METHOD_BITS)
    if known is None:
        # "local" and "bypass" of the kernel: told apart from masq by a tunnel that masq never has.
        strange = Tunnel(flags=f"method-{method & METHOD_BITS}")
        return Destination(weight, Method.MASQ, upper, lower, strange)
    if known is not Method.TUNNEL:
        return Destination(weight, known, upper, lower)
    tunnel = Tunnel(
        TUNNEL_TYPE_WORDS.get(kind, TunnelType.IPIP), ntohs(port), tunnel_words(kind, flags)
    )
    return Destination(weight, known, upper, lower, tunnel)
