"""The package, its next version, and a machine that has one of them, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frozen.debian import package as packages
from tests.frozen.debian.package import Machine


@pytest.fixture(scope="session")
def package() -> Path:
    return packages.made()


@pytest.fixture(scope="session")
def next_package(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages.repacked(package, "99.0-1", tmp_path_factory.mktemp("next"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    tmp_path.chmod(0o755)
    made = Machine(tmp_path)
    made.shown.mkdir()
    return made


@pytest.fixture
def installed(machine: Machine, package: Path) -> Machine:
    machine.install(package)
    return machine
