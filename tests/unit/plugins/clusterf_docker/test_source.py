"""The source against a fake engine, with the real SDK in between."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from clusterf.plugin import Severity
from clusterf.testing import InstanceContext
from clusterf_docker.settings import DockerSettings
from clusterf_docker.source import DockerSource
from tests.unit.plugins.clusterf_docker import fake_docker
from tests.unit.plugins.clusterf_docker.conformance import (
    LABELS,
    SCENARIOS,
    World,
    do,
    following,
)
from tests.unit.plugins.clusterf_docker.fake_docker import FakeDocker


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeDocker]:
    with FakeDocker(tmp_path / "docker.sock") as made:
        yield made


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
async def test_scenario(fake: FakeDocker, scenario: Callable[[World], Awaitable[None]]) -> None:
    await scenario(fake)


async def test_one_event_costs_one_inspection_and_no_list(fake: FakeDocker) -> None:
    ones = [fake.run(f"web{n}", labels=LABELS) for n in range(5)]
    async with following(fake.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        fake.asked.clear()
        fake.rename(ones[0], "other")
        await followed.until(lambda: "other" in str(followed.web()[ones[0]].provenance))
        assert [path.rpartition("/containers/")[2] for path in fake.asked] == [f"{ones[0]}/json"]


async def test_containers_without_our_labels_are_never_inspected(fake: FakeDocker) -> None:
    fake.run("before", labels={"org.example": "clusterf"})
    async with following(fake.url, relist=0.1) as followed:
        await followed.until(lambda: followed.publish.synced)
        stranger = fake.run("after", labels={"notclusterf.service": "web"})
        fake.pause(stranger)
        one = fake.run("web1", labels=LABELS)
        await followed.until(lambda: set(followed.web()) == {one})
        assert fake.count("/containers/.+/json") == fake.count(one)


async def test_a_lost_event_is_healed_by_the_next_list(fake: FakeDocker) -> None:
    one, two = (fake.run(f"web{n}", labels=LABELS) for n in range(2))
    async with following(fake.url, relist=0.1) as followed:
        await followed.until(lambda: len(followed.web()) == 2)
        fake.set(one, State__Status="exited")
        fake.set(two, State__Status="paused")
        await followed.until(lambda: followed.states() == {two: "paused"})


async def test_events_during_an_inspection_are_not_overtaken(fake: FakeDocker) -> None:
    async with following(fake.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        fake.inspecting = go_on = threading.Event()
        one = fake.run("web1", labels=LABELS)
        await do(fake.inspected.acquire)
        # The answer that says "running" is made; now the container ends before it arrives.
        fake.stop(one)
        two = fake.run("web2", labels=LABELS)
        await do(fake.inspected.acquire)
        go_on.set()
        await followed.until(lambda: set(followed.web()) == {two})
        assert all(one not in str(refs) for _, refs in followed.publish.said)


async def test_a_signal_during_the_first_inspection_quiesces(fake: FakeDocker) -> None:
    async with following(fake.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        fake.inspecting = go_on = threading.Event()
        one = fake.run("web1", labels=LABELS)
        await do(fake.inspected.acquire)
        fake.kill(one, "SIGTERM")
        fake.kill(one, "SIGHUP")
        go_on.set()
        await followed.until(lambda: followed.states() == {one: "stopping"})


async def test_a_restart_of_the_container_gives_its_new_address(fake: FakeDocker) -> None:
    one = fake.run("web1", labels=LABELS)
    async with following(fake.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        fake.stop(one)
        fake.set(one, NetworkSettings__Networks={"bridge": {"IPAddress": "203.0.113.99"}})
        fake.start(one)
        await followed.until(
            lambda: [str(backend.ipv4) for backend in followed.web().values()] == ["203.0.113.99"]
        )


async def test_a_container_that_survives_its_stop_signal_serves_again(fake: FakeDocker) -> None:
    one = fake.run("web1", labels=LABELS, Config__StopTimeout=0)
    async with following(fake.url, stop_patience=0.2) as followed:
        await followed.until(lambda: followed.publish.synced)
        fake.kill(one, "SIGTERM")
        await followed.until(lambda: followed.states() == {one: "stopping"})
        await followed.until(lambda: followed.states() == {one: None})


async def test_health_is_followed(fake: FakeDocker) -> None:
    one = fake.run("web1", labels=LABELS, State__Health={"Status": "starting"})
    async with following(fake.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        assert followed.states() == {one: "starting"}
        fake.health(one, "healthy")
        await followed.until(lambda: followed.states() == {one: None})
        fake.health(one, "unhealthy")
        await followed.until(lambda: followed.states() == {one: "unhealthy"})


async def test_a_network_connected_later_counts(fake: FakeDocker) -> None:
    one = fake.run("web1", labels={**LABELS, "clusterf.network": "front"})
    async with following(fake.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        [refusal] = followed.publish.refusals.values()
        assert refusal.reason == "no_network"
        fake.connect(one, "front", "198.51.100.7")
        await followed.until(lambda: one in followed.web())
        assert str(followed.web()[one].ipv4) == "198.51.100.7"
        assert not followed.publish.refusals


# --- the engine goes away ---------------------------------------------------------------------


async def test_a_restart_of_the_engine_drops_and_marks_nothing(fake: FakeDocker) -> None:
    one = fake.run("web1", labels=LABELS)
    async with following(fake.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        followed.publish.marked()
        await do(fake.close)
        await followed.until(lambda: followed.publish.degradation)
        assert followed.states() == {one: None}
        fake.open()
        await followed.until(lambda: followed.publish.degradation is None)
        assert followed.states() == {one: None}
        assert followed.publish.marked() == []


async def test_what_is_not_back_is_kept_for_the_grace_period(fake: FakeDocker) -> None:
    one, two = (fake.run(f"web{n}", labels=LABELS) for n in range(2))
    async with following(fake.url, grace=0.5) as followed:
        await followed.until(lambda: len(followed.web()) == 2)
        await do(fake.close)
        kept = fake.containers.pop(two)
        fake.open()
        await followed.until(lambda: "1 container keeps" in str(followed.publish.degradation))
        assert followed.states() == {one: None, two: None}
        assert [refusal.reason for refusal in followed.publish.refusals.values()] == ["not_back"]
        await followed.until(lambda: followed.states() == {one: None})
        assert not followed.publish.refusals
        assert kept["Id"] == two


async def test_an_exited_container_is_not_kept(fake: FakeDocker) -> None:
    one, two = (fake.run(f"web{n}", labels=LABELS) for n in range(2))
    async with following(fake.url, grace=60) as followed:
        await followed.until(lambda: len(followed.web()) == 2)
        await do(fake.close)
        fake.set(two, State__Status="exited")
        fake.open()
        await followed.until(lambda: followed.states() == {one: None})


async def test_a_health_check_that_starts_anew_with_the_engine_quiesces_nothing(
    fake: FakeDocker,
) -> None:
    one = fake.run("web1", labels=LABELS, State__Health={"Status": "healthy"})
    async with following(fake.url, relist=0.1) as followed:
        await followed.until(lambda: followed.publish.synced)
        followed.publish.marked()
        fake.health(one, "starting")
        fake.asked.clear()
        fake.rename(one, "seen")
        await followed.until(lambda: "seen" in str(followed.web()[one].provenance))
        assert followed.states() == {one: None}


@pytest.mark.parametrize(
    "failure",
    [
        fake_docker.HANG,
        fake_docker.HTML,
        fake_docker.TRUNCATED,
        fake_docker.NOT_JSON,
        fake_docker.ERROR,
        fake_docker.NOT_FOUND,
        fake_docker.CLOSE,
        "[1, 2]",
        "{}",
        "null",
        '[{"Id": 5}]',
        '[{"Id": "../../info"}]',
        "[" * 100_000,
    ],
    ids=lambda text: text[:12],
)
@pytest.mark.parametrize("where", ["/version$", "/containers/json$", "/events$"])
async def test_nonsense_makes_the_source_unavailable_and_removes_nothing(
    fake: FakeDocker, where: str, failure: str
) -> None:
    one = fake.run("web1", labels=LABELS)
    async with following(fake.url, timeout=0.2) as followed:
        await followed.until(lambda: followed.publish.synced)
        fake.broken[where] = failure
        fake.end_streams()
        await followed.until(lambda: len(followed.failures) >= 2)
        assert followed.states() == {one: None}
        assert str(followed.failures[1]).startswith(f"docker engine {fake.url}: ")
        assert "\n" not in str(followed.failures[1])
        assert len(str(followed.failures[1])) < 400
        fake.broken.clear()
        await followed.until(lambda: followed.publish.degradation is None)
        assert followed.states() == {one: None}


@pytest.mark.parametrize(
    "data",
    [
        b"<html>\n",
        b"{}\n",
        b"[]\n",
        b'{"Type": "container"\n',
        b"x" * (2**20 + 2),
        b"\xff\xfe\n",
        b'{"Type": "container", "Action": "die"}\n',
        b'{"Type": "container", "Action": "die", "Actor": {"ID": 3, "Attributes": {}}}\n',
    ],
    ids=range(8),
)
async def test_nonsense_in_the_stream_makes_the_source_unavailable(
    fake: FakeDocker, data: bytes
) -> None:
    one = fake.run("web1", labels=LABELS)
    async with following(fake.url) as followed:
        await followed.until(lambda: followed.publish.synced)
        fake.send_raw(data)
        await followed.until(lambda: followed.failures)
        assert "events" in str(followed.failures[0])
        await followed.until(lambda: followed.publish.degradation is None)
        assert followed.states() == {one: None}


@pytest.mark.parametrize(
    "failure",
    [
        fake_docker.HANG,
        fake_docker.HTML,
        fake_docker.TRUNCATED,
        fake_docker.NOT_JSON,
        fake_docker.ERROR,
        fake_docker.NOT_FOUND,
        fake_docker.CLOSE,
        "[]",
        '{"Id": "x"}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:12],
)
async def test_nonsense_about_one_container_is_one_refusal(fake: FakeDocker, failure: str) -> None:
    one, two = (fake.run(f"web{n}", labels=LABELS) for n in range(2))
    async with following(fake.url, timeout=0.2) as followed:
        await followed.until(lambda: len(followed.web()) == 2)
        fake.broken[f"/containers/{one}/json"] = failure
        fake.event(one, "rename")
        fake.pause(two)
        await followed.until(lambda: followed.publish.refusals)
        await followed.until(lambda: followed.states() == {one: None, two: "paused"})
        [refusal] = followed.publish.refusals.values()
        assert refusal.reason in {"unanswered", "unreadable"}
        assert refusal.subject == "container web0"
        assert not followed.failures
        fake.broken.clear()
        fake.event(one, "rename")
        await followed.until(lambda: not followed.publish.refusals)


async def test_an_engine_that_hangs_at_an_inspection_is_unavailable(fake: FakeDocker) -> None:
    one = fake.run("web1", labels=LABELS)
    async with following(fake.url, timeout=0.2) as followed:
        await followed.until(lambda: followed.publish.synced)
        fake.broken["."] = fake_docker.HANG
        fake.event(one, "rename")
        await followed.until(lambda: followed.failures)
        assert "no answer within 0.2 s" in str(followed.failures[0])
        assert followed.states() == {one: None}


async def test_an_engine_that_hangs_is_noticed_without_any_event(fake: FakeDocker) -> None:
    fake.run("web1", labels=LABELS)
    async with following(fake.url, timeout=0.2, relist=0.1) as followed:
        await followed.until(lambda: followed.publish.synced)
        fake.broken["."] = fake_docker.HANG
        await followed.until(lambda: followed.failures)


async def test_cancelling_ends_at_once_and_leaves_no_thread(fake: FakeDocker) -> None:
    before = set(threading.enumerate())
    with trio.fail_after(2):
        async with following(fake.url) as followed:
            await followed.until(lambda: followed.publish.synced)
    assert not any("events" in thread.name for thread in set(threading.enumerate()) - before)


# --- routes --------------------------------------------------------------------------------------

ROUTES = {"gateway4": "192.0.2.11", "gateway6": "2001:db8:1::11"}


async def test_networks_are_not_asked_for_unless_their_routes_are(fake: FakeDocker) -> None:
    async with following(fake.url, relist=0.1) as followed:
        await followed.until(lambda: followed.publish.synced)
        network = fake.create_network("front", "203.0.113.160/28")
        fake.remove_network(network)
        one = fake.run("web1", labels=LABELS)
        await followed.until(lambda: set(followed.web()) == {one})
        assert fake.count("/networks") == 0


async def test_a_network_that_comes_or_goes_costs_one_list(fake: FakeDocker) -> None:
    async with following(fake.url, routes=ROUTES) as followed:
        await followed.until(lambda: followed.publish.synced)
        fake.asked.clear()
        front = fake.create_network("front", "203.0.113.160/28")
        await followed.until(lambda: front in followed.routes())
        assert [path.rpartition("/")[2] for path in fake.asked] == ["networks"]
        one = fake.run("web1", labels=LABELS)
        fake.connect(one, "front", "203.0.113.162")
        await followed.until(lambda: set(followed.web()) == {one})
        assert fake.count("/networks") == 1


async def test_a_lost_network_event_is_healed_by_the_next_list(fake: FakeDocker) -> None:
    async with following(fake.url, routes=ROUTES, relist=0.1) as followed:
        await followed.until(lambda: followed.publish.synced)
        before = followed.routes()
        front = fake._make_network("front", "203.0.113.160/28")
        await followed.until(lambda: front in followed.routes())
        del fake.networks[front]
        await followed.until(lambda: followed.routes() == before)


async def test_an_unchanged_list_of_networks_marks_nothing(fake: FakeDocker) -> None:
    fake.run("web1", labels=LABELS)
    async with following(fake.url, routes=ROUTES, relist=0.05) as followed:
        await followed.until(lambda: followed.publish.synced)
        followed.publish.marked()
        lists = fake.count("/networks")
        await followed.until(lambda: fake.count("/networks") >= lists + 3)
        assert followed.publish.marked() == []


async def test_routes_stay_while_the_engine_is_away(fake: FakeDocker) -> None:
    async with following(fake.url, routes=ROUTES) as followed:
        await followed.until(lambda: followed.publish.synced)
        before = followed.routes()
        assert before
        await do(fake.close)
        await followed.until(lambda: followed.publish.degradation)
        assert followed.routes() == before
        fake.open()
        await followed.until(lambda: followed.publish.degradation is None)
        assert followed.routes() == before


async def test_a_bridge_made_anew_is_led_to_all_the_time(fake: FakeDocker) -> None:
    async with following(fake.url, routes=ROUTES) as followed:
        await followed.until(lambda: followed.publish.synced)
        before = followed.routes()
        seen: list[set[str]] = []

        def renamed() -> bool:
            seen.append(set(followed.routes().values()))
            return not followed.routes().keys() & before.keys()

        await do(fake.close)
        # What an engine does with its own bridge whenever it starts.
        fake.networks.clear()
        fake._make_network("bridge", "203.0.113.0/25", "2001:db8:4::/64")
        fake.open()
        await followed.until(renamed)
        assert all(set(before.values()) <= prefixes for prefixes in seen)
        assert set(followed.routes().values()) == set(before.values())


@pytest.mark.parametrize(
    "failure", [fake_docker.HANG, fake_docker.HTML, fake_docker.ERROR, "{}", '[{"Id": 5}]', "[[]]"]
)
async def test_nonsense_about_networks_makes_the_source_unavailable_and_removes_nothing(
    fake: FakeDocker, failure: str
) -> None:
    one = fake.run("web1", labels=LABELS)
    async with following(fake.url, routes=ROUTES, timeout=0.2) as followed:
        await followed.until(lambda: followed.publish.synced)
        before = followed.routes()
        fake.broken["/networks$"] = failure
        fake.create_network("front", "203.0.113.160/28")
        await followed.until(lambda: len(followed.failures) >= 2)
        assert "list of networks" in str(followed.failures[0])
        assert (followed.routes(), followed.states()) == (before, {one: None})
        fake.broken.clear()
        await followed.until(lambda: len(followed.routes()) == len(before) + 1)


async def test_the_first_word_is_about_networks_too(fake: FakeDocker) -> None:
    fake.broken["/networks$"] = fake_docker.ERROR
    fake.run("web1", labels=LABELS)
    async with following(fake.url, routes=ROUTES) as followed:
        await followed.until(lambda: len(followed.failures) >= 2)
        assert not followed.publish.synced
        fake.broken.clear()
        await followed.until(lambda: followed.publish.synced)
        assert followed.routes()


# --- probe ----------------------------------------------------------------------------------------


def _source(host: str, **settings: Any) -> DockerSource:
    values = DockerSettings.model_validate({"host": host, "timeout": 0.2, **settings})
    return DockerSource(values, InstanceContext("sources.docker", folder=Path("/")))


async def test_probe_finds_nothing_wrong(fake: FakeDocker) -> None:
    assert list(await _source(fake.url).probe()) == []


async def test_probe_asks_for_networks_where_their_routes_are_wanted(fake: FakeDocker) -> None:
    fake.broken["/networks$"] = fake_docker.ERROR
    assert list(await _source(fake.url).probe()) == []
    [found] = await _source(fake.url, routes=ROUTES).probe()
    assert "list of networks" in found.message


async def test_probe_tells_of_a_missing_socket(tmp_path: Path) -> None:
    [found] = await _source(f"unix://{tmp_path}/none.sock").probe()
    assert found.severity is Severity.ERROR
    assert found.message == f"docker engine unix://{tmp_path}/none.sock: no such file or directory"
    assert "is Docker installed" in found.hint


async def test_probe_tells_of_an_engine_too_old(fake: FakeDocker) -> None:
    fake.version = {"Version": "1.9", "ApiVersion": "1.21"}
    [found] = await _source(fake.url).probe()
    assert "speaks API 1.21 at most" in found.message
    assert "1.24" in found.hint


async def test_probe_tells_of_an_engine_that_hangs(fake: FakeDocker) -> None:
    fake.broken["."] = fake_docker.HANG
    [found] = await _source(fake.url).probe()
    assert found.message == f"docker engine {fake.url}: no answer within 0.2 s"


async def test_probe_tells_of_a_port_where_nobody_listens() -> None:
    [found] = await _source("tcp://127.0.0.1:1").probe()
    assert found.message == "docker engine tcp://127.0.0.1:1: connection refused"


async def test_a_newer_engine_is_spoken_to_in_the_newest_known_version(fake: FakeDocker) -> None:
    fake.version = {"Version": "40.0", "ApiVersion": "1.99", "MinAPIVersion": "1.44"}
    assert list(await _source(fake.url).probe()) == []
    assert fake.asked[-1] == "/v1.45/containers/json"
