# ruff: noqa: ARG001 - the clock is named for pytest-trio
from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import trio
from trio.testing import MockClock

from clusterf import __version__
from clusterf.control.protocol import JSON, decode, encode
from clusterf.control.status import picture
from clusterf.engine.engine import Engine
from clusterf.model.errors import OutputUnavailable
from clusterf.model.operation import AddService
from clusterf.pipeline.override import Drained
from tests.strategies import destination, entry, target, tcp
from tests.unit.control.scene import API, AWAY, KERNEL, WEB, Scene

SILENT = AWAY.replace("away", "silent")


@asynccontextmanager
async def running(scene: Scene, *, rounds: bool = True) -> AsyncIterator[Engine]:
    """The engine alone; with ``rounds`` until outputs have done their first one."""
    configuration, problems = scene.load()
    assert configuration is not None, problems
    engine = Engine(configuration)
    await trio.sleep(1)  # a mocked clock begins at 0, which no real one ever shows
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.run)
        await trio.testing.wait_all_tasks_blocked()
        if rounds:
            await engine.started.wait()
            await trio.testing.wait_all_tasks_blocked()
        yield engine
        engine.stop()


async def shown(engine: Engine, **facts: Any) -> JSON:
    """The picture, as it goes through the socket."""
    return decode(encode(await picture(engine, **facts)))


def part(row: JSON, names: str) -> tuple[object, ...]:
    return tuple(row[name] for name in names.split())


def states(*rows: JSON) -> list[tuple[object, ...]]:
    return [part(row, "state reason") for row in rows]


# --- the table -----------------------------------------------------------------------------------


async def test_a_service_that_is_as_wanted(scene: Scene, autojump_clock: MockClock) -> None:
    async with running(scene) as engine:
        scene.kernel.connections[tcp(), target(1)] = 7
        await trio.sleep(5)
        found = await shown(engine)
    assert (found["version"], found["configuration"]) == (__version__, str(scene.file))
    assert 5 <= found["uptime"] < 6
    assert part(found, "hold leaving refusals drained") == (None, [], [], [])
    [service] = found["services"]
    assert (service["name"], service["refusals"], service["failure"]) == ("web", [], None)
    [row] = service["entries"]
    first, second = row.pop("destinations")
    assert row == {
        "key": "tcp 192.0.2.1:80",
        "protocol": "TCP",
        "address": "192.0.2.1:80",
        "scheduler": "wrr",
        "flags": [],
        "persistence": None,
        "state": "serving",
        "reason": "",
    }
    place = first.pop("from")
    assert place.startswith("services ")
    assert first == {
        "address": "198.51.100.1:8080",
        "method": "masq",
        "weight": 4,
        "active": 7,
        "inactive": 0,
        "state": "serving",
        "reason": "",
    }
    assert (second["active"], second["inactive"]) == (None, None)


async def test_one_service(scene: Scene, autojump_clock: MockClock) -> None:
    scene.write(WEB, API, KERNEL)
    scene.kernel.services[tcp("192.0.2.9")] = entry(1)
    async with running(scene) as engine:
        everything = await shown(engine)
        api = await shown(engine, service="api")
        nothing = await shown(engine, service="wbe")
    assert [one["name"] for one in everything["services"]] == ["api", "web"]
    assert [one["key"] for one in everything["leaving"]] == ["tcp 192.0.2.9:80"]
    assert api["services"] == [one for one in everything["services"] if one["name"] == "api"]
    assert (api["leaving"], nothing["services"]) == ([], [])


async def test_persistence_and_firewall_marks(scene: Scene, autojump_clock: MockClock) -> None:
    web = WEB.replace('"wrr"', '"mh"\nflags = ["mh-port"]\npersistence = { timeout = "5m" }')
    mark = '[services.m]\nfrontend = { fwmark = 7, family = "inet" }\n'
    scene.write(web, mark, KERNEL, core="managed_fwmarks = [7]\n")
    async with running(scene) as engine:
        marked, ported = (one["entries"][0] for one in (await shown(engine))["services"])
    assert (marked["protocol"], marked["address"]) == ("FWM", "7")
    assert (ported["scheduler"], ported["flags"]) == ("mh", ["mh-fallback", "mh-port"])
    assert ported["persistence"]["timeout"] == 300


async def test_without_a_data_plane_there_is_no_telling_what_is_missing(
    scene: Scene, autojump_clock: MockClock
) -> None:
    scene.write(WEB)
    async with running(scene) as engine:
        found = await shown(engine)
    [row] = found["services"][0]["entries"]
    assert row["state"] == "serving"
    assert {one["active"] for one in row["destinations"]} == {None}
    assert found["outputs"] == []


async def test_what_the_kernel_refuses_is_failing_and_missing(
    scene: Scene, autojump_clock: MockClock
) -> None:
    scene.world.fails = lambda one: "no such scheduler" if isinstance(one, AddService) else ""
    async with running(scene) as engine:
        found = await shown(engine)
    [row] = found["services"][0]["entries"]
    assert states(row) == [("failing", "no such scheduler")]
    assert states(*row["destinations"]) == [("missing", "no such scheduler")] * 2
    [output] = found["outputs"]
    assert output["failing"] == [
        {"entry": "tcp 192.0.2.1:80", "error": "no such scheduler", "hint": ""}
    ]
    assert output["failed"] > 0


async def test_what_a_stranger_changed_differs(scene: Scene, autojump_clock: MockClock) -> None:
    async with running(scene) as engine:
        have = scene.kernel.services[tcp()]
        changed = {**have.destinations, target(1, 8080): destination(99)}
        scene.kernel.services[tcp()] = replace(have, scheduler="rr", destinations=changed)
        engine.runners()[0].output.look()  # type: ignore[attr-defined]
        [row] = (await shown(engine))["services"][0]["entries"]
        assert states(row) == [("differs", "the kernel's settings differ")]
        differs = ("differs", "differs from what is wanted")
        assert states(*row["destinations"]) == [differs, ("serving", "")]
        assert row["destinations"][0]["weight"] == 99, "what the kernel has is shown"
        del scene.kernel.services[tcp()]
        engine.runners()[0].output.look()  # type: ignore[attr-defined]
        [row] = (await shown(engine))["services"][0]["entries"]
        assert states(row) == [("missing", "not in the kernel yet")]
        assert states(*row["destinations"]) == [("missing", "not in the kernel yet")] * 2


async def test_what_an_operator_drains_is_quiesced(scene: Scene, autojump_clock: MockClock) -> None:
    async with running(scene) as engine:
        engine.drain(Drained("web", "web-1"), "drained by operator")
        await trio.sleep(1)
        found = await shown(engine)
        [row] = found["services"][0]["entries"]
        first, second = row["destinations"]
        assert (first["state"], second["state"]) == ("quiesced", "serving")
        assert first["reason"].endswith(": drained by operator")
        assert (first["weight"], row["state"]) == (0, "serving")
        assert found["drained"] == [
            {"service": "web", "backend": "web-1", "reason": "drained by operator"}
        ]
        engine.drain(Drained("web"), "all of it")
        await trio.sleep(1)
        [row] = (await shown(engine))["services"][0]["entries"]
        assert states(row) == [("empty", "no destination takes connections")]


async def test_what_left_is_draining_and_leaving(scene: Scene, autojump_clock: MockClock) -> None:
    have = entry(4, 4, 4, scheduler="wrr")
    scene.kernel.services = {tcp(): have, tcp("192.0.2.9"): entry(1)}
    scene.kernel.connections = {(tcp(), target(3)): 1, (tcp("192.0.2.9"), target(1)): 1}
    async with running(scene) as engine:
        found = await shown(engine)
    [row] = found["services"][0]["entries"]
    assert states(*row["destinations"])[2] == ("draining", "left the service")
    assert row["destinations"][2]["weight"] == 0
    assert row["destinations"][2]["from"] == ""
    [left] = found["leaving"]
    assert states(left) == [("leaving", "no service claims it any more")]
    assert states(*left["destinations"]) == [("draining", "left the service")]


async def test_what_may_not_be_removed_yet_is_held(scene: Scene, autojump_clock: MockClock) -> None:
    scene.write(WEB, AWAY, KERNEL)
    scene.kernel.services = {tcp(): entry(4, 4, 4), tcp("192.0.2.9"): entry(1)}
    async with running(scene) as engine:
        found = await shown(engine)
    assert "sources.hosts" in found["hold"]
    [row] = found["services"][0]["entries"]
    held = ("held", f"would be removed, but {found['hold']}")
    assert states(*row["destinations"])[2] == held
    [left] = found["leaving"]
    assert states(left) == [("leaving", found["hold"])]
    assert found["outputs"][0]["held"] == 2


async def test_refusals_stand_at_their_service(scene: Scene, autojump_clock: MockClock) -> None:
    scene.write(WEB, API.replace("192.0.2.2", "192.0.2.1").replace("443", "80"), KERNEL)
    async with running(scene) as engine:
        api, web = (await shown(engine))["services"]
    [refusal] = api["refusals"] + web["refusals"]
    assert (refusal["subject"], refusal["reason"]) == ("service api", "duplicate_vip")
    assert "belongs to service web" in refusal["detail"]
    assert set(refusal) == {"subject", "reason", "detail", "hint", "provenance"}


async def test_a_policy_that_fails_is_told_at_its_service(
    scene: Scene, autojump_clock: MockClock
) -> None:
    scene.write(WEB, '[[policies]]\ntype = "broken"\n', KERNEL)
    scene.kernel.services = {tcp(): entry(4, 4)}
    async with running(scene) as engine:
        found = await shown(engine)
    [service] = found["services"]
    assert service["failure"] == "policies[0]: failed on service web"
    assert scene.kernel.writes == []


# --- instances -----------------------------------------------------------------------------------


async def test_how_instances_are(scene: Scene, autojump_clock: MockClock) -> None:
    bug = AWAY.replace("hosts", "odd").replace("away", "bug")
    scene.write(WEB, AWAY, bug, '[routes]\n"a" = { prefix = "198.51.100.0/24" }\n', KERNEL)
    scene.world.problems = ["a sysctl is 0"]
    async with running(scene) as engine:
        await trio.sleep(0.1)
        found = await shown(engine)
    services, hosts, odd = found["sources"]
    assert part(services, "name type state") == ("services", "static", "finished")
    assert part(services, "spoken services backends routes") == (True, 1, 2, 1)
    assert part(services, "degraded bug") == (None, False)
    assert part(hosts, "name state spoken bug") == ("sources.hosts", "down", False, False)
    assert part(hosts, "reason hint") == ("no hosts are known", "ask them")
    assert 0 < hosts["retry_in"] <= 0.6
    assert 0 < hosts["for"] <= 0.2
    assert part(odd, "state bug") == ("down", True)
    assert odd["reason"] == "ZeroDivisionError: a bug of the test's"
    [kernel] = found["outputs"]
    assert part(kernel, "name type state") == ("outputs.kernel", "model", "running")
    assert part(kernel, "problems failing failed") == (["a sysctl is 0"], [], 0)
    assert (kernel["done"] > 0, kernel["retry_in"]) == (True, None)


async def test_an_output_waits_for_the_first_pass(scene: Scene, autojump_clock: MockClock) -> None:
    scene.write(WEB, SILENT, KERNEL)
    scene.file.write_text(scene.file.read_text().replace('"10ms"', '"1m"'))
    async with running(scene, rounds=False) as engine:
        before = await shown(engine)
        await trio.sleep(70)
        after = await shown(engine)
    [waiting], [kernel] = before["outputs"], after["outputs"]
    assert (waiting["state"], waiting["for"]) == ("starting", None)
    assert waiting["reason"].startswith("waits for the sources")
    assert waiting.keys() == kernel.keys()
    assert kernel["state"] == "running"
    assert before["services"] == []
    [source] = [one for one in after["sources"] if one["name"] == "sources.hosts"]
    assert (source["state"], source["spoken"]) == ("starting", False)


async def test_an_output_whose_world_is_away_spoils_no_picture(
    scene: Scene, autojump_clock: MockClock
) -> None:
    async with running(scene) as engine:
        scene.world.away = OutputUnavailable("no ip_vs", hint="modprobe ip_vs")
        # The next look at the kernel is after 30 s.
        await trio.sleep(31)
        found = await shown(engine)
        [kernel] = found["outputs"]
        assert part(kernel, "state reason hint") == ("down", "no ip_vs", "modprobe ip_vs")
        assert kernel["retry_in"] > 0
        [row] = found["services"][0]["entries"]
        assert row["destinations"][0]["active"] is None
        assert row["state"] == "serving", "as last seen"


async def test_refusals_of_a_source_are_its_own(scene: Scene, autojump_clock: MockClock) -> None:
    scene.write(WEB, AWAY.replace("away", "refuse"), KERNEL)
    async with running(scene) as engine:
        found = await shown(engine)
    [refusal] = found["refusals"]
    assert part(refusal, "subject reason hint") == ("host-7", "bad_address", "mend it")
    assert refusal["provenance"] == "sources.hosts host-7"
    assert found["services"][0]["refusals"] == []
