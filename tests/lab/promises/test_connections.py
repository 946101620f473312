"""No lost connection: whatever becomes of clusterf, of its configuration and of the backends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.promises.connections import Connections
from tests.lab.promises.daemon import Daemon, configuration
from tests.lab.promises.stage import VIP, WEB, World

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

LIVE = 200
TWO = f"""\
[services.echo]
frontend = {{ ipv4 = "{VIP}", tcp = 7 }}
scheduler = "rr"
backends = ["{WEB["web1"]}:7", "{WEB["web2"]}:7"]
"""
RULES = [
    f"-A -t {VIP}:7 -s rr",
    f"-a -t {VIP}:7 -r {WEB['web1']}:7 -m -w 10",
    f"-a -t {VIP}:7 -r {WEB['web2']}:7 -m -w 10",
]


@pytest.fixture
def running(shared: Daemon) -> Daemon:
    """Two backends in the kernel, beside the virtual services of somebody else."""
    shared.restore(services=TWO)
    assert shared.director.managed() == RULES
    return shared


@pytest.fixture
def connections(world: World, running: Daemon) -> Iterator[Connections]:
    """200 connections that talk all the time, spread over both backends."""
    with Connections(world.client, VIP, 7, LIVE) as made:
        yield made
        running.director.check_foreign()


def test_a_restart_changes_nothing(running: Daemon, connections: Connections) -> None:
    rows = running.service("echo")["entries"][0]["destinations"]
    assert [row["active"] for row in rows] == [LIVE / 2, LIVE / 2]
    assert running.stop() == 0
    connections.check()
    assert running.director.managed() == RULES
    running.start()
    running.look_again()
    connections.check()
    assert (running.done(), running.operations()) == ((0, 0), [])
    assert running.director.managed() == RULES


def test_a_kill_changes_nothing(running: Daemon, connections: Connections) -> None:
    running.kill()
    connections.check()
    assert running.director.managed() == RULES
    assert running.socket.exists(), "it had no time to remove its socket"
    running.start()
    running.look_again()
    connections.check()
    assert (running.done(), running.operations()) == ((0, 0), [])
    assert running.director.managed() == RULES


@pytest.mark.parametrize("how", ["SIGHUP", "command"])
def test_a_reload_with_a_bad_file_changes_nothing(
    running: Daemon, connections: Connections, how: str
) -> None:
    running.configure(configuration(kernel='shceduler = "rr"\ndrain_pol = "1s"'))
    if how == "SIGHUP":
        running.hang_up()
    else:
        refused = running.cli("reload")
        assert refused.returncode == 78
        assert "shceduler" in refused.stderr
        assert "everything is as it was" in refused.stderr
    picture = running.wait(lambda status: status["reload_problems"], "status tells of it")
    (problems,) = picture["reload_problems"]
    assert "clusterf.toml:18:1: error[C101]: outputs.kernel.shceduler: unknown key" in problems
    assert "clusterf.toml:19:1: error[C101]: outputs.kernel.drain_pol: unknown key" in problems
    assert 'did you mean "drain_poll"' in problems
    running.look_again()
    connections.check()
    assert (running.operations(), running.director.managed()) == ([], RULES)

    running.configure()
    running.reload()
    assert running.status()["reload_problems"] == []
    assert running.operations() == []


def test_a_reload_that_adds_a_backend(running: Daemon, connections: Connections) -> None:
    """By clusterf.toml itself: another source completes the service."""
    running.configure(
        configuration(
            rest=f'[sources.more]\ntype = "static"\nservices.echo.backends = ["{WEB["web3"]}:7"]'
        )
    )
    assert running.cli("reload").returncode == 0
    added = f"-a -t {VIP}:7 -r {WEB['web3']}:7 -m -w 10"
    running.wait_for_operations([added])
    connections.check()
    assert running.director.managed() == [*RULES, added]


def test_other_settings_are_edited_in_place(running: Daemon, connections: Connections) -> None:
    for text, wanted in (
        (TWO.replace('"rr"', '"wlc"'), [f"-E -t {VIP}:7 -s wlc"]),
        (
            TWO.replace('"rr"', '"mh"\nflags = ["mh-port"]'),
            [f"-E -t {VIP}:7 -s mh -b mh-fallback,mh-port"],
        ),
        (TWO.replace('"rr"', '"mh"'), [f"-E -t {VIP}:7 -s mh -b mh-fallback"]),
        (
            TWO.replace('"rr"', '"mh"\nweight = 3'),
            [f"-e -t {VIP}:7 -r {WEB[name]}:7 -m -w 3" for name in ("web1", "web2")],
        ),
        (
            TWO.replace('"rr"', '"mh"\nweight = 3\npersistence = "2m"'),
            [f"-E -t {VIP}:7 -s mh -p 120 -b mh-fallback"],
        ),
        (
            TWO.replace('"rr"', '"mh"\nweight = 0\npersistence = "2m"'),
            [f"-e -t {VIP}:7 -r {WEB[name]}:7 -m -w 0" for name in ("web1", "web2")],
        ),
        (
            TWO,
            [
                f"-E -t {VIP}:7 -s rr",
                *(f"-e -t {VIP}:7 -r {WEB[name]}:7 -m -w 10" for name in ("web1", "web2")),
            ],
        ),
    ):
        running.put("services.toml", text)
        running.wait_for_operations(wanted)
        connections.check()
    assert running.director.managed() == RULES
