"""The stage of `make demo`: networks, an engine, a director with clusterf; all of it torn down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.demo import configuration, containers
from tests.demo.configuration import ENTRY, VIP
from tests.demo.containers import Place
from tests.demo.stage import Stage, kernel_fact
from tests.lab.topology import CLIENT, DOCKER, LabNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class OneHost(Stage):
    """A client, a director, and a Docker host behind it."""

    def set_up(self) -> None:
        self._interrupted()
        network = self._exits.enter_context(LabNetwork())
        self.clients = network.clients
        self._interrupted()
        self.engine = self._exits.enter_context(network.engine())
        containers.build(self.engine)
        self._interrupted()
        self.director = self._exits.enter_context(network.director())
        self.clusterf = self.daemon("clusterf", self.director, "clusterf.toml", configuration.text)
        self.table = self.follow(self.director)
        self.place = Place(self.engine, self.table)

    def facts(self) -> Iterator[str]:
        yield kernel_fact("the director's kernel", self.director)
        version = self.engine.client.version()["Version"]
        yield f"the Docker Engine: {version}, private, in a namespace; its API is at tcp://{DOCKER}"
        yield f"the client: {CLIENT}; the address that it asks: {VIP}"

    def destinations(self, number: int) -> Callable[[], float | None]:
        """Since when the kernel has so many destinations with a weight, for :meth:`until`."""
        return lambda: self.table.when(
            ENTRY, lambda weights: sum(map(bool, weights.values())) == number, 0
        )
