"""An engine that has the image, and folders that containers are given."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.frozen.container import image
from tests.lab.engine import Engine
from tests.lab.remote import impossible

QUIET = """\
[clusterf]
managed = ["192.0.2.0/24"]
plugin_dirs = ["plugins.d"]

[sources.services]
type = "static"
path = "services.d"
"""


@pytest.fixture(scope="module")
def engine(docker_engine: Engine) -> Engine:
    for program in ("docker", "setcap"):
        if shutil.which(program) is None:
            impossible(f"{program} is not installed")
    image.build(docker_engine)
    return docker_engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For /etc/clusterf: a configuration that needs nothing of the kernel."""
    tmp_path.chmod(0o755)
    for name in ("services.d", "plugins.d"):
        (tmp_path / name).mkdir(mode=0o755)
    (tmp_path / "clusterf.toml").write_text(QUIET, "utf-8")
    return tmp_path
