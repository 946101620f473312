"""The machines of `make demo-cluster`: what runs on each, and the sudden end of one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.demo.cluster import configuration
from tests.demo.containers import Place

if TYPE_CHECKING:
    from tests.demo.cluster.network import Addresses
    from tests.demo.stage import Stage
    from tests.demo.table import Weights
    from tests.lab.engine import Engine
    from tests.lab.kernel import HostKernel, Kernel


class Director:
    """The first tier: a kernel, and clusterf on it."""

    name = "director"

    def __init__(self, stage: Stage, kernel: Kernel) -> None:
        self.kernel = kernel
        self.clusterf = stage.daemon(
            "the director", kernel, "clusterf.toml", configuration.director, self.name
        )
        self.table = stage.follow(kernel)


class DockerHost:
    """An engine with an agent beside it, and in front of them a kernel with the second tier.

    ``beside`` is where engine and agent are: this machine's kernel, in a namespace.
    """

    def __init__(
        self, stage: Stage, at: Addresses, kernel: Kernel, beside: HostKernel, engine: Engine
    ) -> None:
        self.at = at
        self.name = at.name
        self.kernel = kernel
        self._beside = beside
        self._engine = engine
        self.second_tier = stage.daemon(
            f"the second tier on {at.name}",
            kernel,
            "second-tier.toml",
            partial(configuration.second_tier, at=at),
            at.name,
        )
        self.agent = stage.daemon(
            f"the agent on {at.name}",
            beside,
            "agent.toml",
            partial(configuration.agent, at=at, engine=engine.socket),
            at.name,
        )
        self.table = stage.follow(kernel)
        self.place = Place(engine, self.table, at.name)

    @property
    def version(self) -> str:
        """Of the engine."""
        version: str = self._engine.client.version()["Version"]
        return version

    def weight(self, weights: Weights) -> int | None:
        """Its weight in the director's table; None when it is no destination there."""
        return weights.get(f"{self.at.host}:{configuration.PORT}")

    def crash(self) -> None:
        """End as by a power failure: kernel, agent, engine and containers, without a word."""
        self.kernel.crash()
        self._beside.crash()
        self._engine.crash()
