"""Numbers of the kernel's interface, from linux/ip_vs.h, linux/netlink.h and linux/genetlink.h."""

from __future__ import annotations

import socket
import struct
from enum import IntEnum
from typing import Final

from clusterf.model.address import Family
from clusterf.model.table import Method, Protocol, TunnelType

FAMILY_NAME: Final = b"IPVS\0"
GENL_VERSION: Final = 1


class Command(IntEnum):
    """IPVS_CMD_*; the first byte of every message."""

    NEW_SERVICE = 1
    SET_SERVICE = 2
    DEL_SERVICE = 3
    GET_SERVICE = 4
    NEW_DEST = 5
    SET_DEST = 6
    DEL_DEST = 7
    GET_DEST = 8
    SET_INFO = 14
    GET_INFO = 15
    FLUSH = 17


# IPVS_CMD_ATTR_*: the outermost attributes.
CMD_SERVICE: Final = 1
CMD_DEST: Final = 2

# IPVS_SVC_ATTR_*
SVC_AF: Final = 1
SVC_PROTOCOL: Final = 2
SVC_ADDR: Final = 3
SVC_PORT: Final = 4
SVC_FWMARK: Final = 5
SVC_SCHED_NAME: Final = 6
SVC_FLAGS: Final = 7
SVC_TIMEOUT: Final = 8
SVC_NETMASK: Final = 9

# IPVS_DEST_ATTR_*
DEST_ADDR: Final = 1
DEST_PORT: Final = 2
DEST_FWD_METHOD: Final = 3
DEST_WEIGHT: Final = 4
DEST_U_THRESH: Final = 5
DEST_L_THRESH: Final = 6
DEST_ACTIVE_CONNS: Final = 7
DEST_INACT_CONNS: Final = 8
DEST_PERSIST_CONNS: Final = 9
DEST_ADDR_FAMILY: Final = 11
DEST_TUN_TYPE: Final = 13
DEST_TUN_PORT: Final = 14
DEST_TUN_FLAGS: Final = 15

# IPVS_INFO_ATTR_*
INFO_VERSION: Final = 1
INFO_CONN_TAB_SIZE: Final = 2

# IP_VS_SVC_F_*
PERSISTENT: Final = 0x1
HASHED: Final = 0x2
"""Set by the kernel in every service that it reports; of no meaning to anybody else."""
ONE_PACKET: Final = 0x4
ALL_FLAGS: Final = 0xFFFFFFFF

NO_SCHEDULER: Final = "none"
"""A service with this name has no scheduler: it holds destinations and schedules nothing."""

HASHING: Final = frozenset({"dh", "mh", "sh"})
"""Schedulers that compute a table from all destinations, again at every change of one."""

MH_PLACES: Final = 4093
"""Places in the table of ``mh`` (ip_vs_mh.c, CONFIG_IP_VS_MH_TAB_INDEX=12)."""

ONES4: Final = 0xFFFFFFFF

PROTOCOLS: Final = {
    Protocol.TCP: socket.IPPROTO_TCP,
    Protocol.UDP: socket.IPPROTO_UDP,
    Protocol.SCTP: socket.IPPROTO_SCTP,
}
FAMILIES: Final = {Family.INET: socket.AF_INET, Family.INET6: socket.AF_INET6}
METHODS: Final = {Method.MASQ: 0, Method.TUNNEL: 2, Method.DROUTE: 3}
TUNNEL_TYPES: Final = {TunnelType.IPIP: 0, TunnelType.GUE: 1, TunnelType.GRE: 2}
TUNNEL_FLAGS: Final = {"nocsum": 0, "csum": 1, "remcsum": 2}

FLAG_BITS: Final = {
    "ops": ONE_PACKET,
    "mh-fallback": 0x8,
    "mh-port": 0x10,
    "sh-fallback": 0x8,
    "sh-port": 0x10,
    "flag-1": 0x8,
    "flag-2": 0x10,
    "flag-3": 0x20,
}
"""Flags by ipvsadm's words; ``flag-1`` to ``flag-3`` are those of schedulers without own words."""

# linux/netlink.h
NLMSG_ERROR: Final = 2
NLMSG_DONE: Final = 3
NLM_F_REQUEST: Final = 0x1
NLM_F_ACK: Final = 0x4
NLM_F_DUMP: Final = 0x300
NLM_F_DUMP_INTR: Final = 0x10
SOL_NETLINK: Final = 270
NETLINK_CAP_ACK: Final = 10
NETLINK_EXT_ACK: Final = 11
NETLINK_GENERIC: Final = 16
SO_SNDBUFFORCE: Final = 32
SO_RCVBUFFORCE: Final = 33

# linux/genetlink.h
GENL_ID_CTRL: Final = 0x10
CTRL_CMD_GETFAMILY: Final = 3
CTRL_ATTR_FAMILY_ID: Final = 1
CTRL_ATTR_FAMILY_NAME: Final = 2

NLMSG_HEADER: Final = struct.Struct("=IHHII")
"""Length, type, flags, sequence number, port of a netlink message."""


def attribute_header(length: int, kind: int) -> int:
    """Head of an attribute with ``length`` bytes of content, as one 32-bit word of this machine."""
    word: int = struct.unpack("=I", struct.pack("=HH", 4 + length, kind))[0]
    return word
