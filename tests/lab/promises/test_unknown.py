"""Unknown is not empty: what a silent source may own is not removed, and it is said why."""

from __future__ import annotations

import pytest

from tests.lab.promises.daemon import Daemon, configuration
from tests.lab.promises.stage import VIP, WEB

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

SILENT = """
[sources.silent]
type = "docker"
host = "unix:///nowhere/docker.sock"
startup_error = "retry"
"""
WEB_RULES = [
    f"-A -t {VIP}:80 -s wlc",
    *(f"-a -t {VIP}:80 -r {WEB[name]}:80 -m -w 10" for name in ("web1", "web2")),
]
SERVICES = f"""\
[services.web]
frontend = {{ ipv4 = "{VIP}", tcp = 80 }}
backends = ["{WEB["web1"]}:80", "{WEB["web2"]}:80"]
"""
LEFT_BEHIND = [
    "-A -t 198.51.100.9:80 -s rr",
    "-a -t 198.51.100.9:80 -r 203.0.113.90:80 -m -w 4",
]
STRAY = f"-a -t {VIP}:80 -r 203.0.113.91:80 -m -w 5"


def test_a_silent_source_holds_removals_but_not_those_that_are_certain(daemon: Daemon) -> None:
    director = daemon.director
    director.load("\n".join([*LEFT_BEHIND, *WEB_RULES, STRAY]) + "\n")
    daemon.configure(configuration(rest=SILENT), services=SERVICES)
    daemon.start(settled=False)
    daemon.look_again()
    everything = sorted([*LEFT_BEHIND, *WEB_RULES, STRAY])
    assert (daemon.operations(), sorted(director.managed())) == ([], everything)

    picture = daemon.status()
    assert picture["hold"] == "sources.silent has not spoken yet"
    silent = daemon.source("sources.silent")
    assert (silent["state"], silent["spoken"]) == ("down", False)
    assert "/nowhere/docker.sock" in silent["reason"]
    assert silent["retry_in"] is not None
    (leaving,) = picture["leaving"]
    assert (leaving["key"], leaving["reason"]) == ("tcp 198.51.100.9:80", picture["hold"])
    (web,) = daemon.service("web")["entries"]
    held = {row["address"]: (row["state"], row["reason"]) for row in web["destinations"]}
    assert held["203.0.113.91:80"] == ("held", f"would be removed, but {picture['hold']}")
    assert daemon.kernel()["held"] == 2

    # What this run has seen leave is no matter of doubt.
    daemon.put("services.toml", SERVICES.replace(f', "{WEB["web2"]}:80"', ""))
    gone = f"-t {VIP}:80 -r {WEB['web2']}:80"
    daemon.wait_for_operations([f"-e {gone} -m -w 0", f"-d {gone}"])
    assert sorted(director.managed()) == [line for line in everything if gone not in line]

    # Nor is anything once the silent one is gone from the configuration.
    daemon.configure()
    daemon.reload()
    daemon.settle()
    assert director.managed() == WEB_RULES[:2]


def test_a_start_without_the_files_removes_nothing(daemon: Daemon) -> None:
    director = daemon.director
    daemon.configure(services=SERVICES)
    daemon.start()
    assert director.managed() == WEB_RULES
    assert daemon.stop() == 0
    aside = daemon.services.rename(daemon.folder / "aside")

    daemon.start(settled=False)
    picture = daemon.wait(lambda status: status["hold"], "hold is told")
    assert picture["hold"] == "sources.files has not spoken yet"
    files = daemon.source()
    assert (files["state"], files["reason"]) == (
        "down",
        f"{daemon.services}: no such file or directory",
    )
    daemon.look_again()
    assert (daemon.operations(), director.managed()) == ([], WEB_RULES)

    aside.rename(daemon.services)
    daemon.settle()
    daemon.look_again()
    assert (daemon.operations(), director.managed()) == ([], WEB_RULES)

    # The files vanish while it runs: their last content holds.
    daemon.services.rename(aside)
    daemon.wait(lambda status: status["sources"][0]["state"] == "down", "the loss is told")
    daemon.look_again()
    assert (daemon.operations(), director.managed()) == ([], WEB_RULES)
