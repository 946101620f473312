"""The table through pyroute2's high-level IPVS calls, one call an entry."""

from __future__ import annotations

import json
import socket
import sys
import time

from pyroute2 import IPVS, IPVSDest, IPVSService

from tests.bench import shapes


def main() -> None:
    shape = shapes.Shape.parse(sys.argv[1])
    table = [(shape.vip(n), shape.backends(n)) for n in range(shape.services)]
    with IPVS() as ipvs:
        began = time.perf_counter_ns()
        for vip, backends in table:
            service = IPVSService(
                addr=vip,
                port=shapes.SERVICE_PORT,
                protocol=socket.IPPROTO_TCP,
                sched_name=shapes.SCHEDULER,
            )
            ipvs.service("add", service=service)
            for address in backends:
                destination = IPVSDest(
                    addr=address,
                    port=shapes.DESTINATION_PORT,
                    weight=shapes.WEIGHT,
                    fwd_method=0,  # masq; the class's default is direct routing
                )
                ipvs.dest("add", service=service, dest=destination)
        elapsed = time.perf_counter_ns() - began
    sys.stdout.write(json.dumps({"ns": [elapsed]}))


if __name__ == "__main__":
    main()
