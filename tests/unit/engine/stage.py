# ruff: noqa: ARG002 - protocols name the arguments
"""A world for engines: sources that say what they are told, outputs on a model kernel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from clusterf.config.configuration import Configuration, Core, Instance
from clusterf.engine.engine import Engine
from clusterf.model.defaults import Defaults
from clusterf.model.errors import ClusterfError
from clusterf.model.operation import Operation, Outcome, Plan
from clusterf.model.provenance import Refusal
from clusterf.model.service import Facts, Record, Service, ServiceRef
from clusterf.model.table import ServiceKey
from clusterf.plugin.api import Context, OutputType, PolicyType, Publisher, SourceType
from clusterf.plugin.output import Again, Desired, OutputReport
from clusterf.plugin.settings import Settings
from tests.model_kernel import Kernel, KernelOutput
from tests.strategies import MANAGED, backend, frontend, ip, spec

WEB: list[Record] = [spec("web", frontend()), backend("b1"), backend("b2", 2)]
API: list[Record] = [spec("api", frontend("192.0.2.2")), backend("b1", service="api")]


class Words(Settings):
    """Settings of everything here; another ``word`` is another instance."""

    word: str = ""


class Stage:
    """The world that the instances of a test live in, by the names of the instances."""

    def __init__(self, state_dir: Path) -> None:
        self.kernel = Kernel()
        self.says: dict[str, list[Record] | None] = {}
        """What a source publishes when it starts; None: it stays silent."""
        self.down: dict[str, Exception] = {}
        self.sources: dict[str, Talker] = {}
        self.outputs: dict[str, KernelOutput] = {}
        self.happened: list[str] = []
        self.broken_policy = False
        self.state_dir = state_dir

    # --- types ---------------------------------------------------------------------------------

    def source(self, name: str, word: str = "", **facts: Any) -> Instance[SourceType[Any]]:
        of = SourceType(
            name="talker",
            settings=Words,
            create=self.make_source,
            summary="",
        )
        return Instance(name=f"sources.{name}", type=of, settings=Words(word=word), **facts)

    def output(self, name: str, word: str = "", **facts: Any) -> Instance[OutputType[Any]]:
        of = OutputType(name="kernel", settings=Words, create=self.make_output, summary="")
        return Instance(name=f"outputs.{name}", type=of, settings=Words(word=word), **facts)

    def follower(self, name: str, **facts: Any) -> Instance[OutputType[Any]]:
        of = OutputType(
            name="vips", settings=Words, create=self.make_follower, summary="", follows=True
        )
        return Instance(name=f"outputs.{name}", type=of, settings=Words(), **facts)

    def publication(self, name: str, **facts: Any) -> Instance[OutputType[Any]]:
        of = OutputType(
            name="told", settings=Words, create=self.make_publication, summary="", publishes=True
        )
        return Instance(name=f"outputs.{name}", type=of, settings=Words(), **facts)

    def policy(self, word: str = "") -> Instance[PolicyType[Any]]:
        of = PolicyType(name="p", settings=Words, create=self.make_policy, summary="")
        return Instance(name="policies[0]", type=of, settings=Words(word=word))

    def make_source(self, settings: Words, context: Context) -> Talker:
        if settings.word == "impossible":
            raise ClusterfError("sources cannot be made today")
        self.sources[context.name] = Talker(self, context.name)
        return self.sources[context.name]

    def make_output(self, settings: Words, context: Context) -> KernelOutput:
        self.outputs[context.name] = NamedOutput(self, context.name)
        return self.outputs[context.name]

    def make_follower(self, settings: Words, context: Context) -> Follower:
        return Follower(self)

    def make_publication(self, settings: Words, context: Context) -> Publication:
        return Publication(self, context.name)

    def make_policy(self, settings: Words, context: Context) -> Fickle:
        return Fickle(self, settings.word)

    # --- configurations ------------------------------------------------------------------------

    def configuration(
        self,
        *instances: Instance[Any],
        defaults: Defaults = Defaults(),  # noqa: B008 - a value
        start_wait: float = 5.0,
    ) -> Configuration:
        def named(kind: type[Any]) -> dict[str, Instance[Any]]:
            return {one.name: one for one in instances if isinstance(one.type, kind)}

        return Configuration(
            path=self.state_dir / "clusterf.toml",
            core=Core(
                managed=tuple(MANAGED.prefixes),
                state_dir=self.state_dir,
                start_wait=start_wait,
            ),
            defaults=defaults,
            sources=named(SourceType),
            policies=tuple(named(PolicyType).values()),
            outputs=named(OutputType),
        )

    @asynccontextmanager
    async def running(self, configuration: Configuration) -> AsyncIterator[Engine]:
        """Run an engine; it is stopped in order at the end."""
        engine = Engine(configuration)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.run)
            await wait_all_tasks_blocked()
            yield engine
            engine.stop()


class Talker:
    """A source that says what the stage has for it, and then what it is told to."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage, self.name = stage, name
        self.publish: Publisher | None = None

    async def run(self, publish: Publisher) -> None:
        self.stage.happened.append(f"{self.name} starts")
        try:
            if self.name in self.stage.down:
                raise self.stage.down[self.name]
            self.publish = publish
            says = self.stage.says.get(self.name, [])
            if says is not None:
                publish.replace(says)
            await trio.sleep_forever()
        finally:
            self.stage.happened.append(f"{self.name} ends")

    def speak(self, *records: Record) -> None:
        assert self.publish is not None
        self.publish.replace(records)


class NamedOutput(KernelOutput):
    """An output on the stage's kernel that tells its life."""

    def __init__(self, stage: Stage, name: str) -> None:
        super().__init__(stage.kernel)
        self.stage, self.name = stage, name

    async def observe(self, subjects: Collection[ServiceKey] | None) -> None:
        if subjects is None:
            self.stage.happened.append(f"{self.name} looks")
        if self.name in self.stage.down:
            raise self.stage.down[self.name]
        await trio.lowlevel.checkpoint()
        await super().observe(subjects)

    async def close(self) -> None:
        self.stage.happened.append(f"{self.name} closes")
        await super().close()


class Follower:
    """An output that notes whether the VIP of the tests can serve, whenever it is asked."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def observe(self, subjects: Collection[ServiceKey] | None) -> None:
        await trio.lowlevel.checkpoint()

    def plan(self, desired: Desired, subjects: Collection[ServiceKey] | None, now: float) -> Plan:
        vip = ip("192.0.2.1")
        held = "vip held" if desired.held(vip) else "vip free"
        self.stage.happened.append("vip serves" if desired.serving(vip) else held)
        return Plan()

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        raise AssertionError(operations)

    def report(self) -> OutputReport:
        return OutputReport()


class Publication:
    """An output that tells which backends sources have, whenever it is asked about services."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage, self.name = stage, name
        self.again: Again | None = None

    async def attend(self, again: Again) -> None:
        self.again = again
        self.stage.happened.append(f"{self.name} attends")
        try:
            await trio.sleep_forever()
        finally:
            self.stage.happened.append(f"{self.name} attends no more")

    async def observe(self, subjects: Collection[ServiceRef] | None) -> None:
        self.stage.happened.append(f"{self.name} looks")
        await trio.lowlevel.checkpoint()

    def plan(self, desired: Desired, subjects: Collection[ServiceRef] | None, now: float) -> Plan:
        said = desired.statements
        names = said.services(_all) if subjects is None else [one.name for one in subjects]
        for name in sorted(names):
            service = said.service(name, _all)
            ids = "gone" if service is None else " ".join(service.backends)
            self.stage.happened.append(f"{self.name} tells {name}: {ids}")
        if subjects is None:
            routes = " ".join(route.name for route in said.routes(_all))
            self.stage.happened.append(f"{self.name} tells routes: {routes}")
        return Plan()

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        raise AssertionError(operations)

    def report(self) -> OutputReport:
        return OutputReport()

    async def withdraw(self) -> None:
        self.stage.happened.append(f"{self.name} withdraws")
        if self.name in self.stage.down:
            raise self.stage.down[self.name]

    async def close(self) -> None:
        self.stage.happened.append(f"{self.name} closes")


def _all(_: str) -> bool:
    return True


class Fickle:
    """A policy that sets a weight, unless it is broken."""

    def __init__(self, stage: Stage, word: str) -> None:
        self.stage, self.word = stage, word

    def apply(self, service: Service, facts: Facts) -> Service | Refusal:
        if self.stage.broken_policy:
            raise ZeroDivisionError
        if self.word == "refuse":
            return Refusal("service", "no", "never")
        return service


async def quiet() -> None:
    """Until all has settled, storms included."""
    for _ in range(3):
        await trio.sleep(1)
        await wait_all_tasks_blocked()


def weights(stage: Stage, key: ServiceKey) -> list[int]:
    return [one.weight for one in stage.kernel.services[key].destinations.values()]
