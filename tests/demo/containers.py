"""The demo's containers: a web server that behaves well when it is told to stop."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lab import images

if TYPE_CHECKING:
    from docker.models.containers import Container

    from tests.demo.table import KernelTable, Weights
    from tests.lab.engine import Engine

IMAGE = "demo/web"
PORT = 8080
GRACE = 2
"""Seconds that the server goes on answering after SIGTERM, as a good web server finishes."""

INTERVAL = 2
"""Seconds between two health checks, and before the first."""

LABELS = {"clusterf.service": "web", "clusterf.backend.tcp": str(PORT)}

# Docker sends SIGTERM to the first process only, so httpd goes on until that one ends.
_SERVER = f"""
mkdir -p /www
hostname > /www/index.html
httpd -f -p {PORT} -h /www &
trap 'sleep {GRACE}; exit 0' TERM
wait
"""

_CHANGES = (
    f"CMD {json.dumps(['sh', '-c', _SERVER])}",
    f"EXPOSE {PORT}",
    f"HEALTHCHECK --interval={INTERVAL}s CMD wget -q -O /dev/null http://127.0.0.1:{PORT}/",
)


def build(engine: Engine) -> None:
    """Give the engine the image; nothing is fetched from anywhere."""
    engine.client.api.import_image_from_data(
        images.responder(), repository=IMAGE, tag="latest", changes=list(_CHANGES)
    )


def command(name: str) -> str:
    """``docker run``, as one would type what :func:`start` does."""
    labels = " ".join(f"-l {key}={value}" for key, value in LABELS.items())
    return f"docker run -d --name {name} {labels} {IMAGE}"


@dataclass(frozen=True, slots=True)
class Place:
    """An engine, and the table of the kernel that balances across its containers.

    ``prompt`` is shown before a command to the engine.
    """

    engine: Engine
    table: KernelTable
    prompt: str = ""

    def start(self, name: str) -> Placed:
        container = self.engine.run(name, image=IMAGE, labels=LABELS)
        return Placed(name, container, f"{self.engine.address(container)}:{PORT}", self)


@dataclass(frozen=True, slots=True)
class Placed:
    """A container that was started. ``endpoint`` is ``address:port``, as the table has it."""

    name: str
    container: Container
    endpoint: str
    at: Place

    def weight(self, weights: Weights) -> int | None:
        """Its weight in the table; None when it is no destination."""
        return weights.get(self.endpoint)

    def events(self, since: float) -> Iterator[tuple[str, float]]:
        """What the engine tells of it, with moments on our monotonic clock."""
        wall = time.time()
        offset = wall - time.monotonic()
        for event in self.at.engine.client.events(
            since=int(since + offset),
            until=int(wall) + 1,
            decode=True,
            filters={"container": self.container.id, "type": "container"},
        ):
            yield event["Action"], event["timeNano"] / 1e9 - offset
