"""An engine that has the image, and folders that containers are given."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.frozen.container import image
from tests.lab.engine import Engine
from tests.lab.engine import missing as engine_missing
from tests.lab.network import Networks
from tests.lab.remote import impossible

QUIET = """\
[clusterf]
managed = ["192.0.2.0/24"]
plugin_dirs = ["plugins.d"]

[sources.files]
type = "static"
path = "services.d"
"""


@pytest.fixture(scope="package")
def shared_engine() -> Iterator[Engine]:
    absent = [name for name in ("docker", "setcap") if shutil.which(name) is None]
    if reason := engine_missing() or ", ".join(absent):
        impossible(f"no image can be made: {reason}")
    with Networks() as networks, Engine(networks.namespace("docker")) as made:
        image.build(made)
        yield made


@pytest.fixture
def engine(shared_engine: Engine) -> Iterator[Engine]:
    """One for all tests here, without containers and volumes."""
    yield shared_engine
    shared_engine.clear()
    for volume in shared_engine.client.volumes.list():
        volume.remove()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For /etc/clusterf: a configuration that needs nothing of the kernel."""
    tmp_path.chmod(0o755)
    for name in ("services.d", "plugins.d"):
        (tmp_path / name).mkdir(mode=0o755)
    (tmp_path / "clusterf.toml").write_text(QUIET, "utf-8")
    return tmp_path
