"""What real etcd does not do on command; the rest is in tests/etcd/test_gateway.py."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from clusterf.testing import InstanceContext
from clusterf_etcd.failure import (
    Compacted,
    EtcdRefused,
    EtcdUnavailable,
    FutureRevision,
    LeaseExists,
    TooLarge,
)
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.settings import ConnectionSettings
from tests.unit.plugins.clusterf_etcd.stub import (
    CLOSE,
    HEADER,
    Answer,
    Asked,
    Stub,
    no,
    ok,
    serving,
)

COMPACTED = no(400, 11, "etcdserver: mvcc: required revision has been compacted")
FUTURE = no(400, 11, "etcdserver: mvcc: required revision is a future revision")
LARGE = no(429, 8, "grpc: received message larger than max (5000000 vs. 4194304)")


@asynccontextmanager
async def gateway_to(*stubs: Stub, **facts: Any) -> AsyncIterator[Gateway]:
    settings = ConnectionSettings.model_validate(
        {"endpoints": [stub.url for stub in stubs], **facts}
    )
    gateway = Gateway(settings, InstanceContext("sources.x", folder=Path("/")))
    try:
        yield gateway
    finally:
        with trio.CancelScope(shield=True):
            await gateway.close()


def store(
    count: int, *, cluster: str = "11", before: Callable[[Asked], Answer | None] = lambda _: None
) -> Callable[[Asked], Answer]:
    """An etcd with so many keys that answers ranges, unless ``before`` answers first."""
    keys = [f"/clusterf/{number:03}" for number in range(count)]
    state = {"revision": 7}

    def answer(asked: Asked) -> Answer:
        if (first := before(asked)) is not None:
            return first
        begin = base64.b64decode(asked.message["key"]).decode()
        limit = int(asked.message["limit"])
        # The store moves on between two pages.
        state["revision"] += 1
        header = {**HEADER, "cluster_id": cluster, "revision": str(state["revision"])}
        found = [key for key in keys if key >= begin]
        kvs = [
            {"key": base64.b64encode(key.encode()).decode(), "mod_revision": "3"}
            for key in found[:limit]
        ]
        return ok({"header": header, "kvs": kvs, "more": len(found) > limit})

    return answer


async def test_the_first_page_decides_the_revision() -> None:
    async with serving(store(25)) as stub, gateway_to(stub) as gateway:
        listing = await gateway.list("/clusterf", page=10)
        assert [one.key[-3:] for one in listing.entries] == [f"{n:03}" for n in range(25)]
        assert listing.revision == 8
        assert [one.message.get("revision") for one in stub.asked] == [None, "8", "8"]


@pytest.mark.parametrize("gone", [COMPACTED, FUTURE], ids=["compacted", "restored"])
async def test_a_list_whose_revision_goes_is_begun_anew(gone: Answer) -> None:
    failing = [True]

    def before(asked: Asked) -> Answer | None:
        return gone if "revision" in asked.message and failing and failing.pop() else None

    async with serving(store(25, before=before)) as stub, gateway_to(stub) as gateway:
        listing = await gateway.list("/clusterf", page=10)
        assert len(listing.entries) == 25
        assert len(stub.asked) == 2 + 3


@pytest.mark.parametrize(
    ("gone", "kind"), [(COMPACTED, Compacted), (FUTURE, FutureRevision)], ids=["c", "f"]
)
async def test_a_list_is_not_begun_for_ever(gone: Answer, kind: type[Exception]) -> None:
    def before(asked: Asked) -> Answer | None:
        return gone if "revision" in asked.message else None

    async with serving(store(25, before=before)) as stub, gateway_to(stub) as gateway:
        with pytest.raises(kind):
            await gateway.list("/clusterf", page=10)
        assert len(stub.asked) == 6


async def test_pages_that_are_too_large_become_smaller() -> None:
    def before(asked: Asked) -> Answer | None:
        return LARGE if int(asked.message["limit"]) > 7 else None

    async with serving(store(100, before=before)) as stub, gateway_to(stub) as gateway:
        assert len((await gateway.list("/clusterf")).entries) == 100
        limits = [int(one.message["limit"]) for one in stub.asked]
        assert limits[:2] == [1000, 31]
        # What is too large is found out, and not again with every page.
        assert sum(limit > 7 for limit in limits) <= 4
        assert len(limits) < 40


async def test_a_key_that_is_too_large_alone() -> None:
    async with serving(lambda _: LARGE) as stub, gateway_to(stub) as gateway:
        with pytest.raises(TooLarge):
            await gateway.list("/clusterf")
        assert [int(one.message["limit"]) for one in stub.asked] == [1000, 31, 1]


async def test_pages_of_two_clusters_are_not_mixed() -> None:
    broken = [False]

    def before(_: Asked) -> Answer | None:
        broken[0] = not broken[0]
        return None if broken[0] else [CLOSE]

    async with (
        serving(store(25, before=before)) as one,
        serving(store(25, cluster="12")) as other,
        gateway_to(one, other) as gateway,
    ):
        with pytest.raises(EtcdRefused, match="endpoints of different clusters: 11 and 12"):
            await gateway.list("/clusterf", page=10)


async def test_an_endless_list_is_ended_by_a_page_without_keys() -> None:
    async with (
        serving(lambda _: ok({"more": True})) as stub,
        gateway_to(stub) as gateway,
    ):
        assert (await gateway.list("/clusterf")).entries == []


async def test_a_lease_with_an_id_is_not_granted_twice() -> None:
    def lost(_: Asked) -> Answer:
        return [CLOSE]

    exists = no(412, 9, "etcdserver: lease already exists")
    async with (
        serving(lost) as one,
        serving(lambda _: exists) as other,
        gateway_to(one, other) as gateway,
    ):
        with pytest.raises(EtcdUnavailable) as caught:
            await gateway.grant(10, 7)
        assert caught.value.perhaps_done
        with pytest.raises(LeaseExists):
            await gateway.grant(10, 7)
    async with (
        serving(lost) as one,
        serving(lambda _: ok({"ID": "8", "TTL": "10"})) as other,
        gateway_to(one, other) as gateway,
    ):
        # One that nobody knows the id of expires.
        assert await gateway.grant(10) == (8, 10)


async def test_nothing_is_done_before_the_first_call() -> None:
    async with serving(lambda _: ok()) as stub:
        async with gateway_to(stub, user="a", password_file="/not/there") as gateway:  # noqa: S106
            assert gateway._caller._transport is None
        assert stub.connections == 0
