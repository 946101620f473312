"""An agent that ends: with the default times, ten seconds for a lease and fifteen of grace."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.lab.cluster.network import ClusterNetwork
from tests.lab.cluster.site import Site
from tests.lab.cluster.waiting import lasts
from tests.lab.cluster.witness import LIVE, Witness

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

TTL = 10.0
DRAIN = 4.0

SILENCE = "sources.cluster: silence"


@pytest.fixture(scope="module")
def patient(
    cluster_network: ClusterNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site with the default times."""
    folder = tmp_path_factory.mktemp("patient")
    with Site(cluster_network, folder, 2, drain=f"{DRAIN:g}s") as made:
        yield made


@pytest.fixture
def site(patient: Site) -> Site:
    patient.mend()
    return patient


def test_killed_and_back_within_its_leases_time(site: Site, witness: Witness) -> None:
    agent = site.agents[1]
    agent.kill()
    killed = time.monotonic()
    agent.start()
    agent.wait_for_log(": done op=", times=4, within=TTL)
    assert "written by a former run of agent host1" in agent.log
    # The lease of the former run runs out meanwhile, with nothing under it.
    lasts(killed + TTL + 2 - time.monotonic())
    witness.check_nothing_happened()


def test_killed_and_gone(site: Site, witness: Witness) -> None:
    """Its backends, and only they, get no new connections after its lease, and drain away."""
    agent, others = site.agents[1], site.whole(2)
    silences = site.director.log.count(SILENCE)
    agent.kill()
    killed = time.monotonic()
    draining = site.whole(2)
    for entry, weights in site.whole(1, weight=0).items():
        draining[entry].update(weights)
    quiesced = site.wait_table(draining) - killed
    # A machine so busy that etcd seems silent gives a dead agent its grace as well.
    undisturbed = site.director.log.count(SILENCE) == silences
    assert TTL * 2 / 3 - 1 < quiesced < (TTL + 5 if undisturbed else 30)
    witness.connections.check()
    gone = site.wait_table(others) - killed
    assert gone < 30
    witness.connections.check_lost(LIVE // 2)
    assert witness.newcomers.failures == []
    for table in witness.tables():
        assert {entry: {**weights, **others[entry]} for entry, weights in table.items()} == table
