"""A drop-in with the command ``witness``: every command to IPVS that writes, as the kernel gets it.

It listens on a device of the kind nlmon, which is shown all of netlink in its network namespace
(drivers/net/nlmon.c). A line for each command: its name, and the process that sent it.
"""

import argparse
import socket
import struct
import sys
from collections.abc import Iterator

from clusterf.plugin import Command, Invocation, hookimpl

CLUSTERF_API = "1.0"

WRITES = {
    1: "NEW_SERVICE",
    2: "SET_SERVICE",
    3: "DEL_SERVICE",
    5: "NEW_DEST",
    6: "SET_DEST",
    7: "DEL_DEST",
    9: "NEW_DAEMON",
    10: "DEL_DAEMON",
    13: "SET_CONFIG",
    14: "SET_INFO",
    16: "ZERO",
    17: "FLUSH",
}
"""IPVS_CMD_* of linux/ip_vs.h."""

_CONTROLLER = 16  # GENL_ID_CTRL
_REQUEST = 1  # NLM_F_REQUEST
_ALL_PROTOCOLS = 3  # ETH_P_ALL


def family(name: bytes) -> int:
    """The number of a family of generic netlink, linux/genetlink.h."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as asked:
        padded = name + b"\0" * (4 - len(name) % 4)
        attribute = struct.pack("=HH", 4 + len(name) + 1, 2) + padded
        body = struct.pack("=BBxx", 3, 1) + attribute
        asked.send(struct.pack("=IHHII", 16 + len(body), _CONTROLLER, _REQUEST, 1, 0) + body)
        answer = asked.recv(65536)
    at = 20
    while at < len(answer):
        length, kind = struct.unpack_from("=HH", answer, at)
        if kind == 1:
            return int(struct.unpack_from("=H", answer, at + 4)[0])
        at += length + 3 & ~3
    raise LookupError(name)


def written(packet: bytes, ipvs: int) -> Iterator[str]:
    """The commands in what was sent to the kernel at once."""
    at = 0
    while at + 20 <= len(packet):
        length, kind, flags, _, sender = struct.unpack_from("=IHHII", packet, at)
        command = packet[at + 16]
        if kind == ipvs and flags & _REQUEST and command in WRITES:
            yield f"{WRITES[command]} of {sender}"
        at += max(16, length + 3 & ~3)


def tell(line: str) -> None:
    """At once, whoever reads it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument("device")


async def run(invocation: Invocation) -> int:
    """Print until it is ended."""
    ipvs = family(b"IPVS")
    protocol = socket.htons(_ALL_PROTOCOLS)
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, protocol) as listening:
        listening.bind((invocation.arguments.device, _ALL_PROTOCOLS))
        tell("listening")
        while True:
            for line in written(listening.recv(1 << 20), ipvs):
                tell(line)


@hookimpl
def clusterf_register_commands() -> list[Command]:
    """One command."""
    summary = "print every command to IPVS that writes"
    return [Command(name="witness", summary=summary, add_arguments=add_arguments, run=run)]
