from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from clusterf.model.operation import AddService, Operation
from clusterf.model.service import BackendRef
from clusterf.testing import InstanceContext
from clusterf_etcd.carrying import AT_ONCE, carry_out
from clusterf_etcd.failure import EtcdUnavailable, LeaseGone
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.operations import DeleteKey, PutKey
from clusterf_etcd.tree import Tree
from tests.etcd.following import away, settings
from tests.etcd.server import Cluster
from tests.strategies import entry, tcp

pytestmark = pytest.mark.etcd


class Writer:
    """Carries out edits under a lease."""

    def __init__(self, etcd: Cluster) -> None:
        context = InstanceContext("outputs.cluster", folder=Path("/"))
        self.gateway = Gateway(settings(etcd.endpoints), context)
        self.tree = Tree()
        self.lease = 0

    async def carry_out(self, *operations: Operation) -> list[str]:
        """The errors, empty for what was done."""
        outcomes = await carry_out(self.gateway, self.lease, operations, self.tree)
        assert [one.operation for one in outcomes] == list(operations)
        return [one.error for one in outcomes]


@asynccontextmanager
async def writer(etcd: Cluster) -> AsyncIterator[Writer]:
    made = Writer(etcd)
    made.lease, _ = await made.gateway.grant(60)
    yield made
    await made.gateway.close()


def put(key: str, value: str = "1", seen: int = 0) -> PutKey:
    return PutKey(BackendRef("web", key), f"/clusterf/{key}", value.encode(), seen)


def delete(key: str, seen: int) -> DeleteKey:
    return DeleteKey(BackendRef("web", key), f"/clusterf/{key}", seen)


async def revision(etcd: Cluster) -> int:
    answer = await away(lambda: etcd.ctl("get", "x", "-w", "json"))
    return int(json.loads(answer.stdout)["header"]["revision"])


async def test_what_is_done_is_known_without_a_look(etcd: Cluster) -> None:
    async with writer(etcd) as one:
        assert await one.carry_out(put("a"), put("b", "2")) == ["", ""]
        assert await away(etcd.get, "/clusterf/b") == "2"
        known = one.tree.entries["/clusterf/b"]
        assert (known.value, known.lease) == (b"2", one.lease)
        assert known == await one.gateway.get("/clusterf/b")
        assert await one.carry_out(delete("b", known.mod_revision)) == [""]
        assert set(one.tree.entries) == {"/clusterf/a"}
        assert await away(etcd.get, "/clusterf/b") is None


async def test_many_edits_are_few_transactions(etcd: Cluster) -> None:
    async with writer(etcd) as one:
        before = await revision(etcd)
        edits = [put(f"b{number}") for number in range(AT_ONCE * 2 + 1)]
        assert set(await one.carry_out(*edits)) == {""}
        assert await revision(etcd) == before + 3
        assert len(one.tree.entries) == len(edits)


async def test_one_that_somebody_was_faster_with_holds_back_no_other(etcd: Cluster) -> None:
    etcd.put("/clusterf/b", "theirs")
    async with writer(etcd) as one:
        errors = await one.carry_out(put("a"), put("b"), put("c"), delete("b", 99))
        faster = "changed by somebody else in the meantime"
        assert errors == ["", faster, "", faster]
        assert await away(etcd.get, "/clusterf/b") == "theirs"
        assert set(one.tree.entries) == {"/clusterf/a", "/clusterf/c"}


async def test_one_that_etcd_refuses_holds_back_no_other(etcd: Cluster) -> None:
    """etcd takes 1.5 MB at once (--max-request-bytes)."""
    async with writer(etcd) as one:
        errors = await one.carry_out(put("a"), put("large", "x" * 2_000_000), put("c"))
        assert [bool(error) for error in errors] == [False, True, False]
        assert "too large" in errors[1]


async def test_without_its_lease_nothing_is_written(etcd: Cluster) -> None:
    async with writer(etcd) as one:
        await one.gateway.revoke(one.lease)
        with pytest.raises(LeaseGone):
            await one.carry_out(put("a"), put("b"))
        assert await away(etcd.get, "/clusterf/a") is None


async def test_without_etcd_it_says_so(etcd: Cluster) -> None:
    async with writer(etcd) as one:
        await away(etcd.kill)
        with pytest.raises(EtcdUnavailable):
            await one.carry_out(put("a"))


async def test_operations_of_others_are_a_bug(etcd: Cluster) -> None:
    async with writer(etcd) as one:
        with pytest.raises(TypeError, match="not an operation of this output"):
            await one.carry_out(AddService(tcp(), entry(1)))
