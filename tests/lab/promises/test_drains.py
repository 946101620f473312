"""Drains: a backend that leaves keeps its connections, for as long as it was promised."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.lab.promises.connections import Connections
from tests.lab.promises.daemon import Daemon, configuration
from tests.lab.promises.stage import VIP, WEB, WEB_SERVICE, World
from tests.lab.promises.test_connections import LIVE, RULES, TWO

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

ONE = TWO.replace(f', "{WEB["web2"]}:7"', "")
EDIT = f"-e -t {VIP}:7 -r {WEB['web2']}:7 -m"
DELETE = f"-d -t {VIP}:7 -r {WEB['web2']}:7"
DRAINING = [*RULES[:2], f"-a -t {VIP}:7 -r {WEB['web2']}:7 -m -w 0"]


@pytest.fixture
def connections(world: World, daemon: Daemon) -> Iterator[Connections]:
    """200 connections that talk all the time, spread over both backends."""
    daemon.director.load_foreign()
    daemon.configure(services=TWO)
    daemon.start()
    assert daemon.director.managed() == RULES
    daemon.operations()
    with Connections(world.client, VIP, 7, LIVE) as made:
        yield made
    daemon.director.check_foreign()


def test_a_backend_that_leaves_keeps_its_connections_until_they_end(
    daemon: Daemon, connections: Connections
) -> None:
    daemon.put("services.toml", ONE)
    daemon.wait_for_operations([f"{EDIT} -w 0"])
    connections.check()
    assert daemon.director.managed() == DRAINING
    (row,) = (
        row
        for row in daemon.service("echo")["entries"][0]["destinations"]
        if row["state"] == "draining"
    )
    assert (row["address"], row["active"]) == (f"{WEB['web2']}:7", LIVE / 2)
    assert f"{LIVE // 2} active and 0 inactive connections" in row["reason"]

    # Nor does a kill end the drain.
    daemon.kill()
    connections.check()
    daemon.start(settled=False)
    daemon.look_again()
    connections.check()
    assert daemon.operations() == []
    assert daemon.director.managed() == DRAINING

    connections.reset()
    daemon.wait_for_operations([DELETE])
    assert daemon.director.managed() == RULES[:2]


def test_a_drain_is_taken_back_and_one_ends_at_its_deadline(
    daemon: Daemon, connections: Connections
) -> None:
    daemon.put("services.toml", ONE)
    daemon.wait_for_operations([f"{EDIT} -w 0"])
    daemon.put("services.toml", TWO)
    daemon.wait_for_operations([f"{EDIT} -w 10"])
    connections.check()
    assert daemon.director.managed() == RULES

    daemon.configure(configuration(drain="4s"))
    daemon.reload()
    daemon.settle()
    assert daemon.operations() == []
    began = time.monotonic()
    daemon.put("services.toml", ONE)
    daemon.wait_for_operations([f"{EDIT} -w 0", DELETE])
    assert time.monotonic() - began > 4
    assert daemon.director.managed() == RULES[:2]
    # The connections of the other backend notice nothing.
    connections.check_lost(LIVE // 2)


def _weight(name: str, weight: int, command: str = "-a") -> str:
    return f"{command} -t {VIP}:80 -r {WEB[name]}:80 -m -w {weight}"


def test_the_orders_drain_and_undrain_last_over_a_restart(daemon: Daemon) -> None:
    director = daemon.director
    service = f"-A -t {VIP}:80 -s wrr"
    serving = [service, _weight("web1", 4), _weight("web2", 4)]
    drained = [service, _weight("web1", 4), _weight("web2", 0)]
    daemon.configure(web=WEB_SERVICE)
    daemon.start()
    assert director.managed() == serving
    daemon.operations()

    ordered = daemon.cli("drain", "web", "web-2")
    assert (ordered.returncode, ordered.stdout) == (
        0,
        "service web backend web-2 gets no new connections\n",
    )
    daemon.wait_for_operations([_weight("web2", 0, "-e")])
    assert director.managed() == drained
    (row,) = (
        row
        for row in daemon.service("web")["entries"][0]["destinations"]
        if row["state"] == "quiesced"
    )
    assert "drained by operator" in row["reason"]

    for end in (daemon.stop, daemon.kill):
        end()
        assert director.managed() == drained
        daemon.start()
        daemon.look_again()
        assert (daemon.operations(), director.managed()) == ([], drained)
    assert [one["backend"] for one in daemon.status()["drained"]] == ["web-2"]

    taken_back = daemon.cli("undrain", "web", "web-2", "--format", "json")
    assert taken_back.returncode == 0
    assert json.loads(taken_back.stdout) == {
        "done": "service web backend web-2 takes connections again"
    }
    daemon.wait_for_operations([_weight("web2", 4, "-e")])
    assert director.managed() == serving
    assert daemon.stop() == 0
    daemon.start()
    daemon.look_again()
    assert (daemon.operations(), director.managed()) == ([], serving)
