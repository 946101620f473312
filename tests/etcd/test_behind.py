"""A reader that is far too slow: etcd goes on without it, and forgets what it has not read."""

from __future__ import annotations

import http.client
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from clusterf.control.client import ask
from clusterf_etcd import wire
from tests.etcd.server import Cluster
from tests.lab.polling import eventually
from tests.lab.process import LocalProcess

pytestmark = pytest.mark.etcd

WEB = "/clusterf/services/web"
BACKENDS = range(1, 11)
REVISIONS = 5000
"""Each changes all backends. A watch holds 1024 messages, and connections some megabytes."""


@pytest.fixture
def reader(etcd: Cluster) -> Iterator[LocalProcess]:
    """It follows etcd and has no kernel. Its admin socket is in ``etcd.directory``."""
    file = etcd.directory / "clusterf.toml"
    file.write_text(f"""
[clusterf]
managed = ["192.0.2.0/24"]
state_dir = "state"
control = "control.sock"

[defaults]
method = "masq"

[sources.cluster]
type = "etcd"
endpoints = ["{etcd.endpoints[0]}"]
grace = "1s"
""")
    etcd.put(f"{WEB}/frontend", '{"ipv4":"192.0.2.10","tcp":80}')
    with LocalProcess([sys.executable, "-m", "clusterf", "run", "-c", str(file)]) as running:
        running.wait_for(" started services=")
        yield running


def weights(etcd: Cluster) -> dict[str, int]:
    """Weights of the destinations that the reader wants."""
    status = ask(etcd.directory / "control.sock", {"command": "status"})
    [service] = status["services"]
    [entry] = service["entries"]
    return {one["address"]: one["weight"] for one in entry["destinations"]}


def put(number: int, weight: int) -> wire.Message:
    value = {"ipv4": f"198.51.100.{number}", "tcp": 8080, "weight": weight}
    return wire.put_op(f"{WEB}/backends/b{number}", json.dumps(value).encode())


def storm(etcd: Cluster) -> None:
    """Fifty thousand changes, a few thousand revisions. etcdctl would take a process for each."""
    with closing(http.client.HTTPConnection("127.0.0.1", etcd.members[0].ports.client)) as client:
        for weight in range(1, REVISIONS + 1):
            puts = [put(number, weight) for number in BACKENDS]
            client.request("POST", "/v3/kv/txn", wire.body(wire.transaction_request((), puts, ())))
            with client.getresponse() as answer:
                assert answer.status == 200, answer.read()
                revision = int(json.loads(answer.read())["header"]["revision"])
    etcd.delete(f"{WEB}/backends/b1")
    etcd.compact(revision)


def test_a_reader_that_falls_far_behind_lists_again_and_goes_on(
    etcd: Cluster, reader: LocalProcess
) -> None:
    etcd.put(f"{WEB}/backends/b1", '{"ipv4":"198.51.100.1","tcp":8080,"weight":0}')
    eventually(lambda: weights(etcd) == {"198.51.100.1:8080": 0}, "a watch", within=20)
    reader.kill(signal.SIGSTOP)
    storm(etcd)
    assert "interrupted" not in reader.errors()
    reader.kill(signal.SIGCONT)
    last = {f"198.51.100.{number}:8080": REVISIONS for number in BACKENDS if number != 1}
    eventually(lambda: weights(etcd) == last, "the state that etcd is in", within=60)
    assert "compacted" in reader.errors()
    assert reader.poll() is None
    etcd.put(f"{WEB}/backends/late", '{"ipv4":"198.51.100.99","tcp":8080,"weight":7}')
    last["198.51.100.99:8080"] = 7
    eventually(lambda: weights(etcd) == last, "what changes after it", within=20)
