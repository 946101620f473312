"""What tests against a real etcd can use. They are marked ``etcd``; see server.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.etcd import server
from tests.lab import certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.certificates import Certificates


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("etcd"):
        server.require()


@pytest.fixture
def etcd() -> Iterator[server.Cluster]:
    """One member on loopback, empty."""
    server.require()
    with server.Cluster() as made:
        yield made


@pytest.fixture
def three() -> Iterator[server.Cluster]:
    """Three members on loopback, empty."""
    server.require()
    with server.Cluster(3) as made:
        yield made


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for a server on loopback, and for a client whose subject has a CN."""
    return certificates.make(tmp_path_factory.mktemp("etcd-tls"), "127.0.0.1", "::1")


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """A file with the password "s3cret"."""
    path = tmp_path / "password"
    path.write_text("s3cret\n", "utf-8")
    return path
