"""Drift: what others change behind our back is repaired, with the fewest writes that do it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from tests.lab.promises.background import Background
from tests.lab.promises.daemon import Daemon, configuration
from tests.lab.promises.servers import ask_name
from tests.lab.promises.stage import PATIENCE, VIP, VIP6, WEB, WEB6, World

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

TUN, MH, DNS = "198.51.100.3:80", "198.51.100.4:80", "198.51.100.5:53"
STICKY = 'persistence = { timeout = "5m", netmask = "255.255.255.0" }'
SERVICES = f"""\
[services.web]
frontend = {{ ipv4 = "{VIP}", ipv6 = "{VIP6}", tcp = 80 }}
scheduler = "wrr"
{STICKY}
upper_threshold = 50
lower_threshold = 10
backends = [
  {{ ipv4 = "{WEB["web1"]}", ipv6 = "{WEB6["web1"]}", tcp = 80, weight = 5 }},
  {{ ipv4 = "{WEB["web2"]}", ipv6 = "{WEB6["web2"]}", tcp = 80, weight = 6 }},
]

[services.tun]
frontend = {{ ipv4 = "198.51.100.3", tcp = 80 }}
scheduler = "lc"
method = "tunnel"
tunnel = {{ type = "gue", port = 6080 }}
backends = ["203.0.113.50:80"]

[services.hash]
frontend = {{ ipv4 = "198.51.100.4", tcp = 80 }}
scheduler = "mh"
flags = ["mh-port"]
backends = ["203.0.113.51:80", "203.0.113.52:8080"]

[services.dns]
frontend = {{ ipv4 = "198.51.100.5", udp = 53 }}
scheduler = "rr"
flags = ["ops"]
backends = ["203.0.113.53:53"]

[services.marked]
frontend = {{ fwmark = 7 }}
scheduler = "rr"
backends = ["203.0.113.54:80"]
"""
WEB4 = f"-t {VIP}:80"
TABLE = [
    f"-A {WEB4} -s wrr -p 300 -M 255.255.255.0",
    f"-a {WEB4} -r {WEB['web1']}:80 -m -w 5 -x 50 -y 10",
    f"-a {WEB4} -r {WEB['web2']}:80 -m -w 6 -x 50 -y 10",
    f"-A -t {TUN} -s lc",
    f"-a -t {TUN} -r 203.0.113.50:80 -i --tun-type gue --tun-port 6080 --tun-nocsum -w 10",
    f"-A -t {MH} -s mh -b mh-fallback,mh-port",
    f"-a -t {MH} -r 203.0.113.51:80 -m -w 10",
    f"-a -t {MH} -r 203.0.113.52:8080 -m -w 10",
    f"-A -u {DNS} -s rr -o",
    f"-a -u {DNS} -r 203.0.113.53:53 -m -w 10",
    f"-A -t [{VIP6}]:80 -s wrr -p 300",
    f"-a -t [{VIP6}]:80 -r [{WEB6['web1']}]:80 -m -w 5 -x 50 -y 10",
    f"-a -t [{VIP6}]:80 -r [{WEB6['web2']}]:80 -m -w 6 -x 50 -y 10",
    "-A -f 7 -s rr",
    "-a -f 7 -r 203.0.113.54:80 -m -w 10",
]
"""The managed table in clusterf's words, which are ipvsadm's; it is held against the kernel's."""

FIRST = f"{WEB4} -r {WEB['web1']}:80"
MEND_FIRST = f"-e {FIRST} -m -w 5 -x 50 -y 10"
MEND_WEB = f"-E {WEB4} -s wrr -p 300 -M 255.255.255.0"
MEND_TUN = f"-e -t {TUN} -r 203.0.113.50:80 -i --tun-type gue --tun-port 6080 --tun-nocsum -w 10"
MEND_MH = f"-E -t {MH} -s mh -b mh-fallback,mh-port"
EXTRA = "203.0.113.99:80"
TUN_EDIT = f"-e -t {TUN} -r 203.0.113.50:80 -i -w 10"

DRIFTS = {
    "missing destination": ([f"-d {FIRST}"], [f"-a{MEND_FIRST[2:]}"]),
    "missing service": ([f"-D -t [{VIP6}]:80"], TABLE[10:13]),
    "missing service of mh": ([f"-D -t {MH}"], TABLE[5:8]),
    "missing service for a mark": (["-D -f 7"], TABLE[13:15]),
    "extra destination": (
        [f"-a {WEB4} -r {EXTRA} -m -w 3"],
        [f"-e {WEB4} -r {EXTRA} -m -w 0", f"-d {WEB4} -r {EXTRA}"],
    ),
    "extra quiesced destination": (
        [f"-a {WEB4} -r {EXTRA} -g -w 0"],
        [f"-d {WEB4} -r {EXTRA}"],
    ),
    "extra destination of udp": ([f"-a -u {DNS} -r {EXTRA} -m -w 3"], [f"-d -u {DNS} -r {EXTRA}"]),
    "extra service": (
        ["-A -t 198.51.100.9:81 -s rr", f"-a -t 198.51.100.9:81 -r {EXTRA} -m -w 1"],
        [f"-e -t 198.51.100.9:81 -r {EXTRA} -m -w 0", "-D -t 198.51.100.9:81"],
    ),
    "extra empty service": (["-A -t [2001:db8:3::9]:81 -s rr"], ["-D -t [2001:db8:3::9]:81"]),
    "extra service for a mark": (["-A -f 8 -s rr"], ["-D -f 8"]),
    "scheduler": ([f"-E {WEB4} -s rr -p 300 -M 255.255.255.0"], [MEND_WEB]),
    "flags": ([f"-E -t {MH} -s mh -b mh-port"], [MEND_MH]),
    "one-packet": ([f"-E -u {DNS} -s rr"], [f"-E -u {DNS} -s rr -o"]),
    "persistence gone": ([f"-E {WEB4} -s wrr"], [MEND_WEB]),
    "persistence timeout": ([f"-E {WEB4} -s wrr -p 60 -M 255.255.255.0"], [MEND_WEB]),
    "persistence netmask": ([f"-E {WEB4} -s wrr -p 300 -M 255.255.0.0"], [MEND_WEB]),
    "persistence netmask of ipv6": (
        [f"-E -t [{VIP6}]:80 -s wrr -p 300 -M 64"],
        [f"-E -t [{VIP6}]:80 -s wrr -p 300"],
    ),
    "weight": ([f"-e {FIRST} -m -w 500 -x 50 -y 10"], [MEND_FIRST]),
    "weight 0": ([f"-e {FIRST} -m -w 0 -x 50 -y 10"], [MEND_FIRST]),
    "method": ([f"-e {FIRST} -g -w 5 -x 50 -y 10"], [MEND_FIRST]),
    "upper threshold": ([f"-e {FIRST} -m -w 5 -x 60 -y 10"], [MEND_FIRST]),
    "lower threshold": ([f"-e {FIRST} -m -w 5 -x 50 -y 20"], [MEND_FIRST]),
    "tunnel type": ([f"{TUN_EDIT} --tun-type gre"], [MEND_TUN]),
    "tunnel port": ([f"{TUN_EDIT} --tun-type gue --tun-port 6081"], [MEND_TUN]),
    "tunnel flags": ([f"{TUN_EDIT} --tun-type gue --tun-port 6080 --tun-remcsum"], [MEND_TUN]),
}


@pytest.fixture
def running(shared: Daemon) -> Daemon:
    """All kinds of services in the kernel; it looks for drift five times a second."""
    shared.restore(configuration(look="200ms"), services=SERVICES)
    return shared


def _as_ipvsadm(line: str) -> str:
    """``ipvsadm -S`` has the weight before the tunnel, and the thresholds are put last."""
    words = line.split(" ")
    if "--tun-type" in words:
        weight = words.index("-w")
        tunnel = slice(words.index("-i") + 1, weight)
        return " ".join([*words[: tunnel.start], *words[weight:], *words[tunnel]])
    return line


IN_KERNEL = sorted(_as_ipvsadm(line) for line in TABLE)


@pytest.mark.parametrize("kind", DRIFTS)
def test_drift_is_repaired_with_what_it_takes(running: Daemon, kind: str) -> None:
    changes, repairs = DRIFTS[kind]
    director = running.director
    done, failed = running.done()
    director.load("\n".join(changes) + "\n")
    running.wait_for_operations(repairs)
    assert running.done() == (done + len(repairs), failed)
    assert sorted(director.managed()) == IN_KERNEL
    director.check_foreign()


def test_drift_in_several_places_is_repaired_together(running: Daemon) -> None:
    changes = [f"-d {FIRST}", f"-D -t {TUN}", "-A -f 8 -s rr", f"-E -u {DNS} -s rr"]
    repairs = [f"-a{MEND_FIRST[2:]}", *TABLE[3:5], "-D -f 8", f"-E -u {DNS} -s rr -o"]
    running.director.load("\n".join(changes) + "\n")
    running.wait_for_operations(repairs, in_order=False)
    assert sorted(running.director.managed()) == IN_KERNEL
    running.director.check_foreign()


def test_a_flush_under_load_is_repaired(running: Daemon, world: World) -> None:
    """It empties the table of the strangers too; theirs is not ours to bring back."""
    # Every request leaves a connection behind for two minutes, and would meet the thresholds.
    running.restore(
        configuration(look="200ms"),
        services=SERVICES.replace(STICKY, "")
        .replace("upper_threshold = 50", "")
        .replace("lower_threshold = 10", ""),
    )
    answers: list[tuple[float, str]] = []
    answered = threading.Condition()
    director = running.director

    def load(stopped: Callable[[], bool]) -> None:
        while not stopped():
            begun = time.monotonic()
            try:
                answer = ask_name(world.client, VIP, timeout=2)
            except OSError as error:
                answer = str(error)
            with answered:
                answers.append((begun, answer))
                answered.notify_all()

    def since(moment: float) -> list[str]:
        return [answer for begun, answer in answers if begun > moment]

    def wait_for_answers(enough: Callable[[], bool]) -> None:
        with answered:
            assert answered.wait_for(enough, PATIENCE), answers

    load_thread = Background(load)
    try:
        wait_for_answers(lambda: {"web1", "web2"} <= {*since(0)})
        director.ipvsadm("-C")
        running.settle()
        director.wait_for_rules(len, "something is there again")
        running.look_again()
        repaired = time.monotonic()
        wait_for_answers(lambda: len(since(repaired)) >= 5)
        gone = director.foreign()
    finally:
        load_thread.end()
        director.load_foreign()
    assert {*since(repaired)} <= {"web1", "web2"}, director.table()
    done = running.operations()
    table = [
        line.replace(" -p 300 -M 255.255.255.0", "").replace(" -p 300", "")
        for line in (line.removesuffix(" -x 50 -y 10") for line in TABLE)
    ]
    assert sorted(done) == sorted(table), "each entry was made once, and nothing else was done"
    assert sorted(director.managed()) == sorted(map(_as_ipvsadm, table))
    assert gone == []
