"""Calls of the client against a real etcd: keys, lists, transactions, leases."""

from __future__ import annotations

import pytest
import trio

from clusterf_etcd import wire
from clusterf_etcd.failure import EtcdRefused, LeaseExists, LeaseGone
from clusterf_etcd.wire import Deleted, KeyValue
from tests.etcd.clients import PREFIX, dialled
from tests.etcd.server import Cluster

pytestmark = pytest.mark.etcd

MB = 2**20


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    ["/clusterf/a", "/clusterf/\0\x01", "/clusterf/\udcff\udc80x", "/clusterf/é/\U0001f600", "x"],
    ids=repr,
)
@pytest.mark.parametrize("value", [b"", b"1", bytes(range(256))], ids=len)
async def test_a_key_of_any_bytes_comes_back_as_it_was_put(
    etcd: Cluster, key: str, value: bytes
) -> None:
    async with dialled(etcd) as gateway:
        assert await gateway.get(key) is None
        revision = await gateway.put(key, value)
        assert await gateway.get(key) == KeyValue(key, value, revision, 0)
        assert await gateway.delete(key) == revision + 1
        assert await gateway.get(key) is None
        # Nothing was deleted: nothing changed.
        assert await gateway.delete(key) == revision + 1


async def test_etcdctl_sees_what_the_client_puts(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        await gateway.put("/clusterf/é", "ü".encode())
    assert etcd.get("/clusterf/é") == "ü"


# --- lists ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1, 2, 3, 5, 1000])
async def test_a_list_in_pages_is_the_whole_list(etcd: Cluster, page: int) -> None:
    keys = [f"{PREFIX}/{name}" for name in ("", "a", "a/b", "\0", "\udcff", "z")]
    async with dialled(etcd) as gateway:
        for key in keys:
            await gateway.put(key, key.encode("utf-8", "surrogateescape"))
        # Beside the prefix, and not below it.
        for key in (PREFIX, f"{PREFIX}0", f"{PREFIX}-other/a", "/", "/clusterg/a"):
            await gateway.put(key, b"no")
        listing = await gateway.list(PREFIX, page=page)
    assert sorted(one.key for one in listing.entries) == sorted(keys)
    assert all(one.value == one.key.encode("utf-8", "surrogateescape") for one in listing.entries)
    assert [one.mod_revision for one in sorted(listing.entries)] == [
        2 + keys.index(key) for key in sorted(keys)
    ]
    assert listing.revision == 12
    assert listing.cluster.isdecimal()


async def test_an_empty_store_has_a_revision(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        assert await gateway.list(PREFIX) == ([], 1, (await gateway.list(PREFIX)).cluster)


async def test_a_list_is_of_one_revision_while_keys_change(etcd: Cluster) -> None:
    ends = (f"{PREFIX}/a", f"{PREFIX}/z")

    async with dialled(etcd) as gateway, dialled(etcd) as writer:

        async def write(number: int) -> None:
            put = [wire.put_op(key, str(number).encode()) for key in ends]
            await writer.transaction([], put)

        async def write_on() -> None:
            for number in range(1, 10_000):
                await write(number)

        await write(0)
        for number in range(30):
            await writer.put(f"{PREFIX}/m{number}", b"")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write_on)
            moved = set()
            for _ in range(5):
                listing = await gateway.list(PREFIX, page=1)
                assert listing.entries[0].value == listing.entries[-1].value
                assert listing.entries[0].mod_revision <= listing.revision
                moved.add(listing.revision)
            nursery.cancel_scope.cancel()
        assert len(moved) == 5


@pytest.mark.timeout(60)
async def test_values_of_ten_megabytes_come_through_in_smaller_pages() -> None:
    # Six of them are more than one answer may be.
    with Cluster(options=["--max-request-bytes", str(12 * MB)]) as etcd:
        async with dialled(etcd, timeout=10) as gateway:
            for number in range(6):
                await gateway.put(f"{PREFIX}/{number}", bytes([48 + number]) * (10 * MB))
            await gateway.put(f"{PREFIX}/9", b"small")
            listing = await gateway.list(PREFIX)
            assert [len(one.value) for one in listing.entries] == [10 * MB] * 6 + [5]
            assert [one.value[:1] for one in listing.entries] == [b"%c" % c for c in b"012345s"]


async def test_a_value_larger_than_etcd_takes_is_refused(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        with pytest.raises(EtcdRefused, match="too large"):
            await gateway.put(f"{PREFIX}/a", bytes(3 * MB // 2 + 1))
        assert (await gateway.list(PREFIX)).entries == []


# --- transactions --------------------------------------------------------------------------------


async def test_a_transaction_takes_one_branch_and_answers_its_operations(etcd: Cluster) -> None:
    key = f"{PREFIX}/a"
    async with dialled(etcd) as gateway:
        absent = [wire.compare_mod(key, 0)]
        take = [wire.put_op(key, b"mine"), wire.get_op(f"{PREFIX}/b")]
        look = [wire.get_op(key), wire.delete_op(f"{PREFIX}/b")]
        assert await gateway.transaction(absent, take, look) == (True, 2, (0, ()))
        await gateway.put(f"{PREFIX}/b", b"")
        found = KeyValue(key, b"mine", 2, 0)
        assert await gateway.transaction(absent, take, look) == (False, 4, ((found,), 1))
        assert await gateway.transaction(absent, take) == (False, 4, ())


async def test_conditions(etcd: Cluster) -> None:
    key = f"{PREFIX}/a"
    async with dialled(etcd) as gateway:
        lease, _ = await gateway.grant(60)
        await gateway.put(key, b"v", lease=lease)
        for condition, holds in (
            (wire.compare_mod(key, 2), True),
            (wire.compare_mod(key, 1, "GREATER"), True),
            (wire.compare_mod(key, 2, "NOT_EQUAL"), False),
            (wire.compare_lease(key, lease), True),
            (wire.compare_lease(key, 0), False),
            (wire.compare_lease(f"{key}/not", 0), True),
            (wire.compare_value(key, b"v"), True),
            (wire.compare_value(key, b"w", "LESS"), True),
            (wire.compare_value(f"{key}/not", b""), False),
        ):
            assert (await gateway.transaction([condition], [])).succeeded is holds, condition


async def test_a_key_twice_in_a_transaction_is_refused(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        with pytest.raises(EtcdRefused, match="duplicate key"):
            await gateway.transaction([], [wire.put_op("a", b""), wire.put_op("a", b"")])


# --- leases --------------------------------------------------------------------------------------


async def test_a_lease_is_granted_kept_alive_and_revoked_with_its_keys(etcd: Cluster) -> None:
    key = f"{PREFIX}/a"
    async with dialled(etcd) as gateway:
        lease, ttl = await gateway.grant(10)
        assert lease > 0
        assert ttl == 10
        revision = await gateway.put(key, b"v", lease=lease)
        assert await gateway.get(key) == KeyValue(key, b"v", revision, lease)
        assert await gateway.keep_alive(lease) == 10
        await gateway.revoke(lease)
        assert await gateway.get(key) is None
        assert await gateway.keep_alive(lease) == 0
        await gateway.revoke(lease)
        with pytest.raises(LeaseGone):
            await gateway.put(key, b"v", lease=lease)
        with pytest.raises(LeaseGone):
            await gateway.transaction([], [wire.put_op(key, b"v", lease=lease)])


async def test_a_lease_of_a_known_id_exists_once(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        assert await gateway.grant(10, 7) == (7, 10)
        with pytest.raises(LeaseExists):
            await gateway.grant(10, 7)
        await gateway.revoke(7)
        assert await gateway.grant(20, 7) == (7, 20)


async def test_a_lease_that_expires_deletes_its_keys(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        lease, _ = await gateway.grant(1)
        revision = await gateway.put(f"{PREFIX}/a", b"v", lease=lease)
        async with gateway.watch(PREFIX, revision + 1) as watch:
            with trio.fail_after(20):
                assert await watch.next() == (
                    [Deleted(f"{PREFIX}/a", revision + 1)],
                    revision + 1,
                )
        assert await gateway.keep_alive(lease) == 0


async def test_a_lease_outlives_a_restart_of_etcd(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        lease, _ = await gateway.grant(30)
        await gateway.put(f"{PREFIX}/a", b"v", lease=lease)
        etcd.restart()
        assert await gateway.keep_alive(lease) == 30
        assert len((await gateway.list(PREFIX)).entries) == 1


# --- around it -----------------------------------------------------------------------------------


async def test_calls_at_the_same_time_do_not_wait_for_each_other(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway, trio.open_nursery() as nursery:
        for number in range(30):
            nursery.start_soon(gateway.put, f"{PREFIX}/{number}", b"")
    async with dialled(etcd) as gateway:
        assert len((await gateway.list(PREFIX)).entries) == 30


async def test_proxies_of_the_environment_are_not_for_etcd(
    etcd: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with dialled(etcd) as gateway:
        await gateway.put("a", b"")


async def test_over_ipv6() -> None:
    with Cluster(host="::1") as etcd:
        assert etcd.endpoints[0].startswith("http://[::1]:")
        async with dialled(etcd) as gateway:
            await gateway.put("a", b"")


async def test_a_closed_client_connects_again(etcd: Cluster) -> None:
    async with dialled(etcd) as gateway:
        await gateway.put("a", b"1")
        await gateway.close()
        assert await gateway.get("a") == KeyValue("a", b"1", 2, 0)
