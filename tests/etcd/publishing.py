"""An agent: an engine with a source that says what it is told, and an output of type ``etcd``."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

import clusterf_etcd
from clusterf.config.configuration import Configuration, Instance
from clusterf.engine.engine import Engine
from clusterf.model.service import Record
from clusterf_etcd.output import EtcdOutput
from clusterf_etcd.settings import EtcdOutputSettings
from tests.etcd.following import WEB, away
from tests.etcd.server import Cluster
from tests.lab.polling import eventually
from tests.unit.engine.stage import Stage

[TYPE] = clusterf_etcd.clusterf_register_outputs()


class AgentStage(Stage):
    """A host with one source, ``sources.docker``, that its agent publishes."""

    def __init__(self, folder: Path, endpoints: list[str], **facts: Any) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder)
        self.endpoints = endpoints
        self.facts = {"agent": "host1", "sources": ["docker"], "ttl": "2s", **facts}

    def says_now(self, *records: Record) -> None:
        """What docker says from its start on, or from now on."""
        self.says["sources.docker"] = list(records)
        if (source := self.sources.get("sources.docker")) is not None and source.publish:
            source.speak(*records)

    def agent(self, **facts: Any) -> Configuration:
        settings = {"endpoints": self.endpoints, **self.facts, **facts}
        output = Instance(
            name="outputs.cluster",
            type=TYPE,
            settings=EtcdOutputSettings.model_validate(settings),
        )
        return self.configuration(self.source("docker"), output, start_wait=0.2)

    @asynccontextmanager
    async def published(self, **facts: Any) -> AsyncIterator[Engine]:
        """Run the agent until the block ends; it ends in order."""
        engine = Engine(self.agent(**facts))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.run)
            yield engine
            engine.stop()

    @asynccontextmanager
    async def killed(self, **facts: Any) -> AsyncIterator[Engine]:
        """The same, but it ends as by a signal that cannot be caught: without a word."""
        engine = Engine(self.agent(**facts))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.run)
            yield engine
            nursery.cancel_scope.cancel()


def output_of(engine: Engine) -> EtcdOutput:
    output = engine.outputs["outputs.cluster"].runner.output
    assert isinstance(output, EtcdOutput)
    return output


def weights(etcd: Cluster) -> dict[str, int | None]:
    """Backends of ``web`` in etcd: weights by id, None without one."""
    answer = json.loads(etcd.ctl("get", "--prefix", f"{WEB}/backends/", "-w", "json").stdout)
    found = {}
    for entry in answer.get("kvs", ()):
        key = b64decode(entry["key"]).decode()
        value = json.loads(b64decode(entry["value"]))
        found[key.rsplit("/", 1)[1]] = value.get("weight")
    return found


async def until_weights(etcd: Cluster, within: float = 20.0, **wanted: int | None) -> None:
    """Wait until the backends of ``web`` in etcd are these."""
    await away(lambda: eventually(lambda: weights(etcd) == wanted, f"{wanted}", within=within))


def revisions(etcd: Cluster) -> int:
    """Revision of the store: it grows with every edit."""
    answer = etcd.ctl("get", "x", "-w", "json").stdout
    return int(json.loads(answer)["header"]["revision"])


async def some_keepalives() -> None:
    """Let agents with the shortest lease go on for a while. That nothing happens has no event."""
    await trio.sleep(2.0)
