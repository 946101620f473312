from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from clusterf.testing import InstanceContext
from clusterf_etcd.failure import EtcdUnavailable
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.lease import Lease
from tests.etcd.following import away, settings
from tests.etcd.server import Cluster

pytestmark = pytest.mark.etcd


@asynccontextmanager
async def held(etcd: Cluster, ttl: int = 2, **facts: object) -> AsyncIterator[Lease]:
    context = InstanceContext("outputs.cluster", folder=Path("/"))
    gateway = Gateway(settings(etcd.endpoints, **facts), context)
    lease = Lease(gateway, ttl, context)
    await lease.hold()
    yield lease
    await gateway.close()


async def test_it_is_granted_once_and_held(etcd: Cluster) -> None:
    async with held(etcd) as lease:
        first = lease.id
        assert first
        await lease.hold()
        assert lease.id == first


async def test_the_revision_of_its_grant_is_that_of_the_first_list(etcd: Cluster) -> None:
    async with held(etcd) as lease:
        assert lease.granted == 0
        lease.seen_at(7)
        lease.seen_at(9)
        assert lease.granted == 7
        await lease.revoke()
        await lease.hold()
        assert lease.granted == 0


async def test_it_lives_as_long_as_it_is_kept(etcd: Cluster) -> None:
    async with held(etcd) as lease, trio.open_nursery() as nursery:
        nursery.start_soon(lease.keep)
        await trio.sleep(3.5)  # longer than it lives by itself: only etcd's clock can tell
        assert f"{lease.id:x}" in (await away(lambda: etcd.ctl("lease", "list"))).stdout
        nursery.cancel_scope.cancel()


async def test_its_loss_is_noticed_and_it_is_replaced(etcd: Cluster) -> None:
    async with held(etcd) as lease:
        first = lease.id
        await away(lambda: etcd.ctl("lease", "revoke", f"{first:x}"))
        with trio.fail_after(5):
            await lease.keep()
        async with trio.open_nursery() as nursery:
            # Without a lease there is nothing to keep alive.
            nursery.start_soon(lease.keep)
            await lease.hold()
            assert lease.id != first
            nursery.cancel_scope.cancel()


async def test_given_back_it_is_gone(etcd: Cluster) -> None:
    async with held(etcd) as lease:
        first = lease.id
        await lease.revoke()
        assert lease.id == 0
        assert f"{first:x}" not in (await away(lambda: etcd.ctl("lease", "list"))).stdout
        await lease.revoke()


async def test_a_member_that_keeps_silent_does_not_use_up_its_time(etcd: Cluster) -> None:
    """Whatever the timeout of a request: a keepalive has to come in time, elsewhere if need be."""
    async with held(etcd, ttl=3, timeout="60s") as lease:
        await away(etcd.members[0].freeze)
        with trio.fail_after(4), pytest.raises(EtcdUnavailable, match=r"keepalive within 1\.0 s"):
            await lease.keep()
        await away(etcd.members[0].thaw)
