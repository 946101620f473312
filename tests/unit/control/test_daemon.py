from __future__ import annotations

import gc
import json
import logging
import os
import signal

import pytest
import trio

from clusterf import __version__
from clusterf.control.client import Refused
from clusterf.control.daemon import Daemon, ReloadRefused
from clusterf.control.place import AlreadyRunning
from clusterf.model.errors import OutputUnavailable, SourceUnavailable
from tests.strategies import entry, tcp
from tests.unit.control.scene import API, AWAY, KERNEL, WEB, Scene


async def refused(scene: Scene, **request: object) -> Refused:
    with pytest.raises(Refused) as told:
        await scene.ask(**request)
    return told.value


# --- its life ------------------------------------------------------------------------------------


async def test_it_applies_the_configuration_and_answers(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "clusterf")
    async with scene.running():
        assert scene.kernel.services.keys() == {tcp()}
        assert scene.weights() == [4, 4]
        found = await scene.ask(command="status")
        assert [one["name"] for one in found["services"]] == ["web"]
        assert found["reload_problems"] == []
    said = [record.getMessage() for record in caplog.records if record.name == "clusterf.daemon"]
    assert said == ["started services=1 sources=1 outputs=1", "stopped kernel=kept"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_and_the_kernel_stays(
    scene: Scene, number: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "clusterf.daemon")
    async with trio.open_nursery() as nursery:
        daemon = scene.daemon()
        nursery.start_soon(daemon.run, scene.socket)
        await daemon.engine.started.wait()
        await daemon.engine.runners()[0].first_round.wait()
        writes = list(scene.kernel.writes)
        os.kill(os.getpid(), number)
    assert scene.kernel.writes == writes
    assert scene.weights() == [4, 4]
    assert not scene.socket.exists()
    assert f"stopping signal={number.name}" in caplog.text


async def test_a_signal_that_comes_twice_ends_it_as_well(scene: Scene) -> None:
    """It would end this very process if nobody took it."""
    async with trio.open_nursery() as nursery:
        daemon = scene.daemon()
        nursery.start_soon(daemon.run, scene.socket)
        await daemon.engine.started.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        with trio.open_signal_receiver(signal.SIGUSR1) as marks:
            os.kill(os.getpid(), signal.SIGUSR1)  # by then the first one is on its way
            await anext(marks)
        os.kill(os.getpid(), signal.SIGTERM)
    assert not scene.socket.exists()


async def test_the_cycle_collector_is_off_only_while_the_first_table_is_made(scene: Scene) -> None:
    async with scene.running():
        await scene.until(gc.isenabled)
        assert gc.get_freeze_count() > 0


async def test_a_second_one_does_not_start(scene: Scene) -> None:
    async with scene.running():
        writes = list(scene.kernel.writes)
        with pytest.raises(AlreadyRunning) as told:
            await scene.daemon().run(scene.socket)
        assert told.value.exit_code == 75
        assert (await scene.ask(command="status"))["services"]
        assert scene.kernel.writes == writes


async def test_an_output_that_must_start_ends_it_and_its_socket(scene: Scene) -> None:
    scene.world.away = OutputUnavailable("no ip_vs", hint="modprobe ip_vs")
    with pytest.RaisesGroup(OutputUnavailable, flatten_subgroups=True, allow_unwrapped=True):
        await scene.daemon().run(scene.socket)
    assert not scene.socket.exists()


def test_an_instance_that_cannot_be_made_is_told_before_anything_starts(scene: Scene) -> None:
    scene.write(WEB, AWAY.replace("away", "impossible"), KERNEL)
    with pytest.raises(SourceUnavailable, match=r"sources\.hosts cannot be made"):
        scene.daemon()
    assert not scene.socket.exists()


# --- reload --------------------------------------------------------------------------------------


async def test_a_reload_goes_over_to_the_new_configuration(scene: Scene) -> None:
    async with scene.running():
        scene.write(WEB.replace("weight = 4", "weight = 9"), API, KERNEL)
        reply = await scene.ask(command="reload")
        assert reply == {"done": f"{scene.file} is in force"}
        await scene.until(lambda: len(scene.kernel.services) == 2)
        await scene.until(lambda: scene.weights() == [9, 9])


async def test_a_reload_of_a_configuration_at_fault_changes_nothing(scene: Scene) -> None:
    async with scene.running() as daemon:
        writes, before = list(scene.kernel.writes), daemon.engine.configuration
        scene.write(WEB, KERNEL, 'look = "soon"\n')
        error = await refused(scene, command="reload")
        assert error.exit_code == 78
        assert f"{scene.file}:" in str(error)
        assert "outputs.kernel.look" in str(error)
        assert "everything is as it was" in str(error)
        [problem] = (await scene.ask(command="status"))["reload_problems"]
        assert "outputs.kernel.look" in problem
        assert daemon.engine.configuration is before
        assert scene.kernel.writes == writes
        scene.write(WEB, KERNEL)
        await scene.ask(command="reload")
        assert (await scene.ask(command="status"))["reload_problems"] == []


async def test_an_instance_that_cannot_be_made_refuses_the_reload(scene: Scene) -> None:
    async with scene.running():
        scene.write(API, AWAY.replace("away", "impossible"), KERNEL)
        error = await refused(scene, command="reload")
        assert (error.exit_code, str(error)) == (69, "sources.hosts cannot be made")
        found = await scene.ask(command="status")
        assert found["reload_problems"] == ["sources.hosts cannot be made"]
        assert [one["name"] for one in found["services"]] == ["web"]


async def test_sighup_is_a_reload(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    async with scene.running() as daemon:
        scene.write("at fault")
        os.kill(os.getpid(), signal.SIGHUP)
        await scene.until(lambda: daemon.reload_problems)
        assert "reload refused error=" in caplog.text
        assert "\n" not in caplog.records[-1].getMessage()
        scene.write(WEB, API, KERNEL)
        os.kill(os.getpid(), signal.SIGHUP)
        await scene.until(lambda: len(scene.kernel.services) == 2)
        assert not daemon.reload_problems


async def test_two_reloads_at_once_are_one_after_the_other(scene: Scene) -> None:
    async with scene.running() as daemon:
        scene.write(WEB, API, KERNEL)
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(daemon.reload)
        await scene.until(lambda: len(scene.kernel.services) == 2)


async def test_a_refused_reload_says_all_problems(scene: Scene) -> None:
    daemon = Daemon(scene.daemon().engine.configuration, lambda: (None, ["one", "two"]))
    with pytest.raises(ReloadRefused) as told:
        await daemon.reload()
    assert str(told.value) == "one\ntwo (hint: everything is as it was)"
    assert daemon.reload_problems == ["one", "two"]


# --- drains --------------------------------------------------------------------------------------


async def test_a_backend_is_drained_and_taken_back(scene: Scene) -> None:
    async with scene.running():
        reply = await scene.ask(command="drain", service="web", backend="web-1")
        assert reply == {"done": "service web backend web-1 gets no new connections"}
        await scene.until(lambda: scene.weights() == [0, 4])
        reply = await scene.ask(command="undrain", service="web", backend="web-1")
        assert reply == {"done": "service web backend web-1 takes connections again"}
        await scene.until(lambda: scene.weights() == [4, 4])


async def test_a_whole_service_is_drained_also_over_a_restart(scene: Scene) -> None:
    async with scene.running():
        assert await scene.ask(command="drain", service="web") == {
            "done": "service web gets no new connections"
        }
        await scene.until(lambda: scene.weights() == [0, 0])
    orders = json.loads((scene.folder / "state" / "drained.json").read_text())
    assert orders == [{"service": "web", "backend": "", "reason": "drained by operator"}]
    async with scene.running():
        assert scene.weights() == [0, 0]
        [order] = (await scene.ask(command="status"))["drained"]
        assert order["service"] == "web"
        await scene.ask(command="undrain", service="web")
        await scene.until(lambda: scene.weights() == [4, 4])


async def test_a_unique_beginning_of_an_id_is_enough(scene: Scene) -> None:
    scene.write(WEB.replace('"web-2"', '"other"'), KERNEL)
    async with scene.running():
        reply = await scene.ask(command="drain", service="web", backend="w")
        assert reply == {"done": "service web backend web-1 gets no new connections"}
        reply = await scene.ask(command="undrain", service="web", backend="we")
        assert reply == {"done": "service web backend web-1 takes connections again"}


def unknown(command: str) -> str:
    return (
        f"clusterf {__version__} runs here and does not know {command}"
        " (hint: it is of another version than this command: restart it)"
    )


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (
            {"command": "drain", "service": "wbe"},
            "no service wbe (hint: clusterf status lists them)",
        ),
        ({"command": "drain"}, "no service  (hint: clusterf status lists them)"),
        (
            {"command": "drain", "service": "web", "backend": "web"},
            (
                "service web has no backend web, or several that begin so"
                " (hint: its backends: web-1, web-2)"
            ),
        ),
        ({"command": "undrain", "service": "web"}, "service web is not drained by an operator"),
        (
            {"command": "undrain", "service": "web", "backend": "web-1"},
            "service web backend web-1 is not drained by an operator",
        ),
        ({"command": "halt"}, unknown("'halt'")),
        ({"command": ["drain"]}, unknown("['drain']")),
        ({}, unknown("None")),
    ],
)
async def test_what_cannot_be_done_is_refused(
    scene: Scene, request_: dict[str, object], told: str
) -> None:
    async with scene.running():
        writes = list(scene.kernel.writes)
        error = await refused(scene, **request_)
        assert (str(error), error.exit_code) == (told, 1)
        assert scene.kernel.writes == writes
        assert (await scene.ask(command="status"))["drained"] == []


async def test_an_order_that_cannot_be_written_down_holds_and_is_told(scene: Scene) -> None:
    (scene.folder / "state").write_text("no folder")
    async with scene.running():
        error = await refused(scene, command="drain", service="web")
        assert "the order holds until clusterf ends" in str(error)
        assert error.exit_code == 1
        await scene.until(lambda: scene.weights() == [0, 0])


async def test_the_status_of_one_service(scene: Scene) -> None:
    scene.write(WEB, API, KERNEL)
    async with scene.running():
        found = await scene.ask(command="status", service="api")
        assert [one["name"] for one in found["services"]] == ["api"]
        assert (await scene.ask(command="status", service="x"))["services"] == []
        assert len((await scene.ask(command="status", service=None))["services"]) == 2


async def test_foreign_entries_are_not_even_looked_at(scene: Scene) -> None:
    foreign = tcp("203.0.113.9")
    scene.kernel.services[foreign] = entry(1)
    async with scene.running():
        assert (await scene.ask(command="status"))["leaving"] == []
    assert scene.kernel.services[foreign] == entry(1)


# --- names ---------------------------------------------------------------------------------------


async def test_names_are_told_without_the_rest(scene: Scene) -> None:
    scene.write(WEB, API, KERNEL)
    async with scene.running():
        assert await scene.ask(command="names") == {"names": ["api", "web"]}
        assert await scene.ask(command="names", service="web") == {"names": ["web-1", "web-2"]}
        assert await scene.ask(command="names", service="none") == {"names": []}
        await scene.ask(command="drain", service="web", backend="web-2")
        assert await scene.ask(command="names", drained=True) == {"names": ["web"]}
        assert await scene.ask(command="names", service="web", drained=True) == {"names": ["web-2"]}
