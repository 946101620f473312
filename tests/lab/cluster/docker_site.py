"""A site whose first host is a Docker host: its agent follows a private engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab.cluster.network import CONTAINERS, ClusterNetwork
from tests.lab.cluster.site import EACH, PORTS, Site
from tests.lab.engine import Engine

LABELS = {
    "clusterf.service": " ".join(PORTS),
    **{f"clusterf.backend:{service}.tcp": str(port) for service, port in PORTS.items()},
}


class DockerSite(Site):
    """Containers are numbered as the backends of other hosts are."""

    def __init__(self, network: ClusterNetwork, folder: Path, number: int, **facts: Any) -> None:
        self._addresses: dict[int, str] = {}
        self.engine = Engine(network.hosts[1], **CONTAINERS)
        super().__init__(network, folder, number, **facts)

    def start(self) -> None:
        for number in EACH:
            self.run_container(number)
        super().start()

    def run_container(self, number: int) -> None:
        made = self.engine.run(f"web{number}", labels=LABELS)
        self._addresses[number] = self.engine.address(made)

    def stop_container(self, number: int) -> None:
        """Remove it: nobody answers at its address any more."""
        self.engine.client.containers.get(f"web{number}").remove(force=True)

    def close(self) -> None:
        super().close()
        self.engine.close()

    def says(self, host: int, *, weight: int | None = None, numbers: Sequence[int] = EACH) -> None:
        if host != 1:
            super().says(host, weight=weight, numbers=numbers)

    def _server(self, host: int, number: int) -> str:
        return self._addresses[number] if host == 1 else super()._server(host, number)

    def _local(self, host: int) -> str:
        if host != 1:
            return super()._local(host)
        return f'type = "docker"\nhost = "{self.engine.socket}"'
