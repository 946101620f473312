"""Connections to an engine that is away leave nothing open."""

from __future__ import annotations

import gc
import socket
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from clusterf.plugin import SourceUnavailable
from clusterf_docker.api import Engine
from tests.unit.plugins.clusterf_docker.fake_docker import FakeDocker


def _unclosed(attempt: Callable[[], object]) -> list[str]:
    """What the garbage collector finds open after an attempt that fails."""
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(SourceUnavailable, match=r"connection refused|no such file"):
            attempt()
        gc.collect()
    return [str(one.message) for one in caught]


def test_an_engine_that_ended_leaves_no_sockets(tmp_path: Path) -> None:
    with FakeDocker(tmp_path / "docker.sock") as fake:
        engine = Engine(fake.url, None, 0.3)
    for attempt in (engine.ping, engine.ours, lambda: engine.events(networks=True)):
        assert _unclosed(attempt) == []
    engine.close()


def test_nobody_listening_at_a_socket_leaves_no_sockets(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    assert _unclosed(lambda: Engine(f"unix://{path}", None, 0.3)) == []
    path.unlink()
    assert _unclosed(lambda: Engine(f"unix://{path}", None, 0.3)) == []
