"""What is done with the service, in one boot, and what was to be seen after each act.

A start takes some ten seconds on QEMU's processor, so the tests share one life of the service:
they judge what was seen, and take no part in the order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, NamedTuple

from tests.frozen.systemd.guest import ALONE, Guest
from tests.lab.polling import eventually
from tests.lab.process import Completed

CONFIGURATION: Final = "/etc/clusterf/clusterf.toml"
DROP_INS: Final = "/etc/systemd/system/clusterf.service.d"

TABLE: Final = """\
[clusterf]
managed = ["192.0.2.0/24"]

[outputs.kernel]
type = "ipvs"

[services.web]
frontend = { ipv4 = "192.0.2.10", tcp = 80 }
scheduler = "wrr"
weight = 10
backends = ["198.51.100.1:8080", "198.51.100.2:8080"]
"""
CHANGED: Final = TABLE.replace("weight = 10", "weight = 20")
BAD: Final = TABLE.replace('"wrr"', '"wrrr"')
_BAD_LINE: Final = 1 + BAD.splitlines().index('scheduler = "wrrr"')
BAD_PLACE: Final = f"{CONFIGURATION}:{_BAD_LINE}:13"
MORE: Final = f"""{CHANGED}
[outputs.vips]
type = "addresses"
arp = "silent"
sysctls = "set"

[sources.docker]
type = "docker"
"""
"""With an output that sets sysctls, and a Docker that its socket keeps away from us."""

WATCHDOG: Final = 15
"""Seconds, instead of the unit's 30: the test waits for it to pass."""
_SHORTER: Final = f"[Service]\nWatchdogSec={WATCHDOG}s\n"
_ONE_FILE: Final = f"""\
[Service]
NotifyAccess=all
ExecStart=
ExecStart={ALONE} run
"""
AT_BOOT: Final = {CONFIGURATION: TABLE, f"{DROP_INS}/watchdog.conf": _SHORTER}

_PATIENCE = 240.0
_PROPERTIES: Final = (
    *("ActiveState", "SubState", "Result", "MainPID", "NRestarts", "StatusText", "ExecMainStatus"),
    *("ActiveEnterTimestampMonotonic", "WatchdogTimestampMonotonic"),
)


class Line(NamedTuple):
    """Of the journal: a priority of syslog(3) and what was said."""

    priority: int
    text: str


@dataclass(frozen=True)
class Sight:
    """The service at a moment. ``journal`` begins where that of the sight before has ended."""

    table: str
    state: dict[str, str]
    process: dict[str, str]
    journal: list[Line]

    @property
    def said(self) -> str:
        return "\n".join(line.text for line in self.journal)


@dataclass(frozen=True)
class Seen:
    """One sight an act, and what its command gave back."""

    running: str
    modules: str
    sysctls: dict[str, int]
    doctor: Completed
    security: Completed
    boot: Sight
    reload: Completed
    reloaded: Sight
    refusal: Completed
    refused: Sight
    hung: Sight
    killed: Sight
    stopped: Sight
    failure: Completed
    failed: Sight
    one_file: Sight
    children: str
    one_file_sysctl: int
    vip: str
    ended: Sight


def play(guest: Guest) -> Seen:
    """All acts, in the order of the fields of `Seen`."""
    running = guest.run("systemctl is-system-running --wait", check=False, timeout=_PATIENCE).stdout
    boot = look(guest)
    first = {
        "running": running.strip(),
        "modules": guest.says("lsmod"),
        "sysctls": sysctls(guest),
        "doctor": guest.run("clusterf doctor --strict", check=False, timeout=_PATIENCE),
        "security": guest.run(
            "systemd-analyze security --threshold=15 clusterf.service", check=False
        ),
        "boot": boot,
    }
    guest.write(CONFIGURATION, CHANGED)
    reload = guest.run("systemctl reload clusterf", check=False, timeout=_PATIENCE)
    reloaded = look(guest)
    guest.write(CONFIGURATION, BAD)
    refusal = guest.run("systemctl reload clusterf", check=False, timeout=_PATIENCE)
    refused = look(guest)
    guest.write(CONFIGURATION, CHANGED)
    guest.run(f"kill -STOP {refused.state['MainPID']}")
    hung = restarted(guest, 1)
    guest.run("groupadd --system --gid 500 docker && usermod --append --groups docker clusterf")
    guest.run(f"kill -KILL {hung.state['MainPID']}")
    killed = restarted(guest, 2)
    guest.run("systemctl stop clusterf")
    stopped = look(guest)
    guest.write(CONFIGURATION, BAD)
    failure = guest.run("systemctl start clusterf", check=False, timeout=_PATIENCE)
    failed = look(guest)
    guest.write(CONFIGURATION, MORE)
    guest.write(f"{DROP_INS}/one-file.conf", _ONE_FILE)
    guest.run("systemd-run --quiet systemd-socket-activate --listen=/run/docker.sock true")
    guest.run("systemctl daemon-reload && systemctl start clusterf", timeout=_PATIENCE)
    one_file = with_beat(guest)
    children = guest.says(f"cat /proc/{one_file.state['MainPID']}/task/*/children")
    last = {
        "children": guest.says(f"readlink /proc/{children.strip()}/exe"),
        "one_file_sysctl": int(guest.says("cat /proc/sys/net/ipv4/conf/all/arp_ignore")),
        "vip": guest.says("ip -brief address show dev lo"),
    }
    guest.run("systemctl stop clusterf")
    return Seen(
        **first,
        reload=reload,
        reloaded=reloaded,
        refusal=refusal,
        refused=refused,
        hung=hung,
        killed=killed,
        stopped=stopped,
        failure=failure,
        failed=failed,
        one_file=one_file,
        **last,
        ended=look(guest),
    )


def look(guest: Guest) -> Sight:
    """What there is to be seen now."""
    properties = " ".join(f"-p {name}" for name in _PROPERTIES)
    table, shown, process, journal = guest.says(
        f"cat /proc/net/ip_vs; echo @@; systemctl show clusterf {properties}; echo @@;"
        " cat /proc/$(systemctl show clusterf -p MainPID --value)/status 2> /dev/null; echo @@;"
        " journalctl -u clusterf --cursor-file=/run/lab-cursor -o json"
        " --output-fields=MESSAGE,PRIORITY --no-pager"
    ).split("@@")
    entries = [json.loads(line) for line in journal.strip().splitlines()]
    return Sight(
        table=table.strip(),
        state=dict(line.split("=", 1) for line in shown.strip().splitlines()),
        process={
            name: value.strip()
            for name, _, value in (line.partition(":") for line in process.strip().splitlines())
        },
        journal=[Line(int(entry["PRIORITY"]), entry["MESSAGE"]) for entry in entries],
    )


def restarted(guest: Guest, number: int) -> Sight:
    """The service, once it has been restarted so many times and is ready again."""

    def again() -> bool:
        shown = guest.says("systemctl show clusterf -p NRestarts -p ActiveState")
        return shown.split() == [f"NRestarts={number}", "ActiveState=active"]

    eventually(again, f"restart {number}", within=_PATIENCE, every=1)
    return look(guest)


def with_beat(guest: Guest) -> Sight:
    """The service, once its watchdog has heard of it after it became ready."""

    def heard() -> bool:
        asked = "-p ActiveEnterTimestampMonotonic -p WatchdogTimestampMonotonic --value"
        ready, beat = map(int, guest.says(f"systemctl show clusterf {asked}").split())
        return beat > ready

    eventually(heard, "a beat", within=_PATIENCE, every=1)
    return look(guest)


def sysctls(guest: Guest) -> dict[str, int]:
    """Those that packaging/systemd/sysctl.conf sets, as they are."""
    names = ("ipv4/ip_forward", "ipv4/vs/expire_nodest_conn", "ipv4/vs/expire_quiescent_template")
    values = guest.says(f"cd /proc/sys/net && cat {' '.join(names)} ipv4/conf/all/rp_filter")
    return dict(zip((*names, "ipv4/conf/all/rp_filter"), map(int, values.split()), strict=True))
