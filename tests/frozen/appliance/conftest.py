"""One appliance for all tests of this folder; each finds an empty table and nobody running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.frozen.appliance.daemon import Daemon, program
from tests.frozen.appliance.network import Site
from tests.frozen.executables import FOLDER, Executable
from tests.lab import choice
from tests.lab.remote import impossible


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    if choice.choose().kind == "none":
        impossible(choice.choose().reason)
    with Site() as made:
        yield made


@pytest.fixture
def executable() -> Executable:
    """One form, where a test does not ask for both."""
    return FOLDER


@pytest.fixture
def daemon(site: Site, executable: Executable) -> Iterator[Daemon]:
    """Clusterf, not started yet."""
    with Daemon(site.appliance, program(executable)) as made:
        yield made
        made.end()
        assert site.appliance.processes() == []
        site.appliance.tidy()
