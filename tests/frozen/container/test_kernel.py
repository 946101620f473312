"""A container programs a real IPVS kernel, and its end changes nothing there."""

from __future__ import annotations

import json

import pytest

from tests.frozen.container import image
from tests.frozen.container.programming import FOREIGN
from tests.lab import choice
from tests.lab.engine import Engine
from tests.lab.remote import impossible
from tests.lab.topology import LabNetwork


def ours(weight: int) -> list[str]:
    service = "-A -t 198.51.100.1:80 -s wlc"
    return [service, f"-a -t 198.51.100.1:80 -r 203.0.113.3:80 -m -w {weight}"]


@pytest.mark.timeout(400)  # an engine in a kernel whose system calls are slow
def test_it_programs_the_kernel(engine: Engine) -> None:
    if choice.choose().kind == "none":
        impossible(choice.choose().reason)
    with LabNetwork() as network, network.director(memory=2048) as kernel:
        archive = kernel.shared / "image.tar"
        saved = image.docker(engine, "docker", "save", "--output", archive, image.IMAGE)
        assert saved.returncode == 0, saved.stderr
        argv = kernel.python("-m", "tests.frozen.container.programming", archive)
        told = json.loads(kernel.exec(argv, timeout=300).stdout)
    foreign = FOREIGN.splitlines()
    assert told["started"] == sorted([*foreign, *ours(7)])
    changed = sorted([*foreign, *ours(8)])
    assert [told["killed"], told["again"], told["removed"]] == [changed] * 3
    assert told["status"] == 0
    assert "stopped kernel=kept" in told["said"]
    assert "done op=" not in told["said"]
