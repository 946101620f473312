"""The stage of the tests in this folder; they all run inside an IPVS kernel.

No fixture here may be named ``director``: that one is the end-to-end lab's, and stays outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.promises.daemon import Daemon
from tests.lab.promises.stage import World


@pytest.fixture(scope="package")
def world() -> Iterator[World]:
    """Clients and real servers."""
    with World() as made:
        yield made


@pytest.fixture
def daemon(world: World, tmp_path: Path) -> Iterator[Daemon]:
    """Clusterf on a director of this test alone, with files of its own, not started yet."""
    with world.director() as director, Daemon(director, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Clusterf for all tests of a file, to be brought to where each one begins by `restore`."""
    folder = tmp_path_factory.mktemp("shared")
    with world.director() as director, Daemon(director, folder) as made:
        director.load_foreign()
        yield made
