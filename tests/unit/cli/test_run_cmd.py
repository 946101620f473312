from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from clusterf.control.client import ask
from clusterf.control.protocol import JSON
from clusterf.model.errors import OutputUnavailable
from tests.strategies import entry, tcp
from tests.unit.control.scene import API, AWAY, KERNEL, WEB, Scene

Shown = pytest.CaptureFixture[str]


@contextmanager
def meanwhile(scene: Scene, act: Callable[[], None]) -> Iterator[None]:
    """Act beside a daemon in this thread, once its output has worked; then end it."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            assert scene.world.worked.wait(20), "no output has worked"
            act()
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            failures.append(error)
        os.kill(os.getpid(), signal.SIGTERM)

    # A signal that comes when the daemon has ended must not end the tests.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        scene.world.worked.set()
        thread.join(20)
        signal.signal(signal.SIGTERM, before)
    assert not failures, failures


# --- the daemon ----------------------------------------------------------------------------------


def test_it_runs_until_sigterm(scene: Scene, capsys: Shown) -> None:
    found: list[JSON] = []
    with meanwhile(scene, lambda: found.append(ask(scene.socket, {"command": "status"}))):
        assert scene.cli("run") == 0
    assert [one["name"] for one in found[0]["services"]] == ["web"]
    assert scene.weights() == [4, 4]
    assert not scene.socket.exists()
    shown = capsys.readouterr()
    assert shown.out == ""
    events = [line.split(" ", 2)[2] for line in shown.err.splitlines()]
    assert "daemon: started services=1 sources=1 outputs=1" in events
    assert events[-2:] == ["daemon: stopping signal=SIGTERM", "daemon: stopped kernel=kept"]
    assert any(one.startswith("outputs.kernel: done op='-A -t 192.0.2.1:80") for one in events)


def test_it_reads_its_configuration_anew(scene: Scene, capsys: Shown) -> None:
    def act() -> None:
        scene.write(WEB, API)
        assert scene.cli("reload") == 0
        scene.write("at fault")
        assert scene.cli("reload", "--socket", str(scene.socket)) == 78

    with meanwhile(scene, act):
        assert scene.cli("run") == 0
    shown = capsys.readouterr()
    assert f"{scene.file} is in force\n" in shown.out
    # What is no obstacle is in the daemon's log.
    assert "warning configuration: configuration" in shown.err
    assert "there is no output" in shown.err
    assert "1 error, 0 warnings (hint: everything is as it was)" in shown.err


def test_warnings_of_plugins_are_in_its_log(scene: Scene, capsys: Shown) -> None:
    """And plugins that failed, as long as nobody asks for them."""
    odd = scene.drop_in(
        "odd.py",
        "from clusterf.plugin import hookimpl\nCLUSTERF_API = '1.0'\n"
        "@hookimpl\ndef clusterf_reconciled(report):\n    pass\n",
    )
    bad = scene.drop_in("bad.py", "x = 1\n")
    assert scene.cli("run", "--once") == 0
    shown = capsys.readouterr().err
    assert f"{odd}: warning[C303]: hook clusterf_reconciled is never called: " in shown
    assert f"configuration {bad}: error[C301]: plugin not loaded: " in shown


def test_the_log_is_as_the_configuration_wants_it(scene: Scene, capsys: Shown) -> None:
    scene.write(WEB, KERNEL, core='log_format = "json"\nlog_level = "warning"\n')
    with meanwhile(scene, lambda: None):
        assert scene.cli("run") == 0
    assert capsys.readouterr().err == ""
    scene.write(WEB, KERNEL, core='log_format = "json"\n')
    scene.world.worked.clear()
    with meanwhile(scene, lambda: None):
        assert scene.cli("run") == 0
    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert entries[-1]["message"] == "stopped kernel=kept"


def test_a_second_one_is_refused_with_75(scene: Scene, capsys: Shown) -> None:
    codes: list[int] = []
    with meanwhile(scene, lambda: codes.append(scene.cli("run"))):
        assert scene.cli("run") == 0
    assert codes == [75]
    assert (
        f"clusterf: another clusterf is running at {scene.socket} (hint: "
        in capsys.readouterr().err
    )


def test_a_world_that_is_away_at_the_start_is_69(scene: Scene, capsys: Shown) -> None:
    scene.world.away = OutputUnavailable("no ip_vs", hint="modprobe ip_vs")
    assert scene.cli("run") == 69
    assert "clusterf: no ip_vs (hint: modprobe ip_vs)\n" in capsys.readouterr().err
    assert not scene.socket.exists()


def test_a_configuration_at_fault_starts_nothing(scene: Scene, capsys: Shown) -> None:
    scene.write(WEB.replace('"wrr"', '"wrrr"'), KERNEL)
    assert scene.cli("run") == 78
    assert "error[C104]: services.web.scheduler: " in capsys.readouterr().err
    assert not scene.socket.exists()
    assert scene.kernel.writes == []


def test_a_socket_that_cannot_be_made_is_78_and_touches_no_file(
    scene: Scene, capsys: Shown
) -> None:
    scene.file.write_text(scene.file.read_text().replace("control.sock", scene.file.name))
    before = scene.file.read_text()
    assert scene.cli("run") == 78
    assert "there is a file that is no socket" in capsys.readouterr().err
    assert scene.file.read_text() == before
    assert scene.kernel.writes == []


# --- once ----------------------------------------------------------------------------------------


def test_once_applies_and_ends(scene: Scene, capsys: Shown) -> None:
    assert scene.cli("run", "--once") == 0
    assert scene.weights() == [4, 4]
    assert "run: applied operations=3 failed=0 complete=true\n" in capsys.readouterr().err
    assert not scene.socket.exists()
    writes = list(scene.kernel.writes)
    assert scene.cli("run", "--once") == 0
    assert scene.kernel.writes == writes
    assert "applied operations=0 failed=0 complete=true" in capsys.readouterr().err


def test_once_does_not_need_the_socket(scene: Scene, capsys: Shown) -> None:
    codes: list[int] = []
    with meanwhile(scene, lambda: codes.append(scene.cli("plan"))):
        assert scene.cli("run") == 0
    assert codes == [0]
    assert capsys.readouterr().out == "nothing to do\n"


def test_what_is_left_undone_is_75(scene: Scene, capsys: Shown) -> None:
    scene.world.fails = lambda _: "no such scheduler"
    assert scene.cli("run", "--once") == 75
    assert scene.kernel.services == {}
    shown = capsys.readouterr().err
    assert "complete=true" in shown
    assert "failed=0" not in shown


def test_a_source_that_did_not_speak_is_75_and_removes_nothing(scene: Scene, capsys: Shown) -> None:
    scene.write(WEB, AWAY, KERNEL)
    scene.kernel.services = {tcp("192.0.2.9"): entry(1)}
    assert scene.cli("run", "--once") == 75
    assert "complete=false" in capsys.readouterr().err
    assert scene.kernel.services.keys() == {tcp("192.0.2.9"), tcp()}
