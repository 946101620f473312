"""The operator's commands against a running clusterf, and how each of them ends."""

from __future__ import annotations

import json
import os
import socket

import pytest

from tests.lab.promises.daemon import Daemon, configuration
from tests.lab.promises.stage import VIP, WEB, WEB_SERVICE

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


def test_what_cannot_be_done_is_refused_with_its_code(shared: Daemon) -> None:
    shared.restore(web=WEB_SERVICE)
    unknown = shared.cli("drain", "wbe")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == "clusterf: no service wbe (hint: clusterf status lists them)\n"
    backend = shared.cli("drain", "web", "web")
    assert backend.returncode == 1
    assert "its backends: web-1, web-2" in backend.stderr
    never = shared.cli("undrain", "web")
    assert never.returncode == 1
    assert "service web is not drained by an operator" in never.stderr
    nothing = shared.cli("status", "wbe")
    assert nothing.returncode == 1
    shared.file.write_text(configuration(kernel="look = -1"), encoding="utf-8")
    assert shared.cli("reload").returncode == 78
    assert shared.cli("plan").returncode == 78
    assert shared.cli("status", "--nonsense").returncode == 2
    shared.look_again()
    assert shared.operations() == []
    shared.configure()
    elsewhere = str(shared.folder / "nobody.sock")
    silent = shared.cli("status", "--socket", elsewhere)
    assert silent.returncode == 69
    assert f"no clusterf is running at {elsewhere}" in silent.stderr


def test_a_second_one_on_the_same_socket_is_refused(shared: Daemon) -> None:
    shared.restore(web=WEB_SERVICE)
    second = shared.cli("run")
    assert second.returncode == 75
    assert f"another clusterf is running at {shared.socket}" in second.stderr
    assert shared.status()["services"], "the first one answers as before"
    shared.look_again()
    assert shared.operations() == []


def test_status_prints_the_table_of_ipvsadm(shared: Daemon) -> None:
    shared.restore(web=WEB_SERVICE.replace('"web-2"', '"web-3"'))
    shown = shared.cli("status")
    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    assert f"TCP  {VIP}:80 wrr" in lines
    row = next(line for line in lines if f"{WEB['web1']}:80" in line)
    assert row.split() == ["->", f"{WEB['web1']}:80", "Masq", "4", "0", "0"]
    picture = json.loads(shared.cli("status", "web", "--format", "json").stdout)
    assert [one["name"] for one in picture["services"]] == ["web"]


def test_the_control_socket_takes_whatever_comes(shared: Daemon) -> None:
    """Nonsense gets an answer, the daemon lives, and nobody but the owner may ask."""
    shared.restore(web=WEB_SERVICE)
    assert os.stat(shared.socket).st_mode & 0o077 == 0  # noqa: PTH116 # its mode alone
    for request in (b"\xff\xfe\n", b"[]\n", b"{}\n", b'{"command": "drain"}\n', b"9" * 70000):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(20)
            client.connect(str(shared.socket))
            client.sendall(request)
            assert b'"error"' in client.recv(4096)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(shared.socket))
        client.sendall(b'{"command": "status"}\n')
    assert shared.status()["services"]
    assert "bug=true" not in shared.log


def test_check_finds_nothing_wrong_here(shared: Daemon) -> None:
    """With its world: the kernel is there. And it changes nothing, not even for the daemon."""
    shared.restore(web=WEB_SERVICE)
    checked = shared.cli("check", "--format", "json")
    problems = json.loads(checked.stdout)
    assert checked.returncode == 0
    assert [one for one in problems if one["severity"] == "error"] == []
    shared.put("web.toml", WEB_SERVICE.replace("wrr", "wrrr"))
    wrong = shared.cli("check")
    assert wrong.returncode == 78
    assert "web.toml:3:13: error[C104]: services.web.scheduler" in wrong.stdout
    assert "Traceback" not in wrong.stderr
