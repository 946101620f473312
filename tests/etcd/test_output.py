from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import trio

from clusterf.engine.supervisor import State
from clusterf.pipeline.override import Drained
from clusterf.testing import InstanceContext
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.wire import Deleted
from tests.etcd.following import WEB, away, settings
from tests.etcd.publishing import (
    AgentStage,
    output_of,
    revisions,
    some_keepalives,
    until_weights,
    weights,
)
from tests.etcd.server import Cluster
from tests.lab.polling import eventually
from tests.strategies import backend, route

pytestmark = pytest.mark.etcd


def host(tmp_path: Path, etcd: Cluster, name: str = "host1", **facts: object) -> AgentStage:
    return AgentStage(tmp_path / name, etcd.endpoints, agent=name, **facts)


# --- in good times --------------------------------------------------------------------------------


async def test_backends_are_published_and_followed(etcd: Cluster, tmp_path: Path) -> None:
    stage = host(tmp_path, etcd)
    stage.says_now(backend("a"), backend("b", weight=3))
    async with stage.published() as engine:
        await until_weights(etcd, a=None, b=3)
        value = json.loads(await away(etcd.get, f"{WEB}/backends/a") or "")
        assert value == {"ipv4": "198.51.100.1", "tcp": 8080, "agent": "host1"}
        stage.says_now(backend("a", quiesced="unhealthy"), backend("c"))
        await until_weights(etcd, a=0, c=None)
        engine.drain(Drained("web", "c"), "drained by an operator")
        await until_weights(etcd, a=0, c=0)
        assert output_of(engine).report().detail == "2 keys as agent host1"


async def test_all_hang_on_one_lease_that_is_kept_alive(etcd: Cluster, tmp_path: Path) -> None:
    stage = host(tmp_path, etcd)
    stage.says_now(backend("a"), backend("b"))
    async with stage.killed():
        await until_weights(etcd, a=None, b=None)
        [lease] = (await away(lambda: etcd.ctl("lease", "list"))).stdout.split()[3:]
        seconds_alive = trio.current_time() + 3.0
        while trio.current_time() < seconds_alive:
            assert set(await away(weights, etcd)) == {"a", "b"}
        left = (await away(lambda: etcd.ctl("lease", "timetolive", lease, "--keys"))).stdout
        assert f"{WEB}/backends/a" in left
        assert f"{WEB}/backends/b" in left
    await until_weights(etcd, within=6)


async def test_a_hundred_at_once_are_one_transaction(etcd: Cluster, tmp_path: Path) -> None:
    stage = host(tmp_path, etcd)
    async with stage.published() as engine:
        await engine.started.wait()
        before = await away(revisions, etcd)
        stage.says_now(*(backend(f"b{number}") for number in range(100)))
        wanted = {f"b{number}": None for number in range(100)}
        await until_weights(etcd, **wanted)
        assert await away(revisions, etcd) == before + 1


async def test_routes_are_published_when_asked(etcd: Cluster, tmp_path: Path) -> None:
    stage = host(tmp_path, etcd, routes=True)
    stage.says_now(route("r4", "198.51.100.0/24"), route("r6", "2001:db8:5::/64"))
    async with stage.published():
        await away(_until, etcd, "/clusterf/routes/r4", '"Prefix":"198.51.100.0/24"')
        await away(_until, etcd, "/clusterf/routes/r6", '"Prefix":"2001:db8:5::/64"')
        stage.says_now(route("r6", "2001:db8:5::/64"))
        await away(_until, etcd, "/clusterf/routes/r4", None)


def _until(etcd: Cluster, key: str, part: str | None) -> None:
    def holds() -> bool:
        value = etcd.get(key)
        return value is None if part is None else value is not None and part in value

    eventually(holds, f"{key}: {part}", within=20)


# --- the end and the beginning -------------------------------------------------------------------


async def test_at_the_end_keys_are_left_to_expire(etcd: Cluster, tmp_path: Path) -> None:
    stage = host(tmp_path, etcd)
    stage.says_now(backend("a"))
    async with stage.published():
        await until_weights(etcd, a=None)
    assert await away(weights, etcd) == {"a": None}
    await until_weights(etcd, within=6)


async def test_or_withdrawn_if_that_is_asked_for(etcd: Cluster, tmp_path: Path) -> None:
    stage = host(tmp_path, etcd, on_stop="withdraw", ttl="60s")
    stage.says_now(backend("a"))
    async with stage.published():
        await until_weights(etcd, a=None)
    assert await away(weights, etcd) == {}


async def test_who_was_killed_and_comes_back_goes_on_with_what_it_had(
    etcd: Cluster, tmp_path: Path
) -> None:
    """A watcher never sees a key deleted, and what the container's end left expires."""
    stage = host(tmp_path, etcd)
    stage.says_now(backend("a"), backend("gone"))
    async with stage.killed():
        await until_weights(etcd, a=None, gone=None)
    before = await away(revisions, etcd)
    stage.says_now(backend("a"))
    async with stage.killed():
        await until_weights(etcd, a=None)
        assert await _deleted_since(etcd, before) == [f"{WEB}/backends/gone"]


async def _deleted_since(etcd: Cluster, revision: int) -> list[str]:
    """Keys that were deleted after a revision, up to the first one."""
    gateway = Gateway(settings(etcd.endpoints), InstanceContext("x", folder=Path("/")))
    deleted: list[str] = []
    async with gateway.watch("/clusterf", revision + 1) as watch:
        while not deleted:
            changes = await watch.next()
            deleted += [one.key for one in changes.events if isinstance(one, Deleted)]
    await gateway.close()
    return deleted


async def test_while_docker_is_silent_what_a_former_run_wrote_lives_on(
    etcd: Cluster, tmp_path: Path
) -> None:
    stage = host(tmp_path, etcd)
    stage.says_now(backend("a"), backend("b"))
    async with stage.killed():
        await until_weights(etcd, a=None, b=None)
    stage.says["sources.docker"] = None
    async with stage.killed() as engine:
        await engine.started.wait()
        silent_until = trio.current_time() + 4.0
        while trio.current_time() < silent_until:
            assert set(await away(weights, etcd)) == {"a", "b"}
        assert "sources.docker has not spoken yet" in output_of(engine).report().detail
        stage.says_now(backend("b", weight=2))
        await until_weights(etcd, b=2)


# --- others --------------------------------------------------------------------------------------


async def test_what_others_wrote_is_never_touched(etcd: Cluster, tmp_path: Path) -> None:
    etcd.put(f"{WEB}/frontend", '{"ipv4":"192.0.2.10","tcp":80}')
    etcd.put(f"{WEB}/backends/static", '{"weight":7}')
    etcd.put(f"{WEB}/backends/mine", '{"weight":8}')
    first, second = host(tmp_path, etcd), host(tmp_path, etcd, "host2")
    first.says_now(backend("a", weight=1), backend("mine", weight=1))
    second.says_now(backend("b", weight=2), backend("a", weight=2))
    async with first.published() as one:
        await until_weights(etcd, a=1, static=7, mine=8)
        async with second.published() as two:
            await until_weights(etcd, a=1, b=2, static=7, mine=8)
            settled = await away(revisions, etcd)
            assert output_of(one).report().problems == [
                f"{WEB}/backends/mine is not written: it belongs to somebody who is no agent"
            ]
            assert output_of(two).report().problems == [
                f"{WEB}/backends/a is not written: it belongs to agent host1"
            ]
            await some_keepalives()
            assert await away(revisions, etcd) == settled
            first.says_now(backend("mine", weight=1))
            await until_weights(etcd, a=2, b=2, static=7, mine=8)
            await away(etcd.delete, f"{WEB}/backends/mine")
            await until_weights(etcd, a=2, b=2, static=7, mine=1)
            assert output_of(two).report().problems == []
    assert await away(etcd.get, f"{WEB}/frontend") == '{"ipv4":"192.0.2.10","tcp":80}'


async def test_two_agents_of_one_name_do_not_fight(etcd: Cluster, tmp_path: Path) -> None:
    first, second = host(tmp_path, etcd), AgentStage(tmp_path / "twin", etcd.endpoints)
    first.says_now(backend("a", weight=1), backend("shared", weight=1))
    second.says_now(backend("b", weight=2), backend("shared", weight=2))
    async with first.published():
        await until_weights(etcd, a=1, shared=1)
        async with second.published():
            await until_weights(etcd, a=1, b=2, shared=2)
            settled = await away(revisions, etcd)
            await some_keepalives()
            assert await away(revisions, etcd) == settled


async def test_what_somebody_deleted_is_published_again(etcd: Cluster, tmp_path: Path) -> None:
    stage = host(tmp_path, etcd)
    stage.says_now(backend("a"), backend("b"))
    async with stage.published():
        await until_weights(etcd, a=None, b=None)
        await away(etcd.delete, f"{WEB}/backends/a")
        await until_weights(etcd, a=None, b=None)
        await away(lambda: etcd.delete("/clusterf/", prefix=True))
        await until_weights(etcd, a=None, b=None)


# --- in bad times --------------------------------------------------------------------------------


async def test_a_lost_lease_has_everything_published_again(etcd: Cluster, tmp_path: Path) -> None:
    stage = host(tmp_path, etcd)
    stage.says_now(backend("a"), backend("b"))
    async with stage.published():
        await until_weights(etcd, a=None, b=None)
        [lease] = (await away(lambda: etcd.ctl("lease", "list"))).stdout.split()[3:]
        await away(lambda: etcd.ctl("lease", "revoke", lease))
        await until_weights(etcd, a=None, b=None)


async def test_a_change_after_the_lease_was_lost_is_not_lost(etcd: Cluster, tmp_path: Path) -> None:
    """It comes before the agent has noticed: its write is refused."""
    stage = host(tmp_path, etcd, ttl="30s")
    stage.says_now(backend("a"))
    async with stage.published():
        await until_weights(etcd, a=None)
        [lease] = (await away(lambda: etcd.ctl("lease", "list"))).stdout.split()[3:]
        await away(lambda: etcd.ctl("lease", "revoke", lease))
        stage.says_now(backend("a"), backend("c"))
        await until_weights(etcd, a=None, c=None)


async def test_a_restarted_etcd_has_everything_and_more(etcd: Cluster, tmp_path: Path) -> None:
    stage = host(tmp_path, etcd)
    stage.says_now(backend("a"))
    async with stage.published() as engine:
        await until_weights(etcd, a=None)
        await away(etcd.kill)
        stage.says_now(backend("a", weight=4), backend("b"))
        task = engine.outputs["outputs.cluster"]
        down = partial(eventually, lambda: task.health.state is State.DOWN, "down", within=20)
        await away(down)
        await away(etcd.start)
        await until_weights(etcd, a=4, b=None)
        assert task.health.state is State.RUNNING


async def test_a_backup_and_an_emptied_store_are_filled_again(
    etcd: Cluster, tmp_path: Path
) -> None:
    stage = host(tmp_path, etcd)
    stage.says_now(backend("a"), backend("old"))
    async with stage.published():
        await until_weights(etcd, a=None, old=None)
        backup = await away(etcd.save)
        stage.says_now(backend("a", weight=5), backend("b"))
        await until_weights(etcd, a=5, b=None)
        await away(etcd.restore, backup)
        await until_weights(etcd, a=5, b=None)
        await away(etcd.kill)
        etcd.members[0].wipe()
        await away(etcd.start)
        await until_weights(etcd, a=5, b=None)


async def test_a_large_tree_that_comes_back_from_a_backup_is_filled_again(
    etcd: Cluster, tmp_path: Path
) -> None:
    """The old revision is seen to be gone before the new list is there."""
    for start in range(0, 6000, 100):
        puts = "".join(f'put /clusterf/routes/r{start + n} "{{}}"\n' for n in range(100))
        etcd.ctl("txn", text=f"\n{puts}\n\n")
    backup = await away(etcd.save)
    for number in range(5):
        etcd.put("/clusterf/routes/r0", f'{{"Gateway":"198.51.100.{number}"}}')
    stage = host(tmp_path, etcd)
    stage.says_now(backend("a"))
    async with stage.published() as engine:
        await until_weights(etcd, a=None)
        await away(etcd.restore, backup)
        await until_weights(etcd, a=None)
        assert engine.outputs["outputs.cluster"].health.failures <= 2, "etcd was away, no more"


async def test_a_frozen_member_costs_no_lease(three: Cluster, tmp_path: Path) -> None:
    """It takes requests and answers none; the next endpoint is asked within the lease's time."""
    stage = host(tmp_path, three, ttl="6s")
    stage.says_now(backend("a"))
    async with stage.published():
        await until_weights(three, a=None)
        leader = await away(three.leader)
        frozen = next(member for member in three.members if member is not leader)
        await away(frozen.freeze)
        others = [one.endpoint for one in three.members if one is not frozen]
        until = trio.current_time() + 8.0
        while trio.current_time() < until:
            answer = await away(
                lambda: three.ctl(
                    "--endpoints", ",".join(others), "get", "--keys-only", f"{WEB}/backends/a"
                )
            )
            assert f"{WEB}/backends/a" in answer.stdout
        await away(frozen.thaw)


async def test_it_can_be_probed(etcd: Cluster, tmp_path: Path) -> None:
    stage = host(tmp_path, etcd)
    async with stage.published() as engine:
        await engine.started.wait()
        assert await output_of(engine).probe() == []
    etcd.kill()
    async with stage.published() as engine:
        await engine.started.wait()
        [finding] = await output_of(engine).probe()
        assert "connection refused" in finding.message
