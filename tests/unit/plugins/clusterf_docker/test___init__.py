from __future__ import annotations

import subprocess
import sys

import clusterf_docker
from clusterf.plugin import API_VERSION
from clusterf_docker.settings import DockerSettings


def test_the_hook_registers_the_type() -> None:
    [kind] = clusterf_docker.clusterf_register_sources()
    assert (kind.name, kind.settings) == ("docker", DockerSettings)
    assert clusterf_docker.CLUSTERF_API == API_VERSION


def test_the_plugin_alone_does_not_import_the_sdk() -> None:
    code = (
        "import sys, clusterf_docker;"
        "print([name for name in ('docker', 'requests') if name in sys.modules])"
    )
    path = ":".join(one for one in sys.path if one)
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": path},
        timeout=30,
    )
    assert result.stdout == "[]\n"
