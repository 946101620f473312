"""The lab's etcd itself: what other tests rely on."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path

import pytest

from tests.etcd import server
from tests.etcd.server import Cluster
from tests.lab.certificates import Certificates

pytestmark = pytest.mark.etcd


def test_data_outlives_every_way_to_end(etcd: Cluster) -> None:
    [member] = etcd.members
    etcd.put("a", "1")
    for end in (member.kill, member.stop):
        pid = member.pid
        end()
        assert not member.running
        assert not Path("/proc", str(pid)).exists()
        member.start()
        assert etcd.get("a") == "1"
    etcd.delete("a")
    assert etcd.get("a") is None


def test_nothing_is_left_behind() -> None:
    with Cluster() as made:
        pid, directory = made.members[0].pid, made.directory
        made.members[0].freeze()
    assert not Path("/proc", str(pid)).exists()
    assert not directory.exists()


def test_three_members_are_one_store_and_elect_anew(three: Cluster) -> None:
    three.put("a", "1")
    leader = three.leader()
    leader.kill()
    assert three.leader() is not leader
    assert three.get("a") == "1"
    leader.start()
    three.wait_healthy()
    frozen = three.leader()
    frozen.freeze()
    assert three.leader(without=frozen) is not frozen
    frozen.thaw()
    three.wait_healthy()


@pytest.mark.parametrize("size", [1, 3])
def test_a_backup_turns_the_store_back(size: int) -> None:
    with Cluster(size) as etcd:
        etcd.put("a", "1")
        backup = etcd.save()
        etcd.put("a", "2")
        etcd.restore(backup)
        assert etcd.get("a") == "1"
        etcd.restart()
        assert etcd.get("a") == "1"


def test_users_are_asked_for_passwords(etcd: Cluster) -> None:
    etcd.enable_auth()
    etcd.add_user("u", "p", "/clusterf", "read")
    etcd.put("/clusterf/a", "1")
    assert etcd.ctl("get", "/clusterf/a", user="u:p").stdout == "/clusterf/a\n1\n"
    for user in ("u:wrong", "nobody:p"):
        assert etcd.ctl("get", "/clusterf/a", user=user, check=False).returncode != 0
    assert etcd.ctl("put", "/clusterf/a", "2", user="u:p", check=False).returncode != 0
    etcd.disable_auth()
    assert etcd.get("/clusterf/a") == "1"


def test_over_tls(authority: Certificates) -> None:
    with Cluster(tls=authority) as etcd:
        assert etcd.endpoints[0].startswith("https://")
        etcd.put("a", "1")
        assert etcd.get("a") == "1"


def test_the_second_version_of_the_api() -> None:
    with Cluster(options=["--enable-v2"]) as etcd:
        url = f"{etcd.endpoints[0]}/v2/keys/clusterf/services/web/frontend"
        request = urllib.request.Request(url, b"value=%7B%7D", method="PUT")  # noqa: S310 - http
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            assert json.load(answer)["node"]["value"] == "{}"


def test_without_etcd_a_test_is_skipped_and_in_ci_it_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert server.missing() is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "etcd, etcdctl" in str(server.missing())
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no etcd: etcd, etcdctl"):
        server.require()
    monkeypatch.setitem(os.environ, "CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no etcd"):
        server.require()
