"""Members that die, hang or lose their leader, under calls."""

from __future__ import annotations

import pytest
import trio

from clusterf_etcd import wire
from clusterf_etcd.failure import EtcdRefused, EtcdUnavailable
from tests.etcd.clients import PREFIX, aside, dialled
from tests.etcd.server import Cluster

pytestmark = pytest.mark.etcd


async def test_an_etcd_that_is_not_there(etcd: Cluster) -> None:
    etcd.kill()
    async with dialled(etcd) as gateway:
        with pytest.raises(EtcdUnavailable, match=r"http://127.0.0.1:\d+: connection refused"):
            await gateway.get("a")
        with pytest.raises(EtcdUnavailable, match="connection refused"):
            async with gateway.watch(PREFIX, 1):
                raise AssertionError
        await aside(etcd.start)
        assert await gateway.get("a") is None


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_an_etcd_that_comes_back_is_used_again(etcd: Cluster, end: str) -> None:
    async with dialled(etcd) as gateway:
        await gateway.put("a", b"1")
        await aside(getattr(etcd.members[0], end))
        await aside(etcd.start)
        # The connection that was kept is dead, and is not taken for a dead etcd.
        assert await gateway.get("a") is not None


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_calls_under_way_end_with_the_member(etcd: Cluster, end: str) -> None:
    ends: list[EtcdUnavailable | None] = []

    async with dialled(etcd) as gateway, dialled(etcd, timeout=60) as patient:

        async def call(number: int) -> None:
            try:
                await patient.get(f"{PREFIX}/{number}")
            except EtcdUnavailable as error:
                ends.append(error)
            else:
                ends.append(None)

        await gateway.get("a")
        etcd.members[0].freeze()
        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                for number in range(5):
                    nursery.start_soon(call, number)
                await trio.testing.wait_all_tasks_blocked(0.05)
                await aside(getattr(etcd.members[0], end))
    assert len(ends) == 5
    # With SIGTERM it may have answered some of them first.
    assert end == "stop" or None not in ends


async def test_a_member_that_hangs_costs_one_timeout_and_then_none(three: Cluster) -> None:
    async with dialled(three, timeout=0.5) as gateway:
        await gateway.put("a", b"1")
        frozen = three.members[0]
        frozen.freeze()
        # The others elect a leader, if the frozen one was it.
        await aside(three.leader, without=frozen)
        assert await gateway.get("a") is not None
        began = trio.current_time()
        for _ in range(5):
            await gateway.get("a")
        assert trio.current_time() - began < 0.5
        frozen.thaw()


async def test_each_member_in_turn_dies_and_the_calls_go_on(three: Cluster) -> None:
    async with dialled(three) as gateway:
        for number, member in enumerate(three.members):
            await gateway.put("a", b"%d" % number)
            await aside(member.kill)
            await aside(three.leader)
            found = await gateway.get("a")
            assert found is not None
            assert found.value == b"%d" % number
            await aside(member.start)
            await aside(three.wait_healthy)


async def test_without_a_quorum_every_endpoint_is_named(three: Cluster) -> None:
    async with dialled(three) as gateway:
        await gateway.put("a", b"1")
        for member in three.members[:2]:
            await aside(member.kill)
        with trio.fail_after(20):
            while True:
                with pytest.raises(EtcdUnavailable) as caught:
                    await gateway.get("a")
                if "no leader" in str(caught.value):
                    break
        for endpoint in three.endpoints:
            assert endpoint in str(caught.value)
        assert "connection refused" in str(caught.value)
        with pytest.raises(EtcdUnavailable, match="no leader"):
            await gateway.grant(10)
        with pytest.raises(EtcdUnavailable, match="no leader"):
            await gateway.keep_alive(1)
        with pytest.raises(EtcdUnavailable, match="no leader"):
            async with gateway.watch(PREFIX, 1):
                raise AssertionError
        await aside(three.start)
        await aside(three.wait_healthy)
        assert await gateway.get("a") is not None


async def test_what_must_not_be_done_twice_is_not(three: Cluster) -> None:
    key = f"{PREFIX}/counter"
    async with dialled(three, timeout=1) as gateway:
        await gateway.put(key, b"0")
        asked, *others = gateway._caller.endpoints.order()
        frozen = three.members[three.endpoints.index(asked)]
        frozen.freeze()
        with trio.fail_after(20), pytest.raises(EtcdUnavailable) as caught:
            await gateway.transaction([], [wire.put_op(key, b"1")])
        assert caught.value.perhaps_done
        assert not any(endpoint in str(caught.value) for endpoint in others)
        frozen.thaw()


async def test_what_was_surely_not_done_is_tried_elsewhere(three: Cluster) -> None:
    async with dialled(three) as gateway:
        await aside(three.members[0].kill)
        await aside(three.leader)
        assert (await gateway.transaction([], [wire.put_op("a", b"1")])).succeeded


async def test_a_call_that_its_caller_gave_up_begins_elsewhere_next_time(three: Cluster) -> None:
    async with dialled(three, timeout=60) as gateway:
        await gateway.put("a", b"1")
        three.members[0].freeze()
        await aside(three.leader, without=three.members[0])
        with trio.move_on_after(0.2) as scope:
            await gateway.get("a")
        assert scope.cancelled_caught
        with trio.fail_after(5):
            assert await gateway.get("a") is not None
        three.members[0].thaw()


async def test_a_member_that_lags_does_not_turn_the_list_back(three: Cluster) -> None:
    lagging = next(one for one in three.members if one is not three.leader())
    others = [one.endpoint for one in three.members if one is not lagging]
    # One that just woke up may let a read wait for seconds, until it asks the leader again.
    async with dialled([lagging.endpoint], timeout=20) as gateway, dialled(others) as writer:
        await gateway.list(PREFIX)
        lagging.freeze()
        revision = await writer.put(f"{PREFIX}/a", b"1")
        lagging.thaw()
        listing = await gateway.list(PREFIX)
        assert listing.revision >= revision
        async with gateway.watch(PREFIX, revision + 1) as watch:
            assert watch.endpoint == lagging.endpoint


async def test_endpoints_of_two_clusters_are_noticed(etcd: Cluster) -> None:
    with Cluster() as other:
        for cluster in (etcd, other):
            cluster.put(f"{PREFIX}/a", "1")
            cluster.put(f"{PREFIX}/b", "1")
        async with dialled([*etcd.endpoints, *other.endpoints]) as gateway:
            first = await gateway.list(PREFIX)
            await aside(etcd.kill)
            second = await gateway.list(PREFIX)
            assert first.cluster != second.cluster


async def test_what_is_no_etcd_is_said_to_be_none(etcd: Cluster) -> None:
    # The port for other members speaks HTTP, and has no gateway.
    peer = etcd.members[0].peer
    async with dialled([peer]) as gateway:
        with pytest.raises(EtcdRefused, match="answers 404") as caught:
            await gateway.get("a")
        assert "etcd 3.4" in caught.value.hint
        with pytest.raises(EtcdRefused, match="answers 404"):
            async with gateway.watch(PREFIX, 1):
                raise AssertionError
    async with dialled([peer, *etcd.endpoints]) as gateway:
        assert await gateway.get("a") is None
