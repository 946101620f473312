"""The lab does what the tests on top of it rely on, and leaves nothing behind."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from tests.lab import certificates, scratch, traffic
from tests.lab.images import ECHO_PORT, HTTP_PORT
from tests.lab.process import CommandFailedError, LocalProcess
from tests.lab.topology import DOCKER, LabNetwork
from tests.lab.traffic import Hold, Load, Server

if TYPE_CHECKING:
    from tests.lab.engine import Engine
    from tests.lab.kernel import Kernel

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

VIP, VIP6 = "198.51.100.1", "2001:db8:3::1"


def _publish(director: Kernel, *backends: tuple[str, int], vip: str = VIP, port: int) -> None:
    """Make a virtual service of the director, by masq."""

    def end(address: str, number: int) -> str:
        return f"[{address}]:{number}" if ":" in address else f"{address}:{number}"

    director.ip(f"address replace {vip} dev lo")
    rules = [f"-A -t {end(vip, port)} -s rr"]
    rules += [f"-a -t {end(vip, port)} -r {end(*backend)} -m" for backend in backends]
    director.exec(["ipvsadm", "-R"], text="\n".join(rules) + "\n")
    assert director.ipvsadm("-S", "-n").count("-a ") >= len(backends)


@pytest.mark.parametrize("ipv6", [False, True])
def test_a_request_reaches_containers_through_ipvs(
    lab_network: LabNetwork, director: Kernel, docker_engine: Engine, *, ipv6: bool
) -> None:
    containers = [docker_engine.run(name) for name in ("web1", "web2")]
    addresses = [docker_engine.address(container, ipv6=ipv6) for container in containers]
    vip = VIP6 if ipv6 else VIP
    _publish(director, *((address, HTTP_PORT) for address in addresses), vip=vip, port=8080)
    host = f"[{vip}]" if ipv6 else vip
    result = traffic.request(lab_network.clients, f"http://{host}:8080/", 20)
    assert result.failures == []
    assert result.answers == {"web1": 10, "web2": 10}
    assert "8080" in director.ipvsadm("-L", "-n", "-c")


def test_requests_report_failures_with_their_time(
    lab_network: LabNetwork, director: Kernel, docker_engine: Engine
) -> None:
    web = docker_engine.run("web")
    backend = (docker_engine.address(web), HTTP_PORT)
    _publish(director, backend, port=80)
    with Load(lab_network.clients, f"http://{VIP}/", interval=0.01) as load:
        assert traffic.request(lab_network.clients, f"http://{VIP}/", 3).total == 3
        # What is under way is answered, and what comes is refused: see ip_vs_leave in the kernel.
        director.ipvsadm("-e", "-t", f"{VIP}:80", "-r", ":".join(map(str, backend)), "-m", "-w0")
        load.wait_for_failure()
        result = load.stop()
    assert result.answers.keys() == {"web"}
    assert result.failures[0].error.startswith("ConnectionRefusedError: ")
    # One after the other: the first failure began when all that were answered were over.
    answered = sum(result.times) + 0.01 * result.total
    moments = [answered - 0.001, *(failure.at for failure in result.failures), result.seconds]
    assert moments == sorted(moments)


def test_held_connections_live_and_a_broken_one_is_noticed(
    lab_network: LabNetwork, director: Kernel, docker_engine: Engine
) -> None:
    containers = [docker_engine.run(name) for name in ("one", "two")]
    addresses = [docker_engine.address(container) for container in containers]
    _publish(director, *((address, ECHO_PORT) for address in addresses), port=7)
    with (
        Hold(lab_network.clients, VIP, 7, connections=200, interval=0.1) as shared,
        Hold(lab_network.docker, addresses[1], ECHO_PORT) as direct,
    ):
        assert (shared.connected, direct.connected) == (200, 1)
        containers[0].kill()
        shared.wait_for_broken()
        result = shared.stop()
        assert direct.stop().broken == []
    assert len(result.broken) == 100
    assert result.echoes >= 200


def test_a_server_in_a_namespace_answers_with_its_name(lab_network: LabNetwork) -> None:
    with Server(lab_network.docker, "real", http=8080, echo=7007):
        answers = traffic.request(lab_network.docker, f"http://{DOCKER}:8080/", 5).answers
        with Hold(lab_network.docker, DOCKER, 7007) as held:
            assert held.stop().broken == []
    assert answers == {"real": 5}


def test_the_director_runs_programs(director: Kernel) -> None:
    done = director.exec(
        ["sh", "-c", 'cat; echo "$GREETING" >&2; exit 3'],
        text="in\n",
        env={"GREETING": "hello"},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "in\n", "hello\n")
    with pytest.raises(CommandFailedError, match="ended with 1"):
        director.exec(["false"])
    with pytest.raises(TimeoutError, match="took more than"):
        director.exec(["sleep", "60"], timeout=0.2)
    assert director.exec(["cat"], text="x" * 300_000).stdout == "x" * 300_000


def test_the_director_runs_several_programs_at_once(director: Kernel) -> None:
    echo = 'echo up; read word; echo "got $word"; echo aside >&2; exec sleep 60'
    first, second = (director.spawn(["sh", "-c", echo]) for _ in range(2))
    first.wait_for("up\n")
    second.wait_for("up\n")
    second.send("two\n")
    second.wait_for("got two")
    second.wait_for("aside")
    assert first.output() == "up\n"
    assert second.poll() is None
    second.kill(signal.SIGTERM)
    assert second.wait() == -signal.SIGTERM
    assert (second.output(), second.errors()) == ("up\ngot two\n", "aside\n")
    first.close_input()
    first.wait_for("got \n")
    assert first.stop() == -signal.SIGTERM
    with pytest.raises(TimeoutError, match="did not say 'never'"):
        first.wait_for("never", timeout=1)


def test_a_file_written_outside_is_read_inside(director: Kernel) -> None:
    path = director.shared / "note"
    path.write_text("from outside")
    assert director.exec(["cat", path]).stdout == "from outside"
    director.exec(["sh", "-c", f"echo inside > {path}"])
    assert path.read_text() == "inside\n"


def test_containers_outlive_a_restart_of_the_daemon(docker_engine: Engine) -> None:
    container = docker_engine.run("steady", labels={"lab": "yes"})
    for number in (signal.SIGTERM, signal.SIGKILL):
        docker_engine.restart(number)
        container.reload()
        assert container.status == "running"
    assert [one.name for one in docker_engine.client.containers.list()] == ["steady"]
    assert container.labels["lab"] == "yes"


def test_a_container_in_a_network_of_its_own_is_reached(
    docker_engine: Engine, lab_network: LabNetwork
) -> None:
    docker_engine.network("front", "203.0.113.144/28", "2001:db8:5::/64")
    container = docker_engine.run("inner", network="front")
    address = docker_engine.address(container, "front")
    assert address.startswith("203.0.113.1")
    answers = traffic.request(lab_network.docker, f"http://{address}/").answers
    assert answers == {"inner": 1}


def test_an_engine_with_tls_asks_for_a_certificate(tmp_path: Path, director: Kernel) -> None:
    made = certificates.make(tmp_path, DOCKER)
    for path in (made.ca, *made.client):
        (director.shared / path.name).write_bytes(path.read_bytes())
    shared = director.shared
    trusted: list[str | Path] = [
        "curl",
        "-sS",
        "--cacert",
        shared / "ca.pem",
        f"https://{DOCKER}:2376/_ping",
    ]
    presented = [*trusted, "--cert", shared / "cert.pem", "--key", shared / "key.pem"]
    with LabNetwork() as network, network.engine(tls=made, port=2376):
        # Another network with the same addresses: the director's is not connected to it.
        assert network.docker.run(presented).stdout == "OK"
        assert network.docker.run(trusted, check=False).returncode != 0
        assert director.exec(presented, check=False).returncode != 0


def _traces(mark: str) -> dict[str, list[str]]:
    """What of a run can be seen from outside: by the mark that all its names carry."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        commands.append(command)
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    places = [scratch.NAMESPACES, scratch.BUILD, Path("/tmp"), *scratch.CGROUPS.iterdir()]  # noqa: S108
    names = [entry.name for place in places if place.is_dir() for entry in place.iterdir()]
    found = {"processes": commands, "mounts": mounts, "names": names}
    return {kind: [one for one in all_ if mark in one] for kind, all_ in found.items()}


_EVERYTHING = """
import sys
from tests.lab.topology import LabNetwork
network = LabNetwork()
director, engine = network.director(), network.engine()
engine.run("web")
director.spawn(["sleep", "1000"])
network.networks.spawn(network.clients, ["sleep", "1000"])
print("up", flush=True)
sys.stdin.read()
engine.close()
director.close()
network.close()
print("down", flush=True)
"""


@pytest.mark.parametrize("ending", ["closed", "killed"])
def test_nothing_is_left_behind(ending: str, lab_network: LabNetwork) -> None:
    del lab_network  # keeps this test on the host
    with LocalProcess([sys.executable, "-c", _EVERYTHING], cwd=scratch.ROOT) as whole:
        mark = f"clf{whole.pid}-"
        whole.wait_for("up", 60)
        before = _traces(mark)
        assert all(before.values()), before
        watched = [os.pidfd_open(pid) for pid in _pids(mark)]
        if ending == "closed":
            whole.close_input()
            whole.wait_for("down", 60)
        else:
            os.kill(whole.pid, signal.SIGKILL)
            whole.wait()
        for descriptor in watched:
            assert select.select([descriptor], [], [], 20)[0], _traces(mark)
            os.close(descriptor)
        if ending == "killed":
            assert scratch.sweep()
        assert not any(_traces(mark).values()), _traces(mark)


def _pids(mark: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if mark in command:
            found.append(int(path.parent.name))
    return found


def test_the_engine_is_not_the_hosts(docker_engine: Engine) -> None:
    assert not Path("/var/run/docker.sock").exists() or (
        docker.DockerClient(base_url=docker_engine.socket).info()["ID"]
        != docker.DockerClient(base_url="unix:///var/run/docker.sock").info()["ID"]
    )
