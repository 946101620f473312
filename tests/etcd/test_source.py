from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio

from clusterf.model.address import Address
from clusterf.model.service import Frontend, Ports
from tests.etcd.following import WEB, away, following
from tests.etcd.server import Cluster
from tests.lab.polling import eventually

pytestmark = pytest.mark.etcd


def backend(weight: int | None = None, *, agent: str = "") -> str:
    value: dict[str, object] = {"ipv4": "198.51.100.7", "tcp": 8080}
    if weight is not None:
        value["weight"] = weight
    if agent:
        value["agent"] = agent
    return json.dumps(value)


def fill(etcd: Cluster, *names: str) -> None:
    for name in names:
        etcd.put(f"{WEB}/backends/{name}", backend(1))


# --- in good times --------------------------------------------------------------------------------


async def test_what_etcd_has_is_published_and_followed(etcd: Cluster) -> None:
    etcd.put(f"{WEB}/frontend", '{"ipv4":"192.0.2.10","tcp":80}')
    fill(etcd, "a")
    etcd.put("/clusterf/routes/r", '{"Prefix":"198.51.100.0/24","IPVSMethod":"droute"}')
    etcd.put("/clusterfuck/services/x/frontend", "{}")
    async with following(etcd.endpoints) as one:
        await one.until_weights(a=1)
        assert one.publish.services() == {"web"}
        assert one.publish.synced
        records = {record.ref for record in one.source._mirror.records()}
        assert len(records) == 3
        await away(fill, etcd, "b")
        await one.until_weights(a=1, b=1)
        await away(etcd.put, f"{WEB}/backends/a", backend(0))
        await one.until_weights(a=0, b=1)
        await away(etcd.delete, f"{WEB}/backends/a")
        await one.until_weights(b=1)
        await away(lambda: etcd.delete("/clusterf/", prefix=True))
        await one.publish.until(lambda: not one.publish.services())


async def test_an_empty_store_is_known_to_be_empty(etcd: Cluster) -> None:
    async with following(etcd.endpoints) as one:
        await one.publish.until(lambda: one.publish.synced)
        assert one.publish.services() == set()


async def test_a_frontend_is_read_whole(etcd: Cluster) -> None:
    etcd.put(f"{WEB}/frontend", '{"IPv4":"192.0.2.10","TCP":80,"scheduler":"mh"}')
    async with following(etcd.endpoints) as one:
        await one.publish.until(lambda: one.publish.synced)
        [spec] = one.source._mirror.records()
        assert spec.scheduler == "mh"
        assert spec.frontends == (Frontend(ipv4=Address.parse("192.0.2.10"), ports=Ports(80)),)


async def test_one_bad_key_is_one_refusal(etcd: Cluster) -> None:
    fill(etcd, "a")
    etcd.put(f"{WEB}/backends/bad", '{"ipv4": 7}')
    etcd.put("/clusterf/nonsense", "1")
    async with following(etcd.endpoints) as one:
        await one.until_weights(a=1)
        assert set(one.publish.refusals) == {f"{WEB}/backends/bad", "/clusterf/nonsense"}
        refusal = one.publish.refusals[f"{WEB}/backends/bad"]
        assert refusal.provenance is not None
        assert refusal.provenance.place == f"{WEB}/backends/bad"
        await away(etcd.put, f"{WEB}/backends/bad", backend(5))
        await one.until_weights(a=1, bad=5)
        assert set(one.publish.refusals) == {"/clusterf/nonsense"}
        await away(etcd.put, f"{WEB}/backends/a", "no JSON")
        await one.publish.until(lambda: len(one.publish.refusals) == 2)
        assert one.weights() == {"a": 1, "bad": 5}
        await away(etcd.delete, "/clusterf/nonsense")
        await one.publish.until(lambda: set(one.publish.refusals) == {f"{WEB}/backends/a"})


async def test_what_this_hosts_agent_wrote_is_left_out_when_asked(etcd: Cluster) -> None:
    etcd.put(f"{WEB}/backends/own", backend(1, agent="host1"))
    etcd.put(f"{WEB}/backends/other", backend(2, agent="host2"))
    async with following(etcd.endpoints, agent="host1") as one:
        await one.until_weights(other=2)
        await away(etcd.put, f"{WEB}/backends/other", backend(3, agent="host1"))
        await one.until_weights()


async def test_many_changes_at_once_are_few_words(etcd: Cluster) -> None:
    async with following(etcd.endpoints) as one:
        await one.publish.until(lambda: one.publish.synced)
        puts = "".join(
            f"put {WEB}/backends/b{number:03} {json.dumps(backend(1))}\n" for number in range(100)
        )
        one.publish.said.clear()
        await away(lambda: etcd.ctl("txn", text=f"\n{puts}\n\n"))
        await one.publish.until(lambda: len(one.weights()) == 100)
        assert [what for what, _ in one.publish.said] == ["put"]


async def test_a_full_list_at_intervals_marks_nothing_when_nothing_changed(etcd: Cluster) -> None:
    fill(etcd, "a", "b")
    async with following(etcd.endpoints, relist="200ms") as one:
        await one.until_weights(a=1, b=1)
        one.publish.marked()
        one.publish.said.clear()
        await one.publish.until(lambda: len(one.publish.said) >= 3)
        assert {what for what, _ in one.publish.said} == {"replace"}
        assert one.publish.marked() == []
        await away(fill, etcd, "c")
        await one.until_weights(a=1, b=1, c=1)


# --- in bad times ---------------------------------------------------------------------------------


async def test_while_etcd_is_away_what_is_known_stays(etcd: Cluster) -> None:
    fill(etcd, "a")
    async with following(etcd.endpoints, grace="1s") as one:
        await one.until_weights(a=1)
        one.publish.marked()
        await away(etcd.kill)
        with trio.move_on_after(3):
            await one.publish.until(lambda: not one.weights(), 60)
        assert one.weights() == {"a": 1}
        assert one.publish.marked() == []
        assert "connection refused" in one.health.reason
        await away(etcd.start)
        await away(etcd.put, f"{WEB}/backends/a", backend(7))
        await one.until_weights(a=7)


async def test_a_start_without_etcd_says_nothing_until_agents_had_their_time(
    etcd: Cluster,
) -> None:
    fill(etcd, "a")
    etcd.kill()
    async with following(etcd.endpoints, grace="2s") as one:
        with trio.move_on_after(1):
            await one.publish.until(lambda: one.publish.said, 60)
        assert one.publish.said == []
        await away(etcd.start)
        await one.until_weights(a=1)
        assert not one.publish.synced
        assert one.publish.degradation is not None
        await one.publish.until(lambda: one.publish.synced)
        assert one.publish.degradation is None
        assert one.weights() == {"a": 1}


async def test_leases_that_ran_out_while_etcd_was_away_take_nothing_at_once(
    etcd: Cluster,
) -> None:
    """Their agents could not keep them alive. One publishes again, the other does not."""
    lease = etcd.ctl("lease", "grant", "60").stdout.split()[1]
    for name in ("a", "b"):
        etcd.ctl("put", f"{WEB}/backends/{name}", backend(1), "--lease", lease)
    fill(etcd, "c")
    async with following(etcd.endpoints, grace="4s") as one:
        await one.until_weights(a=1, b=1, c=1)
        await away(etcd.restart)
        await away(lambda: etcd.ctl("lease", "revoke", lease))
        await away(etcd.put, f"{WEB}/backends/b", backend(2))
        await one.until_weights(a=1, b=2, c=1)
        assert "etcd was away" in (one.publish.degradation or "")
        await one.until_weights(b=2, c=1)
        assert one.publish.degradation is None


async def test_an_operators_deletion_counts_even_then(etcd: Cluster) -> None:
    fill(etcd, "a", "b")
    async with following(etcd.endpoints, grace="60s") as one:
        await one.until_weights(a=1, b=1)
        await away(etcd.restart)
        await one.publish.until(lambda: one.source._mirror.until is not None)
        await away(etcd.delete, f"{WEB}/backends/a")
        await one.until_weights(b=1)


async def test_a_backup_does_not_turn_back_the_clock(etcd: Cluster) -> None:
    etcd.put(f"{WEB}/backends/a", backend(1))
    etcd.put(f"{WEB}/backends/old", backend(1))
    backup = etcd.save()
    etcd.delete(f"{WEB}/backends/old")
    etcd.put(f"{WEB}/backends/a", backend(2))
    fill(etcd, "b", "c", "d", "e")
    async with following(etcd.endpoints, grace="4s") as one:
        await one.until_weights(a=2, b=1, c=1, d=1, e=1)
        one.publish.marked()
        await away(etcd.restore, backup)
        await one.publish.until(lambda: one.source._mirror.until is not None)
        assert one.publish.marked() == []
        await away(etcd.put, f"{WEB}/backends/b", backend(3))
        await one.until_weights(a=2, b=3, c=1, d=1, e=1)
        await one.until_weights(a=1, b=3, old=1)


@pytest.mark.parametrize("when", ["before the watch", "in a watch", "at a new list"])
async def test_leases_that_ran_out_in_a_silence_take_nothing_at_once(
    etcd: Cluster, when: str
) -> None:
    """A frozen member, as a packet that is lost, breaks no connection: nobody reports an end."""
    relist = "1500ms" if when == "at a new list" else "0s"
    lease = etcd.ctl("lease", "grant", "3").stdout.split()[1]
    put_under(etcd, lease, "a")
    async with following(etcd.endpoints, grace="4s", relist=relist) as one:
        await one.until_weights(a=1)
        if when != "before the watch":
            await away(put_under, etcd, lease, "b")
            await one.until_weights(a=1, b=1)
        etcd.members[0].freeze()
        await trio.sleep(4.0)
        etcd.members[0].thaw()
        await away(lambda: eventually(lambda: expired(etcd), "they expire", within=10))
        await away(etcd.put, f"{WEB}/backends/b", backend(2))
        await one.until_weights(a=1, b=2)
        assert one.health.failures == 0, "it was not even noticed as an outage"
        await one.until_weights(b=2)


def put_under(etcd: Cluster, lease: str, name: str) -> None:
    etcd.ctl("put", f"{WEB}/backends/{name}", backend(1), "--lease", lease)


def expired(etcd: Cluster) -> bool:
    return not etcd.ctl("get", "--prefix", "--keys-only", f"{WEB}/backends/").stdout


async def test_a_grace_does_not_end_while_etcd_is_away_again(etcd: Cluster) -> None:
    """Agents had no time to publish again."""
    fill(etcd, "a")
    lease = etcd.ctl("lease", "grant", "60").stdout.split()[1]
    put_under(etcd, lease, "b")
    async with following(etcd.endpoints, grace="3s") as one:
        await one.until_weights(a=1, b=1)
        await away(etcd.restart)
        await away(lambda: etcd.ctl("lease", "revoke", lease))
        await one.publish.until(lambda: one.source._mirror.held)
        await away(etcd.kill)
        with trio.move_on_after(7):
            await one.publish.until(lambda: "b" not in one.weights(), 60)
        assert one.weights() == {"a": 1, "b": 1}
        await away(etcd.start)
        await away(etcd.put, f"{WEB}/backends/b", backend(2))
        await one.until_weights(a=1, b=2)


async def test_a_backup_that_was_written_to_since_does_not_turn_it_back_either(
    etcd: Cluster,
) -> None:
    """Agents were faster than this source: the revision does not tell of the backup any more."""
    fill(etcd, "a", "old")
    backup = etcd.save()
    etcd.delete(f"{WEB}/backends/old")
    async with following(etcd.endpoints, grace="3s") as one:
        await one.until_weights(a=1)
        one.publish.said.clear()

        def happen() -> None:
            etcd.kill()
            etcd.restore(backup)
            for number in range(20):
                etcd.put("/clusterf/routes/r", json.dumps({"Gateway": f"198.51.100.{number}"}))

        await away(happen)
        await one.publish.until(lambda: one.source._mirror.until is not None)
        with trio.move_on_after(1):
            await one.publish.until(lambda: "old" in one.weights(), 60)
        assert one.weights() == {"a": 1}
        await away(etcd.delete, f"{WEB}/backends/old")
        await one.publish.until(lambda: one.source._mirror.until is None)
        assert one.weights() == {"a": 1}


async def test_an_emptied_store_empties_nothing_at_once(etcd: Cluster) -> None:
    fill(etcd, "a", "b")
    async with following(etcd.endpoints, grace="3s") as one:
        await one.until_weights(a=1, b=1)
        await away(etcd.kill)
        etcd.members[0].wipe()
        await away(etcd.start)
        await one.publish.until(lambda: one.source._mirror.until is not None)
        assert one.weights() == {"a": 1, "b": 1}
        await away(etcd.put, f"{WEB}/backends/b", backend(2))
        await one.until_weights(a=1, b=2)
        await one.until_weights(b=2)


async def test_falling_behind_is_a_list_and_not_an_end(etcd: Cluster) -> None:
    """The process stops, as on a host that sleeps; meanwhile etcd goes on and compacts."""
    fill(etcd, "a")
    async with following(etcd.endpoints, grace="1s") as one:
        await one.until_weights(a=1)
        await away(etcd.kill)

        def happen() -> None:
            etcd.start()
            for number in range(20):
                etcd.put(f"{WEB}/backends/a", backend(number))
            fill(etcd, "b")
            etcd.compact(20)

        await away(happen)
        await one.until_weights(a=19, b=1)


async def test_a_member_that_dies_is_exchanged_for_the_next(three: Cluster) -> None:
    fill(three, "a")
    async with following(three.endpoints, grace="1s") as one:
        await one.until_weights(a=1)
        for number, member in enumerate(three.members):
            await away(member.kill)
            await away(three.leader)
            await away(fill, three, f"b{number}")
            await one.publish.until(lambda number=number: f"b{number}" in one.weights(), 20)
            await away(member.start)
            await away(three.wait_healthy)
        assert one.weights() == {"a": 1, "b0": 1, "b1": 1, "b2": 1}


async def test_without_a_quorum_what_is_known_stays(three: Cluster) -> None:
    fill(three, "a")
    async with following(three.endpoints, grace="1s", timeout="1s") as one:
        await one.until_weights(a=1)
        leader = await away(three.leader)
        others = [member for member in three.members if member is not leader]
        for member in others:
            await away(member.kill)
        with trio.move_on_after(3):
            await one.publish.until(lambda: not one.weights(), 60)
        assert one.weights() == {"a": 1}
        await away(three.start)
        await away(fill, three, "b")
        await one.until_weights(a=1, b=1)


async def test_a_token_that_etcd_has_forgotten_is_renewed(etcd: Cluster, password: Path) -> None:
    """Simple tokens die with the member that gave them."""
    etcd.enable_auth()
    etcd.add_user("reader", "s3cret", "/clusterf", "read")
    fill(etcd, "a")
    facts = {"user": "reader", "password_file": str(password), "grace": "1s"}
    async with following(etcd.endpoints, **facts) as one:
        await one.until_weights(a=1)
        await away(etcd.restart)
        await away(fill, etcd, "b")
        await one.until_weights(a=1, b=1)


async def test_who_may_not_read_is_told_so(etcd: Cluster, password: Path) -> None:
    etcd.enable_auth()
    etcd.add_user("reader", "s3cret", "/elsewhere", "read")
    async with following(etcd.endpoints, user="reader", password_file=str(password)) as one:
        with trio.move_on_after(1):
            await one.publish.until(lambda: one.publish.said, 60)
        assert "permission denied" in one.health.reason
        assert "grant-permission" in one.health.hint
        [finding] = await one.source.probe()
        assert "permission denied" in finding.message


async def test_a_hundred_bad_keys_are_a_few_lines_in_the_log(
    etcd: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    puts = "".join(f"put {WEB}/backends/b{number:03} []\n" for number in range(100))
    async with following(etcd.endpoints) as one:
        await one.publish.until(lambda: one.publish.synced)
        await away(lambda: etcd.ctl("txn", text=f"\n{puts}\n\n"))
        await one.publish.until(lambda: len(one.publish.refusals) == 100)
        lines = [line.message for line in caplog.records if line.message.startswith("refused")]
        assert len(lines) == 21
        assert lines[-1] == "refused keys=80 more"
        await away(lambda: etcd.delete(f"{WEB}/", prefix=True))
        await one.publish.until(lambda: not one.publish.refusals)


async def test_routes_as_the_original_once_wrote_them_count_with_a_warning(
    etcd: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    etcd.put("/clusterf/routes/old", '{"Prefix4":"198.51.100.0/24","IpvsMethod":"droute"}')
    etcd.put("/clusterf/routes/new", '{"Prefix":"203.0.113.0/24","IPVSMethod":"droute"}')
    async with following(etcd.endpoints) as one:
        await one.publish.until(lambda: one.publish.synced)
        routes = {record.ref.name: str(record.prefix) for record in one.source._mirror.records()}
        assert routes == {"old": "198.51.100.0/24", "new": "203.0.113.0/24"}
        lines = [line.message for line in caplog.records if line.message.startswith("old names")]
        assert len(lines) == 1
        assert "key=/clusterf/routes/old fields=Prefix4" in lines[0]
