"""The running engine between a source's record and the kernel's ACK.

    python -m tests.bench.running change SHAPE TIMES   one weight changes, again and again
    python -m tests.bench.running relist SHAPE         the source says all of it again

A source and the `ipvs` output, with everything of the engine between them. Each command prints a
JSON object; `ns` are the times that count.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import trio

from clusterf.config.configuration import Configuration, Core, Instance
from clusterf.engine.engine import Engine
from clusterf.model.address import Address
from clusterf.model.defaults import Defaults
from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Frontend, Ports, ServiceSpec
from clusterf.model.table import Method
from clusterf.plugin import OutputType, Settings, SourceType
from tests.bench import ours, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterf.model.operation import Operation, Outcome
    from clusterf.model.service import Record
    from clusterf.plugin import Context, Output, Publisher

_PROVENANCE: Final = Provenance("sources.bench")
_LONGEST: Final = 120.0
_QUIET: Final = 0.5
"""Seconds between two changes: closer ones are a storm to the engine, which then settles."""


@dataclass
class _Stand:
    """An engine with one source, which is this program, and one output, which it listens to."""

    shape: shapes.Shape
    publisher: Publisher | None = None
    carried_out: trio.Event = field(default_factory=trio.Event)
    outcomes: Sequence[Outcome] = ()

    async def run(self, publish: Publisher) -> None:
        """Be the source."""
        publish.replace(records(self.shape))
        self.publisher = publish
        await trio.sleep_forever()

    def listened(self, settings: Settings, context: Context) -> Output:
        """Make the output, and note when the kernel has answered."""
        output = ours.OUTPUT_TYPE.create(settings, context)  # type: ignore[arg-type] # its own
        carry_out = output.carry_out

        async def and_tell(operations: Sequence[Operation]) -> Sequence[Outcome]:
            self.outcomes = await carry_out(operations)
            self.carried_out.set()
            return self.outcomes

        output.carry_out = and_tell  # type: ignore[method-assign] # a listener, nothing else
        return output

    def engine(self) -> Engine:
        source = SourceType(
            name="bench", settings=Settings, create=lambda _settings, _context: self, summary=""
        )
        output = OutputType(
            name="ipvs", settings=ours.OUTPUT_TYPE.settings, create=self.listened, summary=""
        )
        configuration = Configuration(
            path=Path.cwd() / "clusterf.toml",
            core=Core(managed=ours.MANAGED, state_dir=Path.cwd(), start_wait=600.0),
            defaults=Defaults(method=Method.MASQ, weight=shapes.WEIGHT),
            sources={
                "sources.bench": Instance(name="sources.bench", type=source, settings=Settings())
            },
            outputs={
                "outputs.kernel": Instance(
                    name="outputs.kernel",
                    type=output,
                    settings=output.settings(),
                    look=1e6,  # no periodic look in the middle of a change
                )
            },
        )
        return Engine(configuration)


def records(shape: shapes.Shape) -> Iterator[Record]:
    """What a source knows that has the whole table."""
    ports = Ports(tcp=shapes.SERVICE_PORT)
    for service in range(shape.services):
        frontend = Frontend(ipv4=Address.parse(shape.vip(service)), ports=ports)
        yield ServiceSpec(
            name=f"s{service}", frontends=(frontend,), order=service, provenance=_PROVENANCE
        )
        for address in shape.backends(service):
            yield backend(service, address, shapes.WEIGHT)


def backend(service: int, address: str, weight: int) -> Backend:
    ports = Ports(tcp=shapes.DESTINATION_PORT)
    return Backend(
        service=f"s{service}",
        id=address,
        ipv4=Address.parse(address),
        ports=ports,
        weight=weight,
        provenance=_PROVENANCE,
    )


async def change(stand: _Stand, times: int) -> dict[str, Any]:
    """From the record to the ACK, `times` times; the first change warms up and does not count."""
    taken = []
    for turn in range(times + 1):
        # Spread over the table: the place of a service in it must not matter.
        service = turn * stand.shape.services // (times + 1)
        changed = backend(service, stand.shape.backends(service)[0], shapes.WEIGHT + 1 + turn % 2)
        stand.carried_out = trio.Event()
        await trio.sleep(_QUIET)
        assert stand.publisher is not None
        began = time.perf_counter_ns()
        stand.publisher.put(changed)
        await stand.carried_out.wait()
        taken.append(time.perf_counter_ns() - began)
        if [bool(outcome.error) for outcome in stand.outcomes] != [False]:
            raise SystemExit(f"one changed weight became {stand.outcomes}")
    return {"ns": taken[1:]}


async def relist(stand: _Stand, engine: Engine) -> dict[str, Any]:
    """How many services an unchanged list of everything marks, and what it costs to say."""
    everything = list(records(stand.shape))
    assert stand.publisher is not None
    began = time.perf_counter_ns()
    stand.publisher.replace(everything)
    ns = time.perf_counter_ns() - began
    return {"ns": [ns], "marked": len(engine.board.take())}


async def main() -> None:
    command, text, *rest = sys.argv[1:]
    stand = _Stand(shapes.Shape.parse(text))
    engine = stand.engine()
    with trio.fail_after(_LONGEST):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.run)
            await stand.carried_out.wait()
            if command == "change":
                told = await change(stand, int(rest[0]))
            else:
                told = await relist(stand, engine)
            engine.stop()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    trio.run(main)
