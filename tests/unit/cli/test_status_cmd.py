from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from clusterf import __version__
from clusterf.cli.status_cmd import drawn, duration, lines
from clusterf.control.client import Refused
from tests.strategies import entry, target, tcp
from tests.unit.control.scene import API, AWAY, KERNEL, WEB, Scene

Shown = pytest.CaptureFixture[str]

HEAD = [
    "Prot LocalAddress:Port Scheduler Flags",
    "  -> RemoteAddress:Port                      Forward Weight ActiveConn InActConn",
]

INSTANCE: Mapping[str, Any] = {
    "name": "outputs.kernel",
    "type": "ipvs",
    "state": "running",
    "reason": "",
    "hint": "",
    "bug": False,
    "for": 65.0,
    "retry_in": None,
    "detail": "",
    "problems": [],
    "failing": [],
}
PICTURE: Mapping[str, Any] = {
    "version": "1",
    "uptime": 1.0,
    "configuration": "a.toml",
    "hold": None,
    "tabled": True,
    "reload_problems": [],
    "sources": [],
    "outputs": [],
    "services": [],
    "leaving": [],
    "refusals": [],
}


def page(**facts: Any) -> list[str]:
    return [text for text, _ in lines({**PICTURE, **facts}, whole=True)]


# --- of a running daemon -------------------------------------------------------------------------


async def test_the_table_in_the_columns_of_ipvsadm(scene: Scene, capsys: Shown) -> None:
    async with scene.running():
        scene.kernel.connections[tcp(), target(1)] = 7
        assert await scene.run("status") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    told = shown.out.splitlines()
    assert told[0].startswith(f"clusterf {__version__}, up ")
    assert told[1] == f"configuration {scene.file}"
    assert told[2].split()[:3] == ["services", "static", "finished"]
    assert told[2].endswith(", 1 service, 2 backends")
    assert told[3].split()[:3] == ["outputs.kernel", "model", "running"]
    assert told[4:] == [
        "",
        *HEAD,
        "web",
        "TCP  192.0.2.1:80 wrr",
        "  -> 198.51.100.1:8080                       Masq    4      7          0",
        "  -> 198.51.100.2:8080                       Masq    4      -          -",
    ]


# --- of a daemon of another version --------------------------------------------------------------


def test_the_version_of_the_command_is_told_where_it_is_another() -> None:
    shown = [text for text, _ in drawn(dict(PICTURE), whole=True)]
    assert shown[:2] == ["clusterf 1, up 1s", f"(this command is of clusterf {__version__})"]
    same = {**PICTURE, "version": __version__}
    assert drawn(same, whole=True) == list(lines(same, whole=True))
    assert drawn(dict(PICTURE), whole=False) == list(lines(dict(PICTURE), whole=False))


def test_what_is_not_known_is_shown_by_its_name() -> None:
    row = {"address": "198.51.100.1:80", "method": "fold", "weight": 1, "state": "glowing"}
    row |= {"active": 0, "inactive": 0, "reason": "new"}
    one = {"protocol": "TCP", "address": "192.0.2.1:80", "scheduler": "warp", "persistence": None}
    one |= {"flags": ["x"], "state": "glowing", "reason": "new", "destinations": [row], "more": 1}
    service = {"name": "web", "entries": [one], "failure": None, "refusals": []}
    shown = "\n".join(page(services=[service]))
    assert "warp x [glowing: new]" in shown
    assert " fold " in shown
    assert " glowing: new" in shown


def test_a_picture_that_cannot_be_drawn() -> None:
    with pytest.raises(Refused, match="clusterf 1 runs here, and its status is none") as told:
        drawn({"version": "1"}, whole=True)
    assert "--format json" in told.value.hint
    with pytest.raises(KeyError):
        drawn({"version": __version__}, whole=True)  # that is our bug


def test_a_host_that_only_publishes_has_no_table_to_show() -> None:
    assert set(HEAD) <= set(page())
    assert set(HEAD).isdisjoint(page(tabled=False))


async def test_one_service(scene: Scene, capsys: Shown) -> None:
    scene.write(WEB, API, AWAY, KERNEL)
    async with scene.running():
        assert await scene.run("status", "api") == 0
    assert capsys.readouterr().out.splitlines()[:4] == [*HEAD, "api", "TCP  192.0.2.2:443 wlc"]


async def test_a_service_that_is_not_there_is_refused_with_1(scene: Scene, capsys: Shown) -> None:
    async with scene.running():
        assert await scene.run("status", "wbe", "--format", "json") == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "clusterf: no service wbe (hint: clusterf status lists them)\n"


async def test_json_is_what_the_text_is_made_from(scene: Scene, capsys: Shown) -> None:
    scene.write(WEB, AWAY, AWAY.replace("hosts", "more").replace("away", "refuse"), KERNEL)
    scene.kernel.services = {tcp("192.0.2.9"): entry(1)}
    async with scene.running():
        assert await scene.run("status", "--format", "json") == 0
        picture = json.loads(capsys.readouterr().out)
        assert await scene.run("status") == 0
    text = capsys.readouterr().out.splitlines()
    # The time goes on between the two.
    still = [line for line, _ in lines(picture, whole=True) if " for " not in line][1:]
    assert [line.rstrip() for line in still if "next try" not in line] == [
        line for line in text[1:] if " for " not in line and "next try" not in line
    ]
    assert "removals are on hold: " in "\n".join(text)
    assert "refused: host-7: its address is no address (hint: mend it)" in "\n".join(text)
    assert "leaving (no service claims these any more)" in text


async def test_the_problems_of_a_refused_reload(scene: Scene, capsys: Shown) -> None:
    async with scene.running():
        scene.write(WEB, KERNEL, "look = -1\n")
        assert await scene.run("reload") == 78
        capsys.readouterr()
        assert await scene.run("status") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[2] == "reload refused, everything is as it was:"
    assert told[3].startswith(f"  {scene.file}:")


# --- lines ---------------------------------------------------------------------------------------


def test_an_instance_that_is_down_says_why_and_when_it_tries_again() -> None:
    down = {
        **INSTANCE,
        "state": "down",
        "reason": "no ip_vs",
        "hint": "modprobe ip_vs",
        "retry_in": 2.5,
    }
    found = page(outputs=[down])
    assert found[2] == "outputs.kernel           ipvs       down for 1m5s"
    assert found[3] == "  no ip_vs (hint: modprobe ip_vs), next try in 2s"


def test_an_output_tells_its_detail_its_problems_and_what_fails() -> None:
    failing = [
        {"entry": "tcp 192.0.2.1:80", "error": "no such scheduler (ENOENT)", "hint": "modprobe"},
        {"entry": None, "error": "a sysctl cannot be set", "hint": ""},
    ]
    one = {**INSTANCE, "detail": "7 entries", "problems": ["a sysctl is 0"], "failing": failing}
    assert page(outputs=[one])[2:6] == [
        "outputs.kernel           ipvs       running for 1m5s, 7 entries",
        "  a sysctl is 0",
        "  tcp 192.0.2.1:80: no such scheduler (ENOENT) (hint: modprobe)",
        "  host: a sysctl cannot be set",
    ]


def test_a_source_on_its_last_known_state_says_so() -> None:
    source = {**INSTANCE, "services": 2, "backends": 3, "degraded": "the engine is away"}
    assert page(sources=[source])[2:4] == [
        "outputs.kernel           ipvs       running for 1m5s, 2 services, 3 backends",
        "  on what was last known: the engine is away",
    ]


def test_an_entry_with_everything() -> None:
    row = {
        "protocol": "FWM",
        "address": "7",
        "scheduler": "mh",
        "persistence": {"timeout": 300},
        "flags": ["mh-fallback", "mh-port"],
        "state": "failing",
        "reason": "no such scheduler",
        "destinations": [
            {
                "address": "[2001:db8:2::1]:8080",
                "method": "tunnel",
                "weight": 0,
                "active": 3,
                "inactive": 12,
                "state": "draining",
                "reason": "left the service",
            }
        ],
    }
    refusal = {
        "subject": "backend b1",
        "detail": "it has no address",
        "hint": "mend it",
        "provenance": "sources.x c1",
    }
    service = {
        "name": "web",
        "entries": [row],
        "failure": "policies[0]: failed on service web",
        "refusals": [refusal, {**refusal, "hint": "", "provenance": None}],
    }
    draining = "draining: left the service"
    assert page(services=[service])[-6:] == [
        "web",
        "FWM  7 mh persistent 300 mh-fallback,mh-port [failing: no such scheduler]",
        f"  -> {'[2001:db8:2::1]:8080':<39} Tunnel  0      3          12        {draining}",
        "  left as it was: policies[0]: failed on service web",
        "  refused: backend b1: it has no address (hint: mend it) [sources.x c1]",
        "  refused: backend b1: it has no address",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0ms"),
        (0.85, "850ms"),
        (0.9996, "999ms"),
        (1, "1s"),
        (59.9, "59s"),
        (60, "1m"),
        (192, "3m12s"),
        (3600, "1h"),
        (18200, "5h3m"),
        (86400, "1d"),
        (187200, "2d4h"),
        (86400 + 59, "1d"),
    ],
)
def test_a_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
