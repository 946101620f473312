"""Numbers of the kernel's interface, from linux/ip_vs.h, linux/netlink.h and linux/genetlink.h."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

from clusterf_ipvs.attributes import Attribute

FAMILY_NAME: Final = b"IPVS\0"


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


# IPVS_CMD_ATTR_*: the outermost attributes, which hold the others.
CMD_SERVICE: Final = 1
CMD_DEST: Final = 2


class SvcAttr:
    """IPVS_SVC_ATTR_*. An address of IPv4 is padded to 16 bytes when the kernel reports it."""

    AF: Final = Attribute(1, "H")
    PROTOCOL: Final = Attribute(2, "H")
    ADDR4: Final = Attribute(3, "4s")
    ADDR6: Final = Attribute(3, "16s")
    PORT: Final = Attribute(4, "H", network=True)
    FWMARK: Final = Attribute(5, "I")
    SCHED_NAME: Final = 6
    """Text with a zero byte at its end."""
    FLAGS: Final = Attribute(7, "II")
    """Bits, and which of them count (struct ip_vs_flags)."""
    TIMEOUT: Final = Attribute(8, "I")
    NETMASK4: Final = Attribute(9, "I", network=True)
    NETMASK6: Final = Attribute(9, "I")
    """The length of a prefix, in the same attribute."""


class DestAttr:
    """IPVS_DEST_ATTR_*. An address of IPv4 is padded to 16 bytes when the kernel reports it."""

    ADDR4: Final = Attribute(1, "4s")
    ADDR6: Final = Attribute(1, "16s")
    PORT: Final = Attribute(2, "H", network=True)
    FWD_METHOD: Final = Attribute(3, "I")
    WEIGHT: Final = Attribute(4, "I")
    U_THRESH: Final = Attribute(5, "I")
    L_THRESH: Final = Attribute(6, "I")
    ACTIVE_CONNS: Final = Attribute(7, "I")
    INACT_CONNS: Final = Attribute(8, "I")
    PERSIST_CONNS: Final = Attribute(9, "I")
    ADDR_FAMILY: Final = Attribute(11, "H")
    TUN_TYPE: Final = Attribute(13, "B")
    TUN_PORT: Final = Attribute(14, "H", network=True)
    """Where pyroute2 declares the order of the machine (ip_vs_genl_parse_dest)."""
    TUN_FLAGS: Final = Attribute(15, "H")


class InfoAttr:
    """IPVS_INFO_ATTR_*."""

    VERSION: Final = Attribute(1, "I")
    CONN_TAB_SIZE: Final = Attribute(2, "I")


NO_SCHEDULER: Final = "none"
"""A service with this name has no scheduler: it holds destinations and schedules nothing."""

HASHING: Final = frozenset({"dh", "mh", "sh"})
"""Schedulers that compute a table from all destinations, again at every change of one."""

MH_PLACES: Final = 4093
"""Places in the table of ``mh`` (ip_vs_mh.c, CONFIG_IP_VS_MH_TAB_INDEX=12)."""

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
CTRL_ATTR_FAMILY_ID: Final = Attribute(1, "H")
CTRL_ATTR_FAMILY_NAME: Final = 2

NLMSG_HEADER: Final = struct.Struct("=IHHII")
"""Length, type, flags, sequence number, port of a netlink message."""
