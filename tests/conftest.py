"""What every test can use; the lab behind it is in tests/lab.

A test marked ``lab`` runs inside an IPVS kernel, in a network namespace of its own, and may use
``netns`` and ``networks``. With ``lab_network``, ``director`` or ``docker_engine`` it stays outside
and works on those, which are shared by the tests of a file and tidied up after each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab import choice, namespaces, remote
from tests.lab.network import Namespace, Networks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.engine import Engine
    from tests.lab.kernel import Kernel
    from tests.lab.topology import LabNetwork


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(remote.RemoteRunner(), "clusterf-lab")


@pytest.fixture(autouse=True)
def _lab_isolation(request: pytest.FixtureRequest) -> None:
    """A lab test starts in an empty network namespace, whether it names the fixture or not."""
    if remote.belongs_inside(request.node) and choice.choose().kind == "host":
        request.getfixturevalue("netns")


@pytest.fixture
def netns() -> Iterator[Namespace]:
    """A new network namespace, loopback up, that the test and what it starts run in."""
    from trio._core import _thread_cache  # noqa: PLC0415 # most test runs need no lab

    # Trio keeps idle worker threads for the next test, and they stay in the old namespace.
    _thread_cache.THREAD_CACHE = _thread_cache.ThreadCache()
    with namespaces.fresh() as name:
        yield Namespace(name)
    _thread_cache.THREAD_CACHE = _thread_cache.ThreadCache()


@pytest.fixture
def networks() -> Iterator[Networks]:
    """Further namespaces with cables between them, removed after the test."""
    with Networks() as made:
        yield made


@pytest.fixture(scope="module")
def lab_network() -> Iterator[LabNetwork]:
    """Clients, wires and a Docker host's namespace; see tests/lab/topology.py for the map."""
    # Imported here: a run of other tests, and the pytest in a guest, need not wait for docker.
    from tests.lab.topology import LabNetwork  # noqa: PLC0415

    with LabNetwork() as made:
        yield made


@pytest.fixture(scope="module")
def director(lab_network: LabNetwork) -> Iterator[Kernel]:
    """An IPVS kernel between the clients and the Docker host, forwarding, with no VIP yet."""
    with lab_network.director() as made:
        yield made


@pytest.fixture(scope="module")
def docker_engine(lab_network: LabNetwork) -> Iterator[Engine]:
    """A private Docker Engine that the director reaches, with the images of the lab."""
    from tests.lab import engine  # noqa: PLC0415

    if reason := engine.missing():
        remote.impossible(f"no Docker Engine for the lab: {reason}")
    with lab_network.engine() as made:
        yield made


@pytest.fixture(autouse=True)
def _lab_tidied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave nothing of one end-to-end test to the next in its file."""
    shared = [name for name in ("director", "docker_engine") if name in request.fixturenames]
    made = {name: request.getfixturevalue(name) for name in shared}
    yield
    if "director" in made:
        made["director"].tidy()
    if "docker_engine" in made:
        made["docker_engine"].clear()
