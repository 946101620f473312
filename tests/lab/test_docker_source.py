"""The docker source against real engines, over every transport and through their restarts."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio._core import _thread_cache

from clusterf.plugin import Severity
from tests.lab import certificates, engine, namespaces, remote
from tests.lab.engine import HEALTHY, Engine
from tests.lab.network import Namespace
from tests.unit.plugins.clusterf_docker.conformance import (
    LABELS,
    SCENARIOS,
    World,
    do,
    following,
)
from tests.unit.plugins.clusterf_docker.test_source import _source

if TYPE_CHECKING:
    from clusterf.model.service import Backend
    from tests.lab.certificates import Certificates
    from tests.unit.plugins.clusterf_docker.conformance import Following

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

_log = logging.getLogger(__name__)

TLS_PORT, PLAIN_PORT = 2376, 2375


@pytest.fixture(scope="module")
def inside() -> Iterator[Namespace]:
    """A network namespace that this process is in, so that it reaches the engines' TCP ports."""
    if reason := engine.missing():
        remote.impossible(f"no Docker Engine for the lab: {reason}")
    # Idle worker threads would stay in the namespace they were started in.
    _thread_cache.THREAD_CACHE = _thread_cache.ThreadCache()
    with namespaces.fresh("docker") as name:
        yield Namespace(name)
    _thread_cache.THREAD_CACHE = _thread_cache.ThreadCache()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.make(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture(scope="module")
def docker_engine(inside: Namespace, authority: Certificates) -> Iterator[Engine]:
    """Speaks TLS, and its containers outlive its restart."""
    tcp = f"127.0.0.1:{TLS_PORT}"
    with Engine(inside, tcp=tcp, tls=authority, live_restore=True) as made:
        yield made


@pytest.fixture(scope="module")
def plain_engine(inside: Namespace) -> Iterator[Engine]:
    """Speaks plain TCP, and its containers end with it."""
    with Engine(
        inside,
        tcp=f"127.0.0.1:{PLAIN_PORT}",
        bridge="198.51.100.1/25",
        bridge6="2001:db8:5::/64",
        pool="base=198.51.100.128/25,size=28",
    ) as made:
        yield made


class RealWorld:
    """A real engine as the scenarios want it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.url = engine.socket
        self._api = engine.client.api

    def run(self, name: str, *, labels: dict[str, str] | None = None, **options: Any) -> str:
        return str(self.engine.run(name, labels=labels, **options).id)

    def stop(self, one: str) -> None:
        self._api.stop(one, timeout=5)

    def start(self, one: str) -> None:
        self._api.start(one)

    def kill(self, one: str, signal: str) -> None:
        self._api.kill(one, signal)

    def pause(self, one: str) -> None:
        self._api.pause(one)

    def unpause(self, one: str) -> None:
        self._api.unpause(one)

    def rename(self, one: str, name: str) -> None:
        self._api.rename(one, name)

    def remove(self, one: str) -> None:
        self._api.remove_container(one, force=True)

    def create_network(self, name: str, *subnets: str) -> str:
        return str(self.engine.network(name, *subnets).id)

    def remove_network(self, one: str) -> None:
        self._api.remove_network(one)

    def restart(self, one: str) -> None:
        self._api.restart(one, timeout=5)

    def execute(self, one: str, *command: str) -> None:
        created = self._api.exec_create(one, list(command))
        self._api.exec_start(created["Id"])


@pytest.fixture
def world(docker_engine: Engine) -> RealWorld:
    return RealWorld(docker_engine)


@pytest.fixture
def plain_world(plain_engine: Engine) -> Iterator[RealWorld]:
    yield RealWorld(plain_engine)
    plain_engine.clear()


# Tests that name docker_engine stay on this machine, outside of the lab's guest.
on_this_machine = pytest.mark.usefixtures("docker_engine")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
async def test_scenario(world: RealWorld, scenario: Callable[[World], Awaitable[None]]) -> None:
    await scenario(world)


async def test_the_stop_signal_is_the_containers_own(world: RealWorld) -> None:
    # The image's first process ignores SIGUSR2.
    one = await do(world.run, "web1", labels=LABELS, stop_signal="SIGUSR2")
    async with following(world.url) as followed:
        await followed.until(lambda: followed.states() == {one: None})
        await do(world.kill, one, "SIGUSR2")
        await followed.until(lambda: followed.states() in ({one: "stopping"}, {}))


async def test_a_container_that_ignores_its_stop_signal_serves_again(world: RealWorld) -> None:
    ignoring = ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]
    one = await do(
        world.run, "web1", labels=LABELS, command=ignoring, stop_signal="TERM", init=False
    )
    async with following(world.url, stop_patience=0.0, relist=300) as followed:
        await followed.until(lambda: followed.states() == {one: None})
        began = time.monotonic()
        await do(world.kill, one, "TERM")
        await followed.until(lambda: followed.states() == {one: "stopping"})
        await followed.until(lambda: followed.states() == {one: None}, 20)
        assert time.monotonic() - began > 9.9
        await do(world.kill, one, "KILL")
        await followed.until(lambda: not followed.web())


async def test_kill_9_drops(world: RealWorld) -> None:
    one = await do(world.run, "web1", labels=LABELS)
    async with following(world.url) as followed:
        await followed.until(lambda: followed.states() == {one: None})
        await do(world.kill, one, "KILL")
        await followed.until(lambda: not followed.web())


async def test_a_restart_comes_back(world: RealWorld) -> None:
    one = await do(world.run, "web1", labels=LABELS)
    async with following(world.url) as followed:
        await followed.until(lambda: followed.states() == {one: None})
        before = len(followed.publish.said)
        await do(world.restart, one)
        await followed.until(
            lambda: [what for what, _ in followed.publish.said[before:]] == ["put", "drop", "put"]
        )
        assert followed.states() == {one: None}


async def test_a_restart_policy_comes_back(world: RealWorld) -> None:
    policy = {"Name": "always"}
    one = await do(world.run, "web1", labels=LABELS, restart_policy=policy)
    async with following(world.url) as followed:
        await followed.until(lambda: followed.states() == {one: None})
        before = len(followed.publish.said)
        await do(world.execute, one, "kill", "-TERM", "1")
        await followed.until(lambda: len(followed.publish.said) >= before + 2)
        assert [what for what, _ in followed.publish.said[before:]] == ["drop", "put"]
        await do(world.remove, one)
        await followed.until(lambda: not followed.web())


async def test_health_is_followed(world: RealWorld) -> None:
    async with following(world.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        one = await do(world.run, "web1", labels=LABELS, image=HEALTHY)
        await followed.until(lambda: followed.states() == {one: "starting"})
        await followed.until(lambda: followed.states() == {one: None}, 20)
        await do(world.execute, one, "touch", "/sick")
        await followed.until(lambda: followed.states() == {one: "unhealthy"}, 20)
        await do(world.execute, one, "rm", "/sick")
        await followed.until(lambda: followed.states() == {one: None}, 20)


async def test_networks(world: RealWorld) -> None:
    front = await do(world.engine.network, "front", "203.0.113.160/28", "2001:db8:4:1::/64")
    await do(world.engine.network, "rear", "203.0.113.176/28")
    async with following(world.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        only = await do(world.run, "only", labels=LABELS, network="rear")
        await followed.until(lambda: only in followed.web())
        assert str(followed.web()[only].ipv4).startswith("203.0.113.17")
        labels = {**LABELS, "clusterf.network": "front"}
        chosen = await do(world.run, "chosen", labels=labels, network="rear")
        await followed.until(lambda: followed.publish.refusals)
        [refusal] = followed.publish.refusals.values()
        assert refusal.reason == "no_network"
        await do(front.connect, chosen)
        await followed.until(lambda: chosen in followed.web())
        backend = followed.web()[chosen]
        assert str(backend.ipv4) == await do(_address, world, chosen, "front", "IPAddress")
        assert str(backend.ipv6) == await do(_address, world, chosen, "front", "GlobalIPv6Address")
        assert not followed.publish.refusals
        await do(front.disconnect, chosen)
        await followed.until(lambda: chosen not in followed.web())


def _address(world: RealWorld, one: str, network: str, key: str) -> str:
    inspected = world.engine.client.api.inspect_container(one)
    return str(inspected["NetworkSettings"]["Networks"][network][key])


async def test_published_ports(world: RealWorld) -> None:
    one = await do(world.run, "web1", labels=LABELS, ports={"80/tcp": 8080, "7/tcp": None})
    settings = {"addressing": "published", "host_ipv4": "192.0.2.7", "host_ipv6": "2001:db8::7"}
    async with following(world.url, **settings) as followed:
        await followed.until(lambda: followed.publish.synced)
        backend = followed.web()[one]
        assert (str(backend.ipv4), backend.ports.tcp) == ("192.0.2.7", 8080)


async def test_the_hosts_network(world: RealWorld) -> None:
    one = await do(world.run, "web1", labels=LABELS, network_mode="host")
    async with following(world.url, host_ipv4="192.0.2.7") as followed:
        await followed.until(lambda: followed.publish.synced)
        backend = followed.web()[one]
        assert (str(backend.ipv4), backend.ipv6, backend.ports.tcp) == ("192.0.2.7", None, 80)


# --- transports ----------------------------------------------------------------------------------


async def test_over_tls(world: RealWorld, authority: Certificates) -> None:
    certificate, key = authority.client
    tls = {"ca": str(authority.ca), "cert": str(certificate), "key": str(key)}
    world.url = f"tcp://127.0.0.1:{TLS_PORT}"
    async with following(world.url, tls=tls) as followed:
        await _follow_one(world, followed)


@on_this_machine
async def test_tls_without_the_right_authority_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    other = certificates.make(tmp_path_factory.mktemp("other"), "127.0.0.1")
    certificate, key = other.client
    tls = {"ca": str(other.ca), "cert": str(certificate), "key": str(key)}
    async with following(f"tcp://127.0.0.1:{TLS_PORT}", tls=tls) as followed:
        await followed.until(lambda: followed.failures)
        assert "certificate verify failed" in str(followed.failures[0])
        assert "tls names authority" in followed.failures[0].hint


@on_this_machine
async def test_over_plain_tcp(plain_world: RealWorld) -> None:
    async with following(f"tcp://127.0.0.1:{PLAIN_PORT}") as followed:
        await _follow_one(plain_world, followed)


async def _follow_one(world: RealWorld, followed: Following) -> None:
    await followed.until(lambda: followed.publish.synced)
    one = await do(world.run, "web1", labels=LABELS)
    await followed.until(lambda: followed.states() == {one: None})
    await do(world.stop, one)
    await followed.until(lambda: not followed.web())
    await do(world.remove, one)
    assert not followed.failures


async def test_probe(world: RealWorld) -> None:
    assert list(await _source(world.url).probe()) == []
    [found] = await _source(f"tcp://127.0.0.1:{TLS_PORT}").probe()
    assert found.severity is Severity.ERROR


# --- the engine restarts -------------------------------------------------------------------------


@pytest.mark.parametrize("signal", [15, 9])
async def test_containers_that_outlive_the_engine_stay(world: RealWorld, signal: int) -> None:
    plain = await do(world.run, "plain", labels=LABELS)
    healthy = await do(world.run, "healthy", labels=LABELS, image=HEALTHY)
    async with following(world.url, relist=1) as followed:
        await followed.until(lambda: followed.states() == {plain: None, healthy: None}, 20)
        said = len(followed.publish.said)
        await do(world.engine.restart, signal)
        await followed.until(lambda: followed.failures and followed.publish.degradation is None)
        assert {what for what, _ in followed.publish.said[said:]} == {"replace"}
        assert followed.states() == {plain: None, healthy: None}
        await do(world.stop, plain)
        await followed.until(lambda: followed.states() == {healthy: None})


@on_this_machine
async def test_containers_that_end_with_the_engine_go(plain_world: RealWorld) -> None:
    once = await do(plain_world.run, "once", labels=LABELS)
    policy = {"Name": "always"}
    always = await do(plain_world.run, "always", labels=LABELS, restart_policy=policy)
    async with following(plain_world.url) as followed:
        await followed.until(lambda: set(followed.web()) == {once, always})
        await do(plain_world.engine.restart)
        await followed.until(lambda: followed.states() == {always: None}, 20)


@pytest.mark.parametrize("signal", [15, 9])
async def test_routes_outlive_a_restart_of_the_engine(world: RealWorld, signal: int) -> None:
    front = await do(world.create_network, "front", "203.0.113.160/28", "2001:db8:4:1::/64")
    routes = {"gateway4": "192.0.2.11", "gateway6": "2001:db8:1::11"}
    async with following(world.url, routes=routes, relist=1) as followed:
        await followed.until(lambda: followed.publish.synced)
        before = followed.routes()
        assert before[front] == "203.0.113.160/28"
        assert before[f"{front}-inet6"] == "2001:db8:4:1::/64"
        assert len(before) == 4
        seen: list[set[str]] = []

        def is_back() -> bool:
            seen.append(set(followed.routes().values()))
            return bool(followed.failures) and followed.publish.degradation is None

        async with trio.open_nursery() as nursery:
            nursery.start_soon(do, world.engine.restart, signal)
            await followed.until(is_back, 20)
        # The engine has made its own bridge anew, under another id.
        assert set(followed.routes().values()) == set(before.values())
        assert followed.routes()[front] == before[front]
        assert all(prefixes == set(before.values()) for prefixes in seen)
        await do(world.remove_network, front)
        await followed.until(lambda: front not in followed.routes())


# --- speed ---------------------------------------------------------------------------------------


async def test_events_are_published_within_milliseconds(world: RealWorld) -> None:
    delays: dict[str, list[float]] = {"start": [], "kill": [], "die": []}
    async with following(world.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        put, drop = followed.publish.put, followed.publish.drop
        moments: list[int] = []

        def timed_put(*records: Backend) -> None:
            moments.append(time.time_ns())
            put(*records)

        def timed_drop(*refs: Any) -> None:
            moments.append(time.time_ns())
            drop(*refs)

        followed.publish.put = timed_put  # type: ignore[assignment,method-assign]
        followed.publish.drop = timed_drop  # type: ignore[method-assign]
        for number in range(5):
            moments.clear()
            began = int(time.time())
            one = await do(world.run, f"web{number}", labels=LABELS)
            await followed.until(lambda: len(moments) == 1)
            await do(world.stop, one)
            await followed.until(lambda: len(moments) == 3)
            told = await do(_told, world, one, began)
            for name, moment in zip(delays, moments, strict=True):
                delays[name].append((moment - told[name]) / 1e6)
    for name, values in delays.items():
        middle = sorted(values)[len(values) // 2]
        _log.info("docker %s to publish: %s ms", name, [round(one, 1) for one in values])
        # Far above what it takes: the machine may be busy with other things.
        assert middle < 250, f"{name}: {values} ms"


def _told(world: RealWorld, one: str, since: int) -> dict[str, int]:
    filters = {"container": one}
    stream = world.engine.client.api.events(
        since=since,
        until=int(time.time()) + 1,
        filters=filters,
        decode=True,
    )
    # The first of each: a stop that takes its time ends with a second kill.
    moments: dict[str, int] = {}
    for told in stream:
        moments.setdefault(told["Action"], told["timeNano"])
    return moments
