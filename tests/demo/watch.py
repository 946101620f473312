"""Tells every change of this kernel's IPVS table: what the demo believes, and not clusterf's word.

    python -I -S tests/demo/watch.py

Runs in the director's kernel until it is ended, or its input ends. Each line is one state of the
table, as JSON: ``{"TCP 198.51.100.10:80": {"203.0.113.2:8080": 10}}``, weights by destination.
Connection counters are left out: they change all the time. Imports little, since it starts in a
guest.

It looks from time to time, for the kernel tells nobody: see tests/lab/polling.py.
"""

from __future__ import annotations

import json
import select
import sys

TABLE = "/proc/net/ip_vs"
EVERY = 0.02
"""Seconds between two looks."""


def read(text: str) -> dict[str, dict[str, int]]:
    """The file that net/netfilter/ipvs/ip_vs_ctl.c (ip_vs_info_seq_show) writes.

    A service is ``TCP  C633640A:0050 rr``, a destination below it
    ``  -> CB007102:1F90      Masq    10     0          0``. IPv6 addresses stand in brackets, in
    full, and stay so.
    """
    table: dict[str, dict[str, int]] = {}
    below: dict[str, int] = {}
    for line in text.splitlines()[3:]:
        words = line.split()
        if words[0] == "->":
            below[_endpoint(words[1])] = int(words[3])
        else:
            below = table[f"{words[0]} {_endpoint(words[1])}"] = {}
    return table


def _endpoint(text: str) -> str:
    address, _, port = text.rpartition(":")
    if not address.startswith("["):
        address = ".".join(str(byte) for byte in bytes.fromhex(address))
    return f"{address}:{int(port, 16)}"


def main() -> None:
    before: object = None
    ended: list[object] = []
    while not ended:
        with open(TABLE, encoding="ascii") as file:  # noqa: PTH123 # pathlib is slow to import
            table = read(file.read())
        if table != before:
            sys.stdout.write(json.dumps(table) + "\n")
            sys.stdout.flush()
            before = table
        ended, _, _ = select.select([sys.stdin], [], [], EVERY)


if __name__ == "__main__":
    main()
