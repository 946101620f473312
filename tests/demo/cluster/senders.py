"""Tells which network cards have sent the packets that come from an address.

    python -I -S tests/demo/cluster/senders.py INTERFACE IPV4 COUNT

Looks at COUNT packets that come in by the interface, and prints one line of JSON: how many of them
each Ethernet address has sent. See packet(7); it needs CAP_NET_RAW.
"""

from __future__ import annotations

import json
import socket
import sys
from collections import Counter

_IPV4 = 0x0800
_SECONDS = 20
"""Between two packets at most."""


def main() -> None:
    interface, address, count = sys.argv[1], socket.inet_aton(sys.argv[2]), int(sys.argv[3])
    senders: Counter[str] = Counter()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_IPV4)) as packets:
        packets.bind((interface, _IPV4))
        packets.settimeout(_SECONDS)
        while senders.total() < count:
            frame, (_, _, kind, *_) = packets.recvfrom(65536)
            # The source stands behind 14 bytes of Ethernet and 12 of IPv4 (RFC 791).
            if kind != socket.PACKET_OUTGOING and frame[26:30] == address:
                senders[frame[6:12].hex(":")] += 1
    sys.stdout.write(json.dumps(senders) + "\n")


if __name__ == "__main__":
    main()
