"""The SDK's edges; the source's tests go through most of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clusterf.plugin import SourceUnavailable
from clusterf_docker.api import NEWEST_API, Engine, EventStream
from clusterf_docker.state import Answer, Failed, Missing
from tests.unit.plugins.clusterf_docker import fake_docker
from tests.unit.plugins.clusterf_docker.fake_docker import FakeDocker, identifier


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeDocker]:
    with FakeDocker(tmp_path / "docker.sock") as made:
        yield made


@pytest.fixture
def engine(fake: FakeDocker) -> Iterator[Engine]:
    made = Engine(fake.url, None, 0.3)
    yield made
    made.close()


def test_the_version_of_the_engine_is_spoken(engine: Engine) -> None:
    assert (engine.version, engine.api_version) == ("20.10.24", "1.41")


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ({}, "no usable ApiVersion"),
        ({"ApiVersion": 1.41}, "no usable ApiVersion"),
        ({"ApiVersion": "1.41", "MinAPIVersion": "old"}, "no usable MinAPIVersion"),
        ({"ApiVersion": "1.41/../../x"}, "no usable ApiVersion"),
        ({"ApiVersion": "1.23"}, "speaks API 1.23 at most"),
    ],
)
def test_versions_that_cannot_be_spoken(
    fake: FakeDocker, version: dict[str, Any], says: str
) -> None:
    fake.version = version
    with pytest.raises(SourceUnavailable, match=says):
        Engine(fake.url, None, 0.3)


def test_an_engine_newer_than_all_that_is_known(fake: FakeDocker) -> None:
    for oldest, spoken in (("1.44", NEWEST_API), ("1.50", "1.50")):
        fake.version = {"ApiVersion": "1.99", "MinAPIVersion": oldest}
        engine = Engine(fake.url, None, 0.3)
        assert engine.api_version == spoken
        engine.close()


def test_only_our_running_containers_are_listed(fake: FakeDocker, engine: Engine) -> None:
    ours = fake.run("a", labels={"clusterf.service": "x"})
    fake.run("b", labels={"org.example": "x"})
    gone = fake.run("c", labels={"clusterf.service": "x"})
    fake.die(gone)
    fake.run("d", Config__Labels=None)
    assert engine.ours() == [ours]


def test_inspections(fake: FakeDocker, engine: Engine) -> None:
    one = fake.run("a")
    assert engine.inspect(one) == Answer(fake.containers[one])
    assert engine.inspect(identifier(99)) == Missing()
    # A proxy that does not let inspections pass says nothing about the container.
    fake.broken["/containers/.*/json"] = fake_docker.NOT_FOUND
    result = engine.inspect(one)
    assert isinstance(result, Failed)
    assert "404: something is wrong" in result.detail


def test_a_stream_ends_when_it_is_closed(fake: FakeDocker, engine: Engine) -> None:
    stream = engine.events(networks=False)
    got: list[object] = []
    arrived = threading.Event()

    def deliver(answer: object) -> None:
        got.append(answer)
        arrived.set()

    thread = threading.Thread(target=stream.read, args=(deliver,))
    thread.start()
    # A stream without an event for longer than the time-out is a healthy one.
    thread.join(0.5)
    assert thread.is_alive()
    fake.send({"Type": "container", "Action": "die", "Actor": {}})
    assert arrived.wait(5)
    stream.close()
    thread.join(5)
    assert not thread.is_alive()
    stream.close()
    assert len(got) == 1


def test_a_stream_that_ends_by_itself_says_so(fake: FakeDocker, engine: Engine) -> None:
    stream: EventStream = engine.events(networks=False)
    fake.end_streams()
    with pytest.raises(SourceUnavailable, match="the stream ended"):
        stream.read(lambda _: None)
