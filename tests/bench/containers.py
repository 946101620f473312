"""From the start of a container to the kernel's ACK: a running clusterf at a Docker engine.

The engine is the fake one of the unit tests, which answers at once: what a real one takes for its
answers is not ours. Our own part is what the process and its threads had of the CPU.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.bench import daemon, namespace
from tests.unit.plugins.clusterf_docker.fake_docker import FakeDocker

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEFORE: Final = 10
"""Containers that run when clusterf starts."""

_QUIET: Final = 1.0
"""Seconds between two starts: closer ones are a storm to the engine, which then settles."""

_LABELS: Final = {"clusterf.service": "web", "clusterf.backend.tcp": "80"}
_CONFIGURATION: Final = """
[clusterf]
managed = ["10.0.0.0/8"]
state_dir = "state"
control = "control.sock"

[defaults]
method = "masq"

[services.web]
frontends = [{{ ipv4 = "10.0.0.1", tcp = 80 }}]

[sources.docker]
type = "docker"
host = "{url}"

[outputs.kernel]
type = "ipvs"
look = "1h"
"""


def starts(_: Path, times: int) -> Iterator[dict[str, Any]]:
    """Start one container after the other; the `ns` from each event to the ACK."""
    scratch = Path.cwd() / "containers"
    scratch.mkdir(exist_ok=True)
    with namespace.fresh(), FakeDocker(scratch / "docker.sock") as docker:
        (scratch / "clusterf.toml").write_text(_CONFIGURATION.format(url=docker.url))
        for number in range(_BEFORE):
            _start(docker, number)
        with daemon.running(scratch / "clusterf.toml") as clusterf:
            clusterf.wait_for(_BEFORE, "-a")
            taken, own = [], []
            # The first one warms up and does not count.
            for turn in range(times + 1):
                time.sleep(_QUIET)  # a distance in time is what is asked for, not an event
                before, began = clusterf.cpu_ns(), time.perf_counter_ns()
                _start(docker, _BEFORE + turn)
                clusterf.wait_for(1, "-a")
                taken.append(time.perf_counter_ns() - began)
                own.append(clusterf.cpu_ns() - before)
    yield {"who": "ours", "ns": taken[1:], "own_ns": own[1:]}


def _start(docker: FakeDocker, number: int) -> None:
    networks = {"bridge": {"IPAddress": f"10.1.0.{number + 1}", "GlobalIPv6Address": ""}}
    docker.run(f"web{number}", labels=_LABELS, NetworkSettings__Networks=networks)
