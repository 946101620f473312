"""The next version takes over from this one, and back, under live connections.

The next one knows more: another command and more facts on the admin socket, another state in its
status, one more field of an order that is kept. So both ways are between versions that differ.
"""

from __future__ import annotations

import pytest

from clusterf import __version__
from tests.frozen import next_version
from tests.frozen.appliance.daemon import FOLDER as STATE
from tests.frozen.appliance.daemon import TABLE, Daemon, program
from tests.frozen.appliance.machine import TOOLS
from tests.frozen.appliance.network import VIP, VIP6, WEB, Site
from tests.frozen.appliance.witness import LIVE, looking_on
from tests.frozen.executables import FOLDER, ONE_FILE

pytestmark = pytest.mark.timeout(300)

CHANGES = {
    "clusterf": (f'"{__version__}"', f'"{next_version.VERSION}"'),
    "clusterf.cli.reload_cmd": ('"reload"', '"reload-slowly"'),
    "clusterf.cli.order": (
        "ask(socket_of(arguments), request)",
        'ask(socket_of(arguments), {**request, "by": "me"})',
    ),
    "clusterf.control.status": (
        'return "serving", ""\n\n    def',
        'return "glowing", "a new state"\n\n    def',
    ),
    "clusterf.engine.orders": ('"reason": reason}', '"reason": reason, "until": None}'),
}
"""What is different in the next version, by module."""

SERVICES = f"""\
[services.echo]
frontend = {{ ipv4 = "{VIP}", tcp = 7 }}
scheduler = "rr"
backends = [
  {{ id = "web-1", address = "{WEB["web1"]}", tcp = 7 }},
  {{ id = "web-2", address = "{WEB["web2"]}", tcp = 7 }},
]
[services.web]
frontend = {{ ipv4 = "{VIP}", tcp = 80 }}
scheduler = "rr"
backends = ["{WEB["web1"]}:80", "{WEB["web2"]}:80"]
"""
ONE_LEAVES = "\n".join(line for line in SERVICES.splitlines() if "web-2" not in line)


@pytest.fixture(scope="module")
def following(site: Site) -> str:
    """The next version, as a folder; its path on the appliance."""
    sources = {}
    for module, (old, new) in CHANGES.items():
        text = next_version.source(module)
        assert text.count(old) == 1, module
        sources[module] = text.replace(old, new)
    made = next_version.make(FOLDER, site.appliance.exchange, sources)
    return f"{TOOLS}/{made.path.relative_to(site.appliance.exchange)}"


def test_it_takes_over_and_gives_back(site: Site, daemon: Daemon, following: str) -> None:
    this = daemon.program = program(ONE_FILE)
    daemon.start()
    daemon.wait_for_vips(VIP, VIP6)
    with looking_on(site) as witness:
        # Both at once is none of it: the second goes, and says why.
        daemon.program = following
        second = daemon.cli("run")
        assert second.returncode == 75
        assert second.stderr.splitlines()[-1] == (
            f"clusterf: another clusterf is running at {STATE}/control.sock"
            " (hint: stop it first: what is in the kernel stays; clusterf status shows it)"
        )
        assert daemon.status()["version"] == __version__
        witness.check_nothing_happened()

        for path, version in ((following, next_version.VERSION), (this, __version__)):
            assert daemon.stop() == 0
            daemon.program = path
            daemon.start()
            assert daemon.status()["version"] == version
            assert daemon.operations() == []
            witness.check_nothing_happened()
            assert (daemon.rules(), daemon.vips()) == (TABLE, {VIP, VIP6})


def test_drains_and_orders_go_on(site: Site, daemon: Daemon, following: str) -> None:
    this = daemon.program

    def ask(path: str, *words: str) -> str:
        """Give a command of that version; what it printed."""
        running, daemon.program = daemon.program, path
        done = daemon.cli(*words)
        daemon.program = running
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def weights() -> list[int]:
        """Of echo: web-1, then web-2 as long as it is there."""
        return [int(line.split()[-1]) for line in daemon.rules() if f"-a -t {VIP}:7" in line]

    daemon.says(SERVICES)
    daemon.start()
    daemon.wait_for_vips(VIP)
    with looking_on(site) as witness:
        # A backend leaves and has connections; an operator drains the other one, with a command of
        # the next version.
        daemon.says(ONE_LEAVES)
        daemon.running.wait_for(f"-e -t {VIP}:7 -r {WEB['web2']}:7 -m -w 0")
        assert "no new connections" in ask(following, "drain", "echo", "web-1")
        daemon.running.wait_for(f"-e -t {VIP}:7 -r {WEB['web1']}:7 -m -w 0")
        assert weights() == [0, 0]
        said = ask(following, "reload")
        assert said == (
            f"clusterf: clusterf {__version__} runs here and does not know 'reload-slowly'"
            " (hint: it is of another version than this command: restart it)\n"
        )
        daemon.stop()
        daemon.program = following
        daemon.start()
        shown = ask(this, "status")
        assert f"clusterf {next_version.VERSION}, up" in shown
        assert f"(this command is of clusterf {__version__})" in shown
        assert "glowing: a new state" in shown
        assert f"draining: {LIVE // 2} active" in shown
        assert "drained by operator" in shown
        assert weights() == [0, 0]

        # Orders that the next version has written are obeyed by this one.
        ask(this, "undrain", "echo", "web-1")
        daemon.running.wait_for(f"-e -t {VIP}:7 -r {WEB['web1']}:7 -m -w 10")
        ask(this, "drain", "echo", "web-1")
        daemon.running.wait_for(f"-e -t {VIP}:7 -r {WEB['web1']}:7 -m -w 0")
        assert '"until": null' in site.appliance.sh(f"cat {STATE}/state/drained.json")
        daemon.stop()
        daemon.program = this
        daemon.start()
        assert weights() == [0, 0]
        witness.check_clients()
        assert witness.writes() == ["SET_DEST"] * 4
        witness.connections.reset()
        daemon.running.wait_for(f"-d -t {VIP}:7 -r {WEB['web2']}:7")
        assert weights() == [0]
        assert witness.writes() == [*["SET_DEST"] * 4, "DEL_DEST"]
