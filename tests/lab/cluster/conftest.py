"""One network for all tests of this folder, and one site that most of them share.

A test that uses them stays on the kernel that runs the tests; only the director may be in a guest.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.etcd import server
from tests.lab import engine, remote
from tests.lab.cluster.docker_site import DockerSite
from tests.lab.cluster.network import ClusterNetwork
from tests.lab.cluster.site import Site
from tests.lab.cluster.witness import Witness

MB = 2**20


@pytest.fixture(scope="package")
def cluster_network() -> Iterator[ClusterNetwork]:
    """Clients, servers, and the director's kernel."""
    server.require()
    with ClusterNetwork() as made:
        yield made


@pytest.fixture(scope="package")
def shared_site(
    cluster_network: ClusterNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One member, and times as short as a busy machine allows."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--max-request-bytes", str(12 * MB)]
    with Site(cluster_network, folder, 1, ttl="3s", grace="6s", options=options) as made:
        yield made


@pytest.fixture
def site(shared_site: Site) -> Site:
    """The shared site, whole, whatever the last test did to it."""
    shared_site.mend()
    return shared_site


@pytest.fixture
def witness(site: Site) -> Iterator[Witness]:
    """Clients of the site who notice everything."""
    with Witness(site) as made:
        yield made


@pytest.fixture(scope="package")
def docker_site(
    cluster_network: ClusterNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DockerSite]:
    """Its first host runs containers."""
    if reason := engine.missing():
        remote.impossible(f"no Docker Engine for the lab: {reason}")
    folder = tmp_path_factory.mktemp("docker")
    with DockerSite(cluster_network, folder, 4, ttl="3s", grace="6s", drain="4s") as made:
        yield made
