"""The image: what is in it, what its containers may do, and how they start, tell and stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clusterf import __version__
from freeze import trial
from tests.frozen.container import image
from tests.frozen.executables import ROOT
from tests.lab.engine import Engine
from tests.lab.polling import eventually

if TYPE_CHECKING:
    from docker.models.containers import Container

pytestmark = pytest.mark.timeout(300)  # the first one makes the image

USER = "10001:10001"
NET_ADMIN = 1 << 12
HARDENED = {"cap_drop": ["ALL"], "read_only": True, "network_mode": "host"}
SOON = {"interval": 10**9, "timeout": 5 * 10**9, "retries": 1, "start_period": 0}
"""The image's own health check, more often."""


def ended(engine: Engine, *words: str, **options: Any) -> tuple[int, str]:
    """Run a container to its end; status and what it printed."""
    container = engine.client.containers.create(image.IMAGE, list(words), **options)
    container.start()
    status: int = container.wait(timeout=60)["StatusCode"]
    return status, container.logs().decode()


def started(engine: Engine, folder: Path, name: str, **options: Any) -> Container:
    """Run the daemon with a configuration, as compose.yaml does."""
    options = {**HARDENED, "cap_add": ["NET_ADMIN"], "tmpfs": {"/tmp": ""}, **options}  # noqa: S108 - the container's
    volumes = [
        f"{folder}:/etc/clusterf:ro",
        f"{name}-run:/run/clusterf",
        *options.pop("volumes", ()),
    ]
    return engine.run(name, image=image.IMAGE, volumes=volumes, healthcheck=SOON, **options)


def wait_for(container: Container, word: str) -> None:
    """Until it is said; what was said instead, if that is not to be."""
    try:
        eventually(lambda: word in container.logs().decode(), word, within=60, every=0.2)
    except TimeoutError as error:
        raise AssertionError(f"{error}\n{container.logs().decode()}") from None


def health(container: Container) -> str:
    container.reload()
    told: str = container.attrs["State"]["Health"]["Status"]
    return told


@pytest.fixture
def running(engine: Engine, folder: Path) -> Iterator[Container]:
    container = started(engine, folder, "director")
    wait_for(container, " started services=")
    return container


def test_it_says_what_it_is(engine: Engine) -> None:
    told = engine.client.images.get(f"clusterf:{__version__}").attrs["Config"]
    assert told["User"] == USER
    assert (told["Entrypoint"], told["Cmd"]) == (["clusterf"], ["run"])
    assert told["StopSignal"] == "SIGTERM"
    assert told["Healthcheck"]["Test"][0] == "CMD-SHELL"
    prefix = "org.opencontainers.image"
    assert told["Labels"][f"{prefix}.version"] == __version__
    assert told["Labels"][f"{prefix}.licenses"] == "MIT"
    assert len(told["Labels"][f"{prefix}.revision"]) == 40


def test_nothing_in_it_makes_anybody_root(engine: Engine) -> None:
    status, told = ended(
        engine,
        "-c",
        "find / -xdev -type f -perm /6000 2> /dev/null; id -u",
        entrypoint="/bin/sh",
        **HARDENED,
    )
    assert (status, told) == (0, "10001\n")


@pytest.mark.parametrize("more", [{}, {"cap_add": ["NET_ADMIN"]}], ids=["plain", "NET_ADMIN"])
def test_commands_work_with_the_capability_and_without(
    engine: Engine, more: dict[str, Any]
) -> None:
    assert ended(engine, "--version", **HARDENED, **more) == (0, f"clusterf {__version__}\n")


def test_without_a_configuration_it_says_so(engine: Engine) -> None:
    status, told = ended(engine, **HARDENED)
    assert status == 78
    assert "/etc/clusterf/clusterf.toml: error[C001]: cannot be read: no such file" in told
    assert "Traceback" not in told


def test_it_has_the_one_capability_and_can_gain_none(running: Container) -> None:
    told = running.exec_run(["cat", "/proc/1/status"]).output.decode()
    status = dict(line.split(":\t", 1) for line in told.splitlines())
    assert {status["Uid"], status["Gid"]} == {"\t".join(["10001"] * 4)}
    capabilities = {int(status[f"Cap{kind}"], 16) for kind in ("Prm", "Eff", "Bnd", "Amb", "Inh")}
    assert capabilities == {NET_ADMIN}
    assert status["NoNewPrivs"] == "1"
    assert status["Name"] == "clusterf"


@pytest.mark.parametrize(
    "options",
    [{"cap_add": []}, {"security_opt": ["no-new-privileges:true"]}],
    ids=["not given", "kept from it"],
)
def test_without_the_capability_it_runs_what_needs_none(
    engine: Engine, folder: Path, options: dict[str, Any]
) -> None:
    container = started(engine, folder, "agent", **options)
    wait_for(container, " started services=")
    told = container.exec_run(["grep", "CapEff", "/proc/1/status"]).output.decode()
    assert int(told.split()[1], 16) == 0


def test_it_is_healthy_while_it_answers(running: Container) -> None:
    eventually(lambda: health(running) == "healthy", "healthy", within=60, every=0.2)
    running.kill("SIGSTOP")
    eventually(lambda: health(running) == "unhealthy", "unhealthy", within=60, every=0.2)
    running.kill("SIGCONT")
    eventually(lambda: health(running) == "healthy", "healthy again", within=60, every=0.2)


def test_it_stops_when_it_is_told_to(running: Container) -> None:
    running.stop(timeout=30)
    assert running.wait()["StatusCode"] == 0
    assert "stopped kernel=kept" in running.logs().decode()


def test_it_starts_again_on_what_it_has_left(engine: Engine, folder: Path) -> None:
    container = started(engine, folder, "director")
    wait_for(container, " started services=")
    container.kill()
    container.start()
    eventually(lambda: health(container) == "healthy", "healthy", within=60, every=0.2)


def test_the_command_line_is_inside(running: Container, folder: Path) -> None:
    (folder / "services.d" / "web.toml").write_text(
        '[services.web]\nfrontend = { ipv4 = "192.0.2.1", tcp = 80 }\n', "utf-8"
    )
    wait_for(running, "records changed")
    for words in (["status"], ["reload"], ["check"], ["plugins"]):
        done = running.exec_run(["clusterf", *words])
        assert done.exit_code == 0, done.output.decode()


def test_drop_ins_are_loaded_from_a_mounted_folder(engine: Engine, folder: Path) -> None:
    for name in trial.GOOD[:3]:
        (folder / "plugins.d" / name).write_bytes((trial.DROP_INS / name).read_bytes())
    mounted = [f"{folder}:/etc/clusterf:ro"]
    status, told = ended(engine, "plugins", volumes=mounted, **HARDENED)
    assert status == 0, told
    assert "/etc/clusterf/plugins.d/trial_source.py" in told


def test_the_engine_is_followed_by_a_member_of_its_group(engine: Engine, folder: Path) -> None:
    file = folder / "clusterf.toml"
    file.write_text(file.read_text("utf-8") + '[sources.local]\ntype = "docker"\n', "utf-8")
    socket = engine.socket.removeprefix("unix://")
    mounted = [f"{socket}:/var/run/docker.sock"]
    group = Path(socket).stat().st_gid

    outsider = started(engine, folder, "outsider", volumes=mounted)
    wait_for(outsider, "ermission denied")
    outsider.remove(force=True)

    member = started(engine, folder, "member", volumes=mounted, group_add=[group])
    engine.run("web", labels={"clusterf.service": "web", "clusterf.backend.tcp": "80"})
    wait_for(member, "sources.local: known service=web")
    assert "ermission denied" not in member.logs().decode()


def test_without_ipvs_it_says_what_to_load(engine: Engine, folder: Path) -> None:
    """Of the host's kernel, where that has IPVS: it would be programmed."""
    text = (ROOT / "clusterf.toml").read_text("utf-8").replace("local-docker", "files")
    text = text.replace('type = "docker"', 'type = "static"\npath = "services.d"')
    (folder / "clusterf.toml").write_text(text, "utf-8")
    container = started(engine, folder, "director")
    if Path("/proc/net/ip_vs").exists():
        wait_for(container, " started services=")
        return
    assert container.wait(timeout=60)["StatusCode"] == 69
    told = container.logs().decode()
    assert "the kernel has no IPVS (ENOENT) (hint: modprobe ip_vs)" in told
    assert "Traceback" not in told
