from __future__ import annotations

from pathlib import Path

from clusterf.config.configuration import Configuration
from clusterf.plugin import Verdict
from clusterf.testing import InstanceContext
from clusterf_docker.doctor import examinations, examine
from clusterf_docker.settings import DockerSettings
from tests.unit.plugins.clusterf_docker.fake_docker import FakeDocker


async def test_an_engine_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    context = InstanceContext("doctor.docker", folder=tmp_path)
    settings = DockerSettings(host=f"unix://{tmp_path}/docker.sock")
    [one] = await examine(context, settings)
    assert one.verdict is Verdict.WARNING
    assert "no such file or directory" in one.message
    assert "is Docker installed" in one.hint


async def test_an_engine_that_answers(tmp_path: Path) -> None:
    with FakeDocker(tmp_path / "docker.sock") as fake:
        context = InstanceContext("doctor.docker", folder=tmp_path)
        [one] = await examine(context, DockerSettings(host=fake.url))
        assert (one.verdict, one.message) == (Verdict.OK, f"the engine answers at {fake.url}")


async def test_what_is_configured_is_left_to_its_probe(tmp_path: Path) -> None:
    assert examinations(Configuration(path=tmp_path)) == []
    assert [one.name for one in examinations(None)] == ["docker"]
