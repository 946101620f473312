"""A network that says nothing any more: no reset, no answer, no end. Needs root, and no IPVS."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import trio

from clusterf_etcd.failure import EtcdUnavailable, WatchEnded
from tests.etcd.clients import PREFIX, dialled, until
from tests.etcd.server import Cluster
from tests.lab import remote
from tests.lab.network import Namespace, Networks

pytestmark = pytest.mark.etcd

CLIENT, MEMBER = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def far(request: pytest.FixtureRequest) -> Namespace:
    """A namespace with a cable to that of the test."""
    if os.geteuid() != 0:
        remote.impossible("no namespaces: not root")
    here: Namespace = request.getfixturevalue("netns")
    networks: Networks = request.getfixturevalue("networks")
    there = networks.namespace("member")
    networks.cable(
        *(here, "client", there, "member"),
        one_addresses=[f"{CLIENT}/24"],
        other_addresses=[f"{MEMBER}/24"],
    )
    return there


@pytest.fixture
def away(far: Namespace) -> Iterator[Cluster]:
    with Cluster(place=far, host=MEMBER) as made:
        yield made


def cut(far: Namespace) -> None:
    """Packets still arrive there, and none comes back."""
    far.ip(f"route add blackhole {CLIENT}/32")


def heal(far: Namespace) -> None:
    far.ip(f"route del blackhole {CLIENT}/32")


async def test_a_watch_on_a_silent_network_is_ended_by_the_kernel(
    away: Cluster, far: Namespace
) -> None:
    assert away.endpoints == [f"http://{MEMBER}:2379"]
    async with (
        dialled(away) as gateway,
        gateway.watch(PREFIX, 1, pulse=600) as watch,
    ):
        await gateway.put(f"{PREFIX}/a", b"1")
        assert len(await until(watch, 2)) == 1
        cut(far)
        with trio.fail_after(25), pytest.raises(WatchEnded):
            await watch.next()


async def test_calls_and_watches_on_a_silent_network_end_in_time_and_come_back(
    away: Cluster, far: Namespace
) -> None:
    async with dialled(away, timeout=0.5) as gateway:
        async with gateway.watch(PREFIX, 1, pulse=0.5) as watch:
            cut(far)
            with trio.fail_after(5), pytest.raises(WatchEnded, match="watch given up"):
                await watch.next()
        with trio.fail_after(5), pytest.raises(EtcdUnavailable, match="no answer within"):
            await gateway.put(f"{PREFIX}/a", b"1")
        with trio.fail_after(5), pytest.raises(EtcdUnavailable, match="no answer within"):
            async with gateway.watch(PREFIX, 1):
                raise AssertionError
        heal(far)
        revision = await gateway.put(f"{PREFIX}/a", b"2")
        async with gateway.watch(PREFIX, revision) as watch:
            assert len(await until(watch, revision)) == 1
