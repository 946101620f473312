"""Our own programming of the kernel, through the public protocol of the `ipvs` output.

    python -m tests.bench.ours load SHAPE    an empty kernel: plan and carry out the whole table
    python -m tests.bench.ours again SHAPE   the table is there: look at it and plan

Each prints a JSON object; `ns` are the times that count.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import trio

from clusterf.model.address import Address, Network
from clusterf.model.table import (
    AddressKey,
    Destination,
    DestinationKey,
    Method,
    Protocol,
    VirtualService,
)
from clusterf.testing import InstanceContext
from clusterf_ipvs import clusterf_register_outputs
from tests.bench import shapes

if TYPE_CHECKING:
    from clusterf.model.operation import Plan
    from clusterf.model.table import ServiceKey
    from clusterf.plugin import Output

MANAGED: Final = (Network.parse("10.0.0.0/8"),)
(OUTPUT_TYPE,) = clusterf_register_outputs()


@dataclass
class _Desired:
    """The engine's side of `plan`: a table whose sources have all spoken."""

    table: dict[ServiceKey, VirtualService]
    hold: str | None = None

    def departed(self, key: ServiceKey, target: DestinationKey | None = None) -> bool:
        del key, target
        return False

    def serving(self, address: Address) -> bool:
        del address
        return True

    def held(self, address: Address) -> bool:
        del address
        return False


def _table(shape: shapes.Shape) -> dict[ServiceKey, VirtualService]:
    """Build the table of `shape` as the pipeline would leave it."""
    result: dict[ServiceKey, VirtualService] = {}
    alike = Destination(shapes.WEIGHT, Method.MASQ)
    for service in range(shape.services):
        key = AddressKey(Protocol.TCP, Address.parse(shape.vip(service)), shapes.SERVICE_PORT)
        destinations = {
            DestinationKey(Address.parse(address), shapes.DESTINATION_PORT): alike
            for address in shape.backends(service)
        }
        result[key] = VirtualService(shapes.SCHEDULER, destinations=destinations)
    return result


def _output() -> Output:
    """Create the output as the engine does, with its default settings."""
    context = InstanceContext("outputs.kernel", folder=Path(), managed=MANAGED)
    return OUTPUT_TYPE.create(OUTPUT_TYPE.settings(), context)


async def _carry_out(output: Output, plan: Plan) -> None:
    outcomes = await output.carry_out(plan.operations)
    wrong = [outcome.error for outcome in outcomes if outcome.error]
    if wrong:
        raise SystemExit(f"{len(wrong)} operations failed; the first: {wrong[0]}")


async def load(shape: shapes.Shape) -> dict[str, Any]:
    gc.disable()  # as the daemon does until its outputs have been round once
    desired, output = _Desired(_table(shape)), _output()
    began = time.perf_counter_ns()
    await output.observe(None)
    observed = time.perf_counter_ns()
    plan = output.plan(desired, None, trio.current_time())
    planned = time.perf_counter_ns()
    await _carry_out(output, plan)
    done = time.perf_counter_ns()
    return {
        "ns": [done - observed],
        "observe_ns": observed - began,
        "plan_ns": planned - observed,
        "peak_rss_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


async def again(shape: shapes.Shape) -> dict[str, Any]:
    """Look at a table that is as desired: how long that takes, how many operations follow."""
    desired, output = _Desired(_table(shape)), _output()
    began = time.perf_counter_ns()
    await output.observe(None)
    observed = time.perf_counter_ns()
    plan = output.plan(desired, None, trio.current_time())
    done = time.perf_counter_ns()
    await _carry_out(output, plan)
    return {
        "ns": [done - began],
        "observe_ns": observed - began,
        "operations": len(plan.operations),
    }


async def main() -> None:
    command, text = sys.argv[1:]
    told = await {"load": load, "again": again}[command](shapes.Shape.parse(text))
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    trio.run(main)
