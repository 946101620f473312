"""Everything that IPVS can be told, from one file; and ``clusterf plan`` in ipvsadm's words."""

from __future__ import annotations

import json
import socket

import pytest

from tests.lab.promises.daemon import Daemon
from tests.lab.promises.servers import sockets_in
from tests.lab.promises.stage import VIP, VIP6, World

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

SERVICES = f"""\
[services.tcp]
frontend = {{ ipv4 = "{VIP}", ipv6 = "{VIP6}", tcp = 80, udp = 80, sctp = 80 }}
scheduler = "wrr"
backends = [
  {{ ipv4 = "203.0.113.11", ipv6 = "2001:db8:2::11", port = 8080, weight = 7 }},
  {{ ipv4 = "203.0.113.12", ipv6 = "2001:db8:2::12", port = 8081, weight = 0 }},
]

[services.sticky]
frontends = [{{ ipv4 = "198.51.100.2", tcp = 443 }}, {{ ipv6 = "2001:db8:3::2", tcp = 443 }}]
scheduler = "sed"
persistence = {{ timeout = "10m", netmask = "255.255.255.0", netmask6 = 64 }}
backends = [{{ ipv4 = "203.0.113.13", ipv6 = "2001:db8:2::13", tcp = 443 }}]

[services.all-ports]
frontend = {{ ipv4 = "198.51.100.2", tcp = 0 }}
scheduler = "nq"
persistence = "1m"
method = "droute"
backends = ["203.0.113.14:1"]

[services.limits]
frontend = {{ ipv4 = "198.51.100.2", tcp = 25 }}
scheduler = "lc"
backends = [
  {{ address = "203.0.113.15", tcp = 25, upper_threshold = 100, lower_threshold = 20 }},
  {{ address = "203.0.113.16", tcp = 25, upper_threshold = 50 }},
]

[services.hash]
frontend = {{ ipv4 = "198.51.100.3", tcp = 80 }}
scheduler = "mh"
flags = ["mh-port"]
backends = ["203.0.113.17:80", {{ address = "203.0.113.18", tcp = 80, weight = 0 }}]

[services.source-hash]
frontend = {{ ipv4 = "198.51.100.3", tcp = 81 }}
scheduler = "sh"
flags = ["sh-port"]
backends = ["203.0.113.17:80"]

[services.dns]
frontend = {{ ipv4 = "198.51.100.3", udp = 53 }}
scheduler = "rr"
flags = ["ops"]
backends = ["203.0.113.19:53"]

[services.route]
frontend = {{ ipv4 = "198.51.100.4", tcp = 80 }}
scheduler = "wlc"
method = "droute"
backends = ["203.0.113.20:80"]

[services.tunnels]
frontend = {{ ipv4 = "198.51.100.5", tcp = 80 }}
scheduler = "lblc"
method = "tunnel"
backends = [
  "203.0.113.21:80",
  "[2001:db8:2::21]:80",
  {{ address = "203.0.113.22", tcp = 80, tunnel = {{ type = "gue", port = 6080 }} }},
  {{ ipv4 = "203.0.113.23", tcp = 80, tunnel = {{ type = "gue", port = 6, flags = "remcsum" }} }},
  {{ address = "203.0.113.24", tcp = 80, tunnel = {{ type = "gre", flags = "csum" }} }},
]

[services.marked]
frontends = [{{ fwmark = 7 }}, {{ fwmark = 8, family = "inet6" }}]
scheduler = "lblcr"
backends = [{{ ipv4 = "203.0.113.25", ipv6 = "2001:db8:2::25", tcp = 80 }}]

[services.others]
frontends = [
  {{ ipv4 = "198.51.100.6", tcp = 1 }},
]
scheduler = "dh"
backends = ["203.0.113.26:1"]

[services.fo]
frontend = {{ ipv4 = "198.51.100.6", tcp = 2 }}
scheduler = "fo"
backends = ["203.0.113.26:1"]

[services.ovf]
frontend = {{ ipv4 = "198.51.100.6", tcp = 3 }}
scheduler = "ovf"
backends = []
"""


def _comparable(line: str) -> str:
    """A line as words in an order of their own: where an option stands makes no difference."""
    words = line.split()
    options, index = [], 3
    while index < len(words):
        takes = index + 1 < len(words) and not words[index + 1].startswith("-")
        options.append(" ".join(words[index : index + 1 + takes]))
        index += 1 + takes
    return " ".join([*words[:3], *sorted(options)])


def _comparables(lines: list[str]) -> list[str]:
    return sorted(map(_comparable, lines))


def test_the_kernel_has_what_plan_said(daemon: Daemon) -> None:
    director = daemon.director
    director.load_foreign()
    daemon.configure(services=SERVICES)
    planned = daemon.cli("plan", "--format", "json")
    assert planned.returncode == 2, planned.stderr
    plan = json.loads(planned.stdout)
    assert (plan["hold"], plan["refusals"]) == (None, [])
    wanted = [one["operation"] for one in plan["operations"]]
    assert {one["output"] for one in plan["operations"]} == {"outputs.kernel"}
    assert director.managed() == [], "plan changes nothing"

    applied = daemon.cli("run", "--once")
    assert applied.returncode == 0, applied.stderr
    table = director.managed()
    assert _comparables(table) == _comparables(wanted)
    tunnel = "-a -t 198.51.100.5:80 -r"
    for line in (
        f"-A -t {VIP}:80 -s wrr",
        f"-A -u [{VIP6}]:80 -s wrr",
        f"-A --sctp-service {VIP}:80 -s wrr",
        f"-a --sctp-service [{VIP6}]:80 -r [2001:db8:2::11]:8080 -m -w 7",
        f"-a -t {VIP}:80 -r 203.0.113.12:8081 -m -w 0",
        "-A -t 198.51.100.2:443 -s sed -p 600 -M 255.255.255.0",
        "-A -t [2001:db8:3::2]:443 -s sed -p 600 -M 64",
        "-A -t 198.51.100.2:0 -s nq -p 60",
        "-a -t 198.51.100.2:25 -r 203.0.113.15:25 -m -w 10 -x 100 -y 20",
        "-a -t 198.51.100.2:25 -r 203.0.113.16:25 -m -w 10 -x 50",
        "-A -t 198.51.100.3:80 -s mh -b mh-fallback,mh-port",
        "-A -t 198.51.100.3:81 -s sh -b sh-fallback,sh-port",
        "-A -u 198.51.100.3:53 -s rr -o",
        "-a -t 198.51.100.4:80 -r 203.0.113.20:80 -g -w 10",
        "-a -t 198.51.100.5:80 -r [2001:db8:2::21]:80 -i -w 10 --tun-type ipip",
        f"{tunnel} 203.0.113.22:80 -i -w 10 --tun-type gue --tun-port 6080 --tun-nocsum",
        f"{tunnel} 203.0.113.23:80 -i -w 10 --tun-type gue --tun-port 6 --tun-remcsum",
        f"{tunnel} 203.0.113.24:80 -i -w 10 --tun-type gre --tun-csum",
        "-a -f 7 -r 203.0.113.25:80 -m -w 10",
        "-a -f 8 -6 -r [2001:db8:2::25]:80 -m -w 10",
        "-A -t 198.51.100.6:3 -s ovf",
    ):
        assert _comparable(line) in _comparables(table), line

    director.check_foreign()

    nothing = daemon.cli("plan")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "nothing to do\n", "")
    again = daemon.cli("run", "--once")
    assert again.returncode == 0
    assert "applied operations=0 failed=0 complete=true" in again.stderr

    director.load(
        f"-e -t {VIP}:80 -r 203.0.113.11:8080 -m -w 9\n-A -t 198.51.100.9:9 -s rr\n"
        "-E -t 198.51.100.3:80 -s mh\n"
    )
    drifted = daemon.cli("plan")
    assert drifted.returncode == 2
    lines = drifted.stdout.splitlines()
    assert lines[-1] == "3 operations"
    edit = f"outputs.kernel: -e -t {VIP}:80 -r 203.0.113.11:8080 -m -w 7  # weight 9 -> 7; "
    assert [line for line in lines if line.startswith(edit)]
    assert (
        "outputs.kernel: -E -t 198.51.100.3:80 -s mh -b mh-fallback,mh-port"
        "  # flags none -> mh-fallback,mh-port"
    ) in lines
    assert ("outputs.kernel: -D -t 198.51.100.9:9  # no service claims it any more") in lines


def test_run_once_tells_what_was_left_undone(daemon: Daemon) -> None:
    """A kernel that refuses one thing, and a source that says nothing: 75 each, the rest done."""
    daemon.configure(
        good='[services.good]\nfrontend = { ipv4 = "198.51.100.1", tcp = 80 }\nscheduler = "twos"\n'
        '[services.rest]\nfrontend = { ipv4 = "198.51.100.1", tcp = 81 }\nscheduler = "rr"\n'
    )
    refused = daemon.cli("run", "--once")
    assert refused.returncode == 75
    assert "scheduler twos is not available" in refused.stderr
    assert daemon.director.managed() == ["-A -t 198.51.100.1:81 -s rr"]

    daemon.services.rename(daemon.folder / "aside")
    silent = daemon.cli("run", "--once")
    assert silent.returncode == 75
    assert daemon.director.managed() == ["-A -t 198.51.100.1:81 -s rr"]


def test_a_destination_of_udp_goes_at_once(daemon: Daemon, world: World) -> None:
    """Its connections cannot be counted, and a steady sender would keep it for ever."""
    two = """\
[services.dns]
frontend = { ipv4 = "198.51.100.1", udp = 53 }
scheduler = "rr"
backends = ["203.0.113.11:53", "203.0.113.12:53"]
"""
    daemon.configure(dns=two)
    daemon.start()
    for sender in sockets_in(world.client, 4, kind=socket.SOCK_DGRAM):
        with sender:
            sender.sendto(b"hello", (VIP, 53))
    daemon.wait(lambda _: all(row["inactive"] for row in _rows(daemon)), "both get packets")
    daemon.operations()
    daemon.put("dns.toml", two.replace(', "203.0.113.12:53"', ""))
    daemon.wait_for_operations([f"-d -u {VIP}:53 -r 203.0.113.12:53"])


def _rows(daemon: Daemon) -> list[dict[str, int]]:
    rows: list[dict[str, int]] = daemon.service("dns")["entries"][0]["destinations"]
    return rows
