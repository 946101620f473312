"""A director that is killed comes back to what it has left, and etcd says the same."""

from __future__ import annotations

import pytest

from tests.lab.cluster.site import Site
from tests.lab.cluster.witness import Witness

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


def test_killed_and_back(site: Site, witness: Witness) -> None:
    witness.director_restarts()
    site.director.kill()
    witness.connections.check()
    site.director.start()
    site.director.wait_for_log(" adopted services=2 destinations=8")
    picture = site.director.wait(
        lambda status: all(one["state"] == "running" for one in status["outputs"]), "runs", 20
    )
    assert (picture["outputs"][0]["done"], picture["hold"]) == (0, None)
    witness.check_nothing_happened()
    site.check_follows()
