"""A folder with a configuration and a drop-in, for tests of whole commands and of the daemon.

The drop-in brings sources that do as they are told and an output on the model of a kernel, which
is kept by the folder, so that it outlives a command as a real kernel does.
"""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import trio

from clusterf.cli import logs
from clusterf.cli.loading import read
from clusterf.cli.main import main
from clusterf.config.configuration import Configuration
from clusterf.config.rendering import as_text
from clusterf.control.client import ask
from clusterf.control.daemon import Daemon
from clusterf.control.protocol import JSON
from clusterf.model.errors import SourceUnavailable
from clusterf.model.operation import Operation, Outcome, Plan
from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import Facts, Service
from clusterf.model.table import Connections, ServiceKey
from clusterf.plugin import (
    Context,
    Desired,
    Output,
    OutputReport,
    Policy,
    Publisher,
    Settings,
    Source,
)
from tests.model_kernel import Kernel, KernelOutput, Pair

DROP_IN = """
from clusterf.plugin import OutputType, PolicyType, Settings, SourceType, hookimpl
from tests.unit.control import scene

CLUSTERF_API = "1.0"

@hookimpl
def clusterf_register_sources():
    return [SourceType(name="told", settings=scene.Word, create=scene.source, summary="obeys")]

@hookimpl
def clusterf_register_outputs():
    return [OutputType(name="model", settings=Settings, create=scene.output, summary="a model")]

@hookimpl
def clusterf_register_policies():
    return [PolicyType(name="broken", settings=Settings, create=scene.policy, summary="raises")]
"""

CORE = """
[clusterf]
managed = ["192.0.2.0/24"]
plugin_dirs = ["plugins"]
control = "control.sock"
state_dir = "state"
start_wait = "10ms"
"""

WEB = """
[services.web]
frontend = { ipv4 = "192.0.2.1", tcp = 80 }
scheduler = "wrr"
backends = [
  { id = "web-1", address = "198.51.100.1", tcp = 8080, weight = 4 },
  { id = "web-2", address = "198.51.100.2", tcp = 8080, weight = 4 },
]
"""

API = """
[services.api]
frontend = { ipv4 = "192.0.2.2", tcp = 443 }
backends = [{ id = "api-1", address = "198.51.100.9", tcp = 443 }]
"""

KERNEL = """
[outputs.kernel]
type = "model"
"""

AWAY = """
[sources.hosts]
type = "told"
word = "away"
"""


class Word(Settings):
    """What a source shall do."""

    word: Literal["final", "silent", "away", "refuse", "interrupt", "bug", "impossible"] = "final"


@dataclass
class World:
    """What the instances of one folder share."""

    kernel: Kernel = field(default_factory=Kernel)
    away: Exception | None = None
    fails: Callable[[Operation], str] = lambda _: ""
    problems: Sequence[str] = ()
    worked: threading.Event = field(default_factory=threading.Event)
    """Set when an output has done what there was to do."""


_WORLDS: dict[Path, World] = {}


class Told:
    """A source that does what its configuration says."""

    def __init__(self, settings: Word) -> None:
        self._word = settings.word

    async def run(self, publish: Publisher) -> None:
        await trio.lowlevel.checkpoint()
        match self._word:
            case "final":
                publish.replace([])
            case "refuse":
                publish.replace([])
                said = "its address is no address"
                place = Provenance("sources.hosts", "host-7")
                publish.refuse("host-7", Refusal("host-7", "bad_address", said, place, "mend it"))
            case "silent":
                await trio.sleep_forever()
            case "interrupt":
                raise KeyboardInterrupt
            case "away":
                raise SourceUnavailable("no hosts are known", hint="ask them")
            case _:
                raise ZeroDivisionError("a bug of the test's")


def source(settings: Word, context: Context) -> Source:
    if settings.word == "impossible":
        raise SourceUnavailable(f"{context.name} cannot be made")
    return Told(settings)


class Model(KernelOutput):
    """An output on the kernel of its folder."""

    def __init__(self, world: World) -> None:
        super().__init__(world.kernel)
        self.world = world

    async def observe(self, subjects: Collection[ServiceKey] | None) -> None:
        if self.world.away is not None:
            raise self.world.away
        self.fails = self.world.fails
        await super().observe(subjects)

    def plan(self, desired: Desired, subjects: Collection[ServiceKey] | None, now: float) -> Plan:
        plan = super().plan(desired, subjects, now)
        if not plan.operations:
            self.world.worked.set()
        return plan

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        outcomes = await super().carry_out(operations)
        self.world.worked.set()
        return outcomes

    async def connections(self) -> Mapping[Pair, Connections]:
        if self.world.away is not None:
            raise self.world.away
        return await super().connections()

    def report(self) -> OutputReport:
        return OutputReport(problems=self.world.problems)


def output(_: Settings, context: Context) -> Output:
    return Model(_WORLDS[context.path(Path("x")).parent])


class Broken:
    """A policy that fails on every service."""

    def apply(self, service: Service, facts: Facts) -> Service | Refusal:
        raise ZeroDivisionError(f"{service.name} at {facts.now}")


def policy(_: Settings, __: Context) -> Policy:
    return Broken()


class Scene:
    """One folder, its files, and what is done with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "clusterf.toml"
        self.socket = folder / "control.sock"
        self.world = _WORLDS[folder] = World()
        self.drop_in("parts.py", DROP_IN)
        self.write(WEB, KERNEL)

    @property
    def kernel(self) -> Kernel:
        return self.world.kernel

    def drop_in(self, name: str, text: str) -> Path:
        path = self.folder / "plugins" / name
        path.parent.mkdir(mode=0o755, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
        return path

    def write(self, *parts: str, core: str = "") -> None:
        """Write clusterf.toml: the usual ``[clusterf]`` with ``core`` added to it, and parts."""
        self.file.write_text(CORE + core + "".join(parts))

    def cli(self, command: str, *words: str) -> int:
        """Run a command as the command line does; its exit code."""
        return main([command, "-c", str(self.file), *words])

    # --- the daemon ------------------------------------------------------------------------------

    def load(self) -> tuple[Configuration | None, Sequence[str]]:
        """As ``clusterf run`` reads its configuration anew."""
        configuration, problems = read(self.file, bundled_only=False)
        return configuration, ([] if configuration else [as_text(problems).rstrip()])

    def daemon(self) -> Daemon:
        configuration, problems = self.load()
        assert configuration is not None, problems
        return Daemon(configuration, self.load)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Daemon]:
        """A daemon whose outputs have done their first round; it is stopped at the end."""
        daemon = self.daemon()
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(daemon.run, self.socket)
                await daemon.engine.started.wait()
                for runner in daemon.engine.runners():
                    await runner.first_round.wait()
                yield daemon
                daemon.engine.stop()

    async def run(self, command: str, *words: str) -> int:
        """`cli` beside the daemon."""
        return await trio.to_thread.run_sync(lambda: self.cli(command, *words))

    async def ask(self, **request: Any) -> JSON:
        return await trio.to_thread.run_sync(ask, self.socket, request)

    async def until(self, condition: Callable[[], object]) -> None:
        """Let everybody else go on until it holds."""
        with trio.fail_after(20):
            while not condition():
                await trio.lowlevel.checkpoint()

    def weights(self, number: int = 0) -> list[int]:
        """Weights of the destinations of one virtual service of the kernel."""
        entry = list(self.kernel.services.values())[number]
        return [destination.weight for destination in entry.destinations.values()]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    yield Scene(tmp_path)
    del _WORLDS[tmp_path]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Take back what commands do to their whole process, which is ours here."""
    root, ours = logging.getLogger(), logging.getLogger("clusterf")
    levels = root.level, ours.level
    modules = set(sys.modules)
    yield
    for handler in root.handlers[:]:
        if isinstance(handler.formatter, (logs._Text, logs._Json)):
            root.removeHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    gc.unfreeze()
    gc.enable()
    for name in set(sys.modules) - modules:
        if name.startswith("clusterf_dropin_"):
            del sys.modules[name]
