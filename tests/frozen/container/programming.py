"""A container that programs IPVS, in this kernel: with an engine of its own, for test_kernel.py.

    python -m tests.frozen.container.programming IMAGE.tar

Prints as JSON what the table was after each step, and what clusterf said.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.engine import Engine
from tests.lab.network import Namespace, Networks
from tests.lab.polling import eventually

if TYPE_CHECKING:
    from docker.models.containers import Container

FOREIGN = "-A -t 198.51.100.200:443 -s rr\n-a -t 198.51.100.200:443 -r 203.0.113.9:443 -m -w 1\n"
CONFIGURATION = """\
[clusterf]
managed = ["198.51.100.0/25"]

[sources.files]
type = "static"
path = "services.d"

[outputs.kernel]
type = "ipvs"
"""
SERVICE = """\
[services.web]
frontend = {{ ipv4 = "198.51.100.1", tcp = 80 }}
backends = [{{ address = "203.0.113.3", tcp = 80, weight = {weight} }}]
"""


def table(place: Namespace) -> list[str]:
    return sorted(place.run(["ipvsadm", "-S", "-n"]).stdout.splitlines())


def wait_for(container: Container, word: str, times: int = 1) -> None:
    eventually(lambda: container.logs().decode().count(word) >= times, word, within=120, every=0.5)


def steps(engine: Engine, place: Namespace, folder: Path) -> dict[str, object]:
    """Go through them."""
    (folder / "services.d").mkdir(mode=0o755)
    (folder / "clusterf.toml").write_text(CONFIGURATION, "utf-8")
    service = folder / "services.d" / "web.toml"
    service.write_text(SERVICE.format(weight=7), "utf-8")
    place.run(["ipvsadm", "-R"], text=FOREIGN)
    container = engine.run(
        "director",
        image="clusterf:latest",
        network_mode="host",
        cap_drop=["ALL"],
        cap_add=["NET_ADMIN"],
        read_only=True,
        volumes=[f"{folder}:/etc/clusterf:ro", "run:/run/clusterf", "state:/var/lib/clusterf"],
    )
    wait_for(container, " started services=1")
    told: dict[str, object] = {"started": table(place)}
    service.write_text(SERVICE.format(weight=8), "utf-8")
    eventually(lambda: "-w 8" in "".join(table(place)), "weight 8", within=60, every=0.5)
    container.kill()
    container.wait()
    told["killed"] = table(place)
    before = len(container.logs())
    container.start()
    wait_for(container, " started services=1", 2)
    told["again"] = table(place)
    container.stop(timeout=60)
    told["status"] = container.wait()["StatusCode"]
    told["said"] = container.logs()[before:].decode()
    container.remove()
    told["removed"] = table(place)
    return told


def main() -> None:
    """Load the image and go."""
    with (
        Networks() as networks,
        Engine(place := networks.namespace("docker")) as engine,
        tempfile.TemporaryDirectory() as folder,
    ):
        place.run(["docker", "--host", engine.socket, "load", "--input", sys.argv[1]], timeout=120)
        Path(folder).chmod(0o755)
        print(json.dumps(steps(engine, place, Path(folder))))  # noqa: T201 - the result


if __name__ == "__main__":
    main()
