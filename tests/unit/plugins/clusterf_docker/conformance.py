"""What the source makes of containers' lives: scenarios for the fake and for a real engine."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import trio

from clusterf.model.service import Backend
from clusterf.plugin import SourceUnavailable
from clusterf.testing import InstanceContext, RecordingPublisher
from clusterf_docker.settings import DockerSettings
from clusterf_docker.source import DockerSource

LABELS = {"clusterf.service": "web", "clusterf.backend.tcp": "80"}

_BACK_OFF = 0.05
"""Seconds between two tries: an engine that is gone cannot tell that it is back.

The supervisor's own would be ten times as long, and most of the time that these tests take.
"""


class World(Protocol):
    """Containers, networks, and those who make and remove them, by their ids."""

    url: str

    def run(self, name: str, *, labels: dict[str, str] | None = None) -> str: ...
    def stop(self, one: str) -> None: ...
    def start(self, one: str) -> None: ...
    def kill(self, one: str, signal: str) -> None: ...
    def pause(self, one: str) -> None: ...
    def unpause(self, one: str) -> None: ...
    def rename(self, one: str, name: str) -> None: ...
    def remove(self, one: str) -> None: ...
    def create_network(self, name: str, *subnets: str) -> str: ...
    def remove_network(self, one: str) -> None: ...


@dataclass
class Following:
    """A source that runs, and what it published."""

    publish: RecordingPublisher
    failures: list[SourceUnavailable]
    stop: Callable[[], None]

    def web(self) -> Mapping[str, Backend]:
        return self.publish.backends("web")

    def states(self) -> dict[str, str | None]:
        return {one: backend.quiesced for one, backend in self.web().items()}

    def routes(self) -> dict[str, str]:
        """Names of the routes, and the prefixes that they lead to."""
        return {name: str(route.prefix) for name, route in self.publish.routes().items()}

    async def until(self, condition: Callable[[], object], seconds: float = 10) -> None:
        try:
            await self.publish.until(condition, seconds)
        except trio.TooSlowError:
            raise AssertionError(
                f"not in time; {self.states()=} {self.routes()=} {self.failures=} "
                f"{self.publish.refusals=} {self.publish.degradation=} {self.publish.said=}"
            ) from None


@contextlib.asynccontextmanager
async def following(url: str, **settings: Any) -> AsyncIterator[Following]:
    """Run the source as the supervisor does: again whenever it is unavailable."""
    values = {"host": url, "timeout": 5.0, **settings}
    context = InstanceContext("sources.docker", folder=Path("/"))
    source = DockerSource(DockerSettings.model_validate(values), context)
    publish = RecordingPublisher()
    failures: list[SourceUnavailable] = []

    async def supervise() -> None:
        while True:
            try:
                await source.run(publish)
            except SourceUnavailable as error:
                failures.append(error)
                publish._wake()
                await trio.sleep(_BACK_OFF)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervise)
        yield Following(publish, failures, nursery.cancel_scope.cancel)
        nursery.cancel_scope.cancel()


Act = Callable[..., Awaitable[Any]]


async def do(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Do something in the world, which blocks."""
    return await trio.to_thread.run_sync(lambda: function(*arguments, **options))


async def a_container_that_runs_already_is_found(world: World) -> None:
    one = await do(world.run, "early", labels=LABELS)
    await do(world.run, "stranger")
    async with following(world.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        assert followed.states() == {one: None}
        assert followed.publish.services() == {"web"}
        assert followed.web()[one].ports.tcp == 80
        assert str(followed.web()[one].provenance).endswith(f"container early ({one[:12]})")


async def start_and_stop_are_followed(world: World) -> None:
    async with following(world.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        one = await do(world.run, "web1", labels=LABELS)
        await followed.until(lambda: followed.states() == {one: None})
        before = len(followed.publish.said)
        await do(world.stop, one)
        await followed.until(lambda: not followed.web())
        # First weight 0, then gone: the drain begins with the signal.
        assert [what for what, _ in followed.publish.said[before:]] == ["put", "drop"]
        await do(world.start, one)
        await followed.until(lambda: followed.states() == {one: None})
        await do(world.stop, one)
        await followed.until(lambda: not followed.web())
        await do(world.remove, one)


async def only_the_stop_signal_drains(world: World) -> None:
    async with following(world.url, stop_patience=60) as followed:
        one = await do(world.run, "web1", labels=LABELS)
        await followed.until(lambda: followed.states() == {one: None})
        said = len(followed.publish.said)
        await do(world.kill, one, "SIGUSR1")
        # An event that does tell something: what came before it has been seen.
        await do(world.rename, one, "web2")
        await followed.until(lambda: "web2" in str(followed.web()[one].provenance))
        assert len(followed.publish.said) == said + 1
        assert followed.states() == {one: None}


async def a_paused_container_is_quiesced(world: World) -> None:
    async with following(world.url) as followed:
        one = await do(world.run, "web1", labels=LABELS)
        await followed.until(lambda: followed.states() == {one: None})
        await do(world.pause, one)
        await followed.until(lambda: followed.states() == {one: "paused"})
        await do(world.unpause, one)
        await followed.until(lambda: followed.states() == {one: None})


async def a_paused_container_is_found_paused(world: World) -> None:
    one = await do(world.run, "web1", labels=LABELS)
    await do(world.pause, one)
    async with following(world.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        assert followed.states() == {one: "paused"}
        await do(world.unpause, one)
        await followed.until(lambda: followed.states() == {one: None})


async def both_prefixes_join(world: World) -> None:
    one = await do(
        world.run,
        "old",
        labels={"net.qmsk.clusterf.service": "web api", "net.qmsk.clusterf.backend.tcp": "80"},
    )
    async with following(world.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        assert set(followed.web()) == {one}
        assert set(followed.publish.backends("api")) == {one}


async def a_port_that_is_not_exposed_is_refused(world: World) -> None:
    labels = {**LABELS, "clusterf.service": "web api", "clusterf.backend:api.tcp": "81"}
    one = await do(world.run, "web1", labels=labels)
    async with following(world.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        assert set(followed.web()) == {one}
        assert followed.publish.backends("api") == {}
        [refusal] = followed.publish.refusals.values()
        assert refusal.reason == "port_not_exposed"
        assert "clusterf.backend:api.tcp" in str(refusal)
        await do(world.stop, one)
        await followed.until(lambda: not followed.publish.refusals)


# --- routes to networks --------------------------------------------------------------------------

HOST4, HOST6 = "192.0.2.11", "2001:db8:1::11"
FRONT, FRONT6 = "203.0.113.160/28", "2001:db8:4:1::/64"
REAR = "203.0.113.176/28"


async def without_being_asked_no_routes_are_published(world: World) -> None:
    front = await do(world.create_network, "front", FRONT, FRONT6)
    async with following(world.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        one = await do(world.run, "web1", labels=LABELS)
        await do(world.create_network, "rear", REAR)
        await followed.until(lambda: followed.states() == {one: None})
        assert followed.routes() == {}
        assert not followed.publish.refusals
        await do(world.remove_network, front)


async def networks_are_followed(world: World) -> None:
    routes = {"gateway4": HOST4, "gateway6": HOST6, "networks": ["front*"]}
    async with following(world.url, routes=routes) as followed:
        await followed.until(lambda: followed.publish.synced)
        assert followed.routes() == {}
        await do(world.create_network, "rear", REAR)
        front = await do(world.create_network, "front", FRONT, FRONT6)
        await followed.until(lambda: followed.routes() == {front: FRONT, f"{front}-inet6": FRONT6})
        four, six = followed.publish.routes().values()
        assert (str(four.gateway), four.method) == (HOST4, "droute")
        assert (str(six.gateway), six.method) == (HOST6, "droute")
        assert four.provenance.place == f"network front ({front[:12]})"
        assert not followed.publish.refusals
        await do(world.remove_network, front)
        await followed.until(lambda: followed.routes() == {})


async def networks_that_are_there_already_are_found(world: World) -> None:
    front = await do(world.create_network, "front", FRONT)
    async with following(world.url, routes={"gateway4": HOST4, "gateway6": HOST6}) as followed:
        await followed.until(lambda: followed.publish.synced)
        # With the first word about containers, and with the engine's own bridge.
        assert followed.routes()[front] == FRONT
        prefixes = {prefix for name, prefix in followed.routes().items() if name != front}
        assert prefixes == {"203.0.113.0/25", "2001:db8:4::/64"}


async def a_subnet_without_a_gateway_of_its_family_is_refused(world: World) -> None:
    routes = {"gateway4": HOST4, "networks": ["front"]}
    async with following(world.url, routes=routes) as followed:
        await followed.until(lambda: followed.publish.synced)
        front = await do(world.create_network, "front", FRONT, FRONT6)
        await followed.until(lambda: followed.routes() == {front: FRONT})
        [refusal] = followed.publish.refusals.values()
        assert (refusal.subject, refusal.reason) == ("network front", "no_gateway")
        assert FRONT6 in refusal.detail
        assert "gateway6" in refusal.hint
        await do(world.remove_network, front)
        await followed.until(lambda: followed.routes() == {})
        assert not followed.publish.refusals


async def networks_may_be_reached_through_a_tunnel_of_one_family(world: World) -> None:
    tunnel = {"type": "gue", "port": 6080}
    routes = {"gateway6": HOST6, "method": "tunnel", "tunnel": tunnel, "networks": ["front"]}
    front = await do(world.create_network, "front", FRONT, FRONT6)
    async with following(world.url, routes=routes) as followed:
        await followed.until(lambda: followed.publish.synced)
        assert followed.routes() == {front: FRONT, f"{front}-inet6": FRONT6}
        for route in followed.publish.routes().values():
            assert (str(route.gateway), route.method) == (HOST6, "tunnel")
            assert (route.tunnel and route.tunnel.port) == 6080


SCENARIOS: list[Callable[[World], Awaitable[None]]] = [
    a_container_that_runs_already_is_found,
    start_and_stop_are_followed,
    only_the_stop_signal_drains,
    a_paused_container_is_quiesced,
    a_paused_container_is_found_paused,
    both_prefixes_join,
    a_port_that_is_not_exposed_is_refused,
    without_being_asked_no_routes_are_published,
    networks_are_followed,
    networks_that_are_there_already_are_found,
    a_subnet_without_a_gateway_of_its_family_is_refused,
    networks_may_be_reached_through_a_tunnel_of_one_family,
]
