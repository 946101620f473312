"""Watches of the client on a real etcd: what they tell, and how each of their ends looks."""

from __future__ import annotations

import pytest
import trio

from clusterf_etcd import wire
from clusterf_etcd.failure import Compacted, WatchEnded
from clusterf_etcd.watch import AHEAD_MAX
from clusterf_etcd.wire import Deleted, KeyValue
from tests.etcd.clients import PREFIX, aside, dialled, parts, until
from tests.etcd.server import Cluster

pytestmark = pytest.mark.etcd

MB = 2**20


# --- what they tell ------------------------------------------------------------------------------


async def test_everything_since_a_revision_and_everything_after_it(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        for number in range(5):
            await gateway.put(f"{PREFIX}/{number}", b"v%d" % number)
        async with gateway.watch(PREFIX, 4) as watch:
            assert watch.revision == 6
            assert watch.cluster == (await gateway.list(PREFIX)).cluster
            assert watch.endpoint == etcd.endpoints[0]
            assert await until(watch, 6) == [
                KeyValue(f"{PREFIX}/{number}", b"v%d" % number, number + 2, 0)
                for number in (2, 3, 4)
            ]
            await gateway.put("/elsewhere", b"")
            await gateway.put(f"{PREFIX}0", b"")
            await gateway.put(PREFIX, b"")
            await gateway.delete(f"{PREFIX}/0")
            await gateway.put(f"{PREFIX}/\udcff", b"")
            assert await until(watch, 11) == [
                Deleted(f"{PREFIX}/0", 10),
                KeyValue(f"{PREFIX}/\udcff", b"", 11, 0),
            ]


async def test_from_now_on(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        await gateway.put(f"{PREFIX}/a", b"")
        async with gateway.watch(PREFIX, 0) as watch:
            await gateway.put(f"{PREFIX}/b", b"")
            assert await until(watch, 3) == [KeyValue(f"{PREFIX}/b", b"", 3, 0)]


async def test_one_call_returns_everything_that_has_arrived(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway, gateway.watch(PREFIX, 1) as watch:
        for number in range(100):
            await gateway.put(f"{PREFIX}/{number}", b"")
        await trio.testing.wait_all_tasks_blocked(0.05)
        changes = await watch.next()
        assert len(changes.events) == 100
        assert changes.revision == 101


async def test_a_cancelled_call_loses_nothing(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway, gateway.watch(PREFIX, 1) as watch:
        told = 0
        for number in range(50):
            with trio.move_on_after(0):
                told += len((await watch.next()).events)
            await gateway.put(f"{PREFIX}/{number}", b"")
            with trio.move_on_after(0.001):
                told += len((await watch.next()).events)
        told += len(await until(watch, 51)) if told < 50 else 0
        assert told == 50


async def test_a_revision_is_never_told_in_two_parts(etcd: Cluster) -> None:
    # More than the 4 MB that a message of gRPC may have, so etcd sends it in fragments.
    async with dialled(etcd) as gateway:
        for number in range(8):
            put = [wire.put_op(f"{PREFIX}/{number}/{key}", bytes(100_000)) for key in range(10)]
            await gateway.transaction([], put)
        async with gateway.watch(PREFIX, 1) as watch:
            told = await parts(watch, 9)
    for part in told:
        revisions = [event.mod_revision for event in part.events]
        assert revisions == sorted(revisions)
        assert all(revisions.count(one) == 10 for one in set(revisions))
        assert part.revision == revisions[-1]
    assert sum(len(part.events) for part in told) == 80


async def test_a_value_of_ten_megabytes_comes_through() -> None:
    with Cluster(options=["--max-request-bytes", str(12 * MB)]) as etcd:
        async with dialled(etcd, timeout=10) as gateway, gateway.watch(PREFIX, 1) as watch:
            await gateway.put(f"{PREFIX}/a", bytes(10 * MB))
            [event] = await until(watch, 2)
            assert event == KeyValue(f"{PREFIX}/a", bytes(10 * MB), 2, 0)


async def test_etcd_says_how_far_it_has_come() -> None:
    with Cluster(options=["--experimental-watch-progress-notify-interval", "100ms"]) as etcd:
        async with dialled(etcd) as gateway, gateway.watch(PREFIX, 1) as watch:
            await gateway.put("/elsewhere", b"")
            told = await parts(watch, 2)
            assert told[-1] == ([], 2)
            assert not any(part.events for part in told)


async def test_who_does_not_ask_is_not_read_ahead_for_ever(etcd: Cluster) -> None:
    count, size = 32, MB
    async with dialled(etcd) as gateway, gateway.watch(PREFIX, 1) as watch:
        for number in range(count):
            await gateway.put(f"{PREFIX}/{number}", bytes(size))
        await trio.testing.wait_all_tasks_blocked(0.2)
        assert AHEAD_MAX < watch._held < 2 * AHEAD_MAX
        assert len(await until(watch, count + 1)) == count


# --- how they end --------------------------------------------------------------------------------


async def test_what_is_compacted_is_told_as_such(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        for _ in range(9):
            await gateway.put(f"{PREFIX}/a", b"")
        etcd.compact(8)
        async with gateway.watch(PREFIX, 3) as watch:
            with pytest.raises(Compacted) as caught:
                await watch.next()
            assert caught.value.revision == 8
            # It stays over.
            with pytest.raises(Compacted):
                await watch.next()
        async with gateway.watch(PREFIX, 9) as watch:
            assert len(await until(watch, 10)) == 2


async def test_a_revision_that_is_not_there_yet_ends_at_once(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        revision = await gateway.put(f"{PREFIX}/a", b"")
        with pytest.raises(WatchEnded, match=f"revision {revision}, before {revision + 2}"):
            async with gateway.watch(PREFIX, revision + 2):
                raise AssertionError
        async with gateway.watch(PREFIX, revision + 1):
            pass


async def test_a_backup_that_comes_back_is_noticed(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        await gateway.put(f"{PREFIX}/a", b"1")
        backup = etcd.save()
        for _ in range(5):
            await gateway.put(f"{PREFIX}/a", b"2")
        before = await gateway.list(PREFIX)
        async with gateway.watch(PREFIX, before.revision + 1) as watch:
            await aside(etcd.restore, backup)
            with pytest.raises(WatchEnded):
                await watch.next()
        with pytest.raises(WatchEnded, match="before"):
            async with gateway.watch(PREFIX, before.revision + 1):
                raise AssertionError
        after = await gateway.list(PREFIX)
        assert after.revision < before.revision
        assert after.entries[0].value == b"1"


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_a_member_that_ends_ends_the_watch(etcd: Cluster, end: str) -> None:
    async with dialled(etcd) as gateway:
        async with gateway.watch(PREFIX, 1) as watch:
            await gateway.put(f"{PREFIX}/a", b"")
            assert len(await until(watch, 2)) == 1
            await aside(getattr(etcd.members[0], end))
            with pytest.raises(WatchEnded):
                await watch.next()
        await aside(etcd.start)
        async with gateway.watch(PREFIX, 2) as watch:
            assert len(await until(watch, 2)) == 1


async def test_a_member_that_hangs_ends_the_watch(etcd: Cluster) -> None:
    async with (
        dialled(etcd, timeout=0.3) as gateway,
        gateway.watch(PREFIX, 1, pulse=0.3) as watch,
    ):
        etcd.members[0].freeze()
        with trio.fail_after(10), pytest.raises(WatchEnded, match=r"no answer within 0\.3 s"):
            await watch.next()
    etcd.members[0].thaw()


async def test_silence_is_no_end(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway, gateway.watch(PREFIX, 1, pulse=0.05) as watch:
        with trio.move_on_after(0.5):
            await watch.next()
        await gateway.put(f"{PREFIX}/a", b"")
        assert len(await until(watch, 2)) == 1


async def test_a_silence_that_ends_before_the_watch_does_is_told(etcd: Cluster) -> None:
    async with dialled(etcd, timeout=10) as gateway, gateway.watch(PREFIX, 1, pulse=1.0) as watch:
        await gateway.put(f"{PREFIX}/a", b"")
        await until(watch, 2)
        assert watch.late is None
        etcd.members[0].freeze()
        with trio.move_on_after(2.5):
            await watch.next()
        thawed = trio.current_time()
        etcd.members[0].thaw()
        await gateway.put(f"{PREFIX}/b", b"")
        await until(watch, 3)
        # It is told with what comes, and not later.
        assert watch.late is not None
        assert watch.late >= thawed


async def test_a_member_without_a_leader_ends_the_watch(three: Cluster) -> None:
    async with dialled(three.endpoints[:1]) as gateway, gateway.watch(PREFIX, 1) as watch:
        for member in three.members[1:]:
            await aside(member.kill)
        with trio.fail_after(20), pytest.raises(WatchEnded, match="no leader"):
            await watch.next()


async def test_the_next_watch_is_on_another_member(three: Cluster) -> None:
    async with dialled(three) as gateway:
        async with gateway.watch(PREFIX, 1) as watch:
            assert watch.endpoint == three.endpoints[0]
            await aside(three.members[0].kill)
            with pytest.raises(WatchEnded):
                await watch.next()
        await aside(three.leader)
        async with gateway.watch(PREFIX, 1) as watch:
            assert watch.endpoint != three.endpoints[0]
            revision = await gateway.put(f"{PREFIX}/a", b"")
            assert len(await until(watch, revision)) == 1


# --- around them ---------------------------------------------------------------------------------


async def test_what_is_raised_inside_comes_out_as_it_is(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        with pytest.raises(KeyError):
            async with gateway.watch(PREFIX, 1):
                raise KeyError
        with trio.move_on_after(0.1) as scope:
            async with gateway.watch(PREFIX, 1):
                await trio.sleep_forever()
        assert scope.cancelled_caught
        with trio.move_on_after(0.1) as scope:
            async with gateway.watch(PREFIX, 1) as watch:
                await watch.next()
        assert scope.cancelled_caught
        # Everything is closed, and nothing of it is in the way.
        assert await gateway.get("a") is None


async def test_a_watch_that_is_left_while_much_arrives_leaves_nothing_behind(
    etcd: Cluster,
) -> None:
    async with dialled(etcd) as gateway:
        for number in range(20):
            await gateway.put(f"{PREFIX}/{number}", bytes(MB))
        for _ in range(3):
            async with gateway.watch(PREFIX, 1) as watch:
                assert (await watch.next()).events
