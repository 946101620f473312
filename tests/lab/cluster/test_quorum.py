"""Three members: what a leader's end and a lost quorum do to clients, which is nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.cluster.network import ClusterNetwork
from tests.lab.cluster.site import Site
from tests.lab.cluster.waiting import lasts, wait_settled
from tests.lab.cluster.witness import Witness

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def three(
    cluster_network: ClusterNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("three")
    with Site(cluster_network, folder, 3, ttl="3s", grace="6s", size=3) as made:
        yield made


@pytest.fixture
def site(three: Site) -> Site:
    three.mend()
    return three


def test_the_leader_is_killed(site: Site, witness: Witness) -> None:
    leader = site.etcd.leader()
    leader.kill()
    site.etcd.leader()
    # It goes on with two, and with whoever was asked before.
    lasts(4)
    witness.check_nothing_happened()
    site.check_follows()
    leader.start()
    site.etcd.wait_healthy()


def test_two_of_three_are_killed_for_longer_than_leases_live(site: Site, witness: Witness) -> None:
    leader = site.etcd.leader()
    killed = [leader, next(one for one in site.etcd.members if one is not leader)]
    with wait_settled(site):
        for member in killed:
            member.kill()
        lasts(5)
        witness.check_nothing_happened()
        site.etcd.start()
    witness.check_nothing_happened()
    site.check_follows()
