"""compose.yaml: each of its ways comes up healthy, has what it is given and leaves no trace."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.frozen.container import image
from tests.frozen.executables import ROOT
from tests.lab.engine import Engine
from tests.lab.polling import eventually
from tests.lab.remote import impossible

pytestmark = pytest.mark.timeout(300)  # the first one makes the image

FILE = ROOT / "packaging" / "container" / "compose.yaml"
DOCKER_SOURCE = '[sources.local]\ntype = "docker"\n'

Compose = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def compose(engine: Engine, folder: Path) -> Iterator[Compose]:
    if shutil.which("docker-compose") is None:
        impossible("docker-compose is not installed")
    socket = engine.socket.removeprefix("unix://")

    def run(profile: str, *words: str) -> subprocess.CompletedProcess[str]:
        done = image.docker(
            engine,
            *("docker-compose", "--file", FILE, "--project-name", "lab", "--profile", profile),
            *words,
            CLUSTERF_FOLDER=str(folder),
            DOCKER_SOCKET=socket,
            DOCKER_GROUP=str(Path(socket).stat().st_gid),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    yield run
    for profile in ("director", "agent", "all-in-one"):
        run(profile, "down", "--volumes", "--timeout", "1")


@pytest.mark.parametrize(
    ("profile", "capabilities", "docker"),
    [("director", 1 << 12, False), ("agent", 0, True), ("all-in-one", 1 << 12, True)],
)
def test_it_comes_up(
    engine: Engine,
    compose: Compose,
    folder: Path,
    profile: str,
    capabilities: int,
    docker: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    file = folder / "clusterf.toml"
    if docker:
        file.write_text(file.read_text("utf-8") + DOCKER_SOURCE, "utf-8")
    compose(profile, "up", "--detach")
    (container,) = engine.client.containers.list()
    done = eventually(
        lambda: (told := container.exec_run(["clusterf", "status"])).exit_code == 0 and told,
        "status answers",
        within=60,
        every=0.3,
    )
    if docker:
        connected = "sources.local: connected"
        eventually(lambda: connected in container.logs().decode(), connected, within=30, every=0.2)
    assert "sources.files" in done.output.decode()
    status = container.exec_run(["grep", "CapEff", "/proc/1/status"]).output.decode()
    assert int(status.split()[1], 16) == capabilities
    refused = container.exec_run(["touch", "/usr/lib/x", "/etc/clusterf/x"])
    assert refused.output.decode().count("Read-only file system") == 2

    said = compose(profile, "exec", "-T", profile, "clusterf", "status").stdout
    assert "configuration /etc/clusterf/clusterf.toml" in said
    compose(profile, "stop")
    assert container.wait()["StatusCode"] == 0
    compose(profile, "down", "--volumes")
    assert engine.client.containers.list(all=True) == []
    assert [one.name for one in engine.client.volumes.list() if one.name.startswith("lab_")] == []
