"""Real partitions: no packet passes between etcd and some or all of those who talk to it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.lab.cluster.network import DIRECTOR, control
from tests.lab.cluster.partitions import How, cut_off
from tests.lab.cluster.site import Site, Table
from tests.lab.cluster.waiting import lasts, wait_settled
from tests.lab.cluster.witness import Witness
from tests.lab.polling import eventually

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


@pytest.mark.parametrize("how", ["silence", "reset"])
def test_everybody_cut_off_for_longer_than_leases_live(
    site: Site, witness: Witness, how: How
) -> None:
    """etcd is alone on an island, where it lets all leases run out.

    The silence ends before any connection has broken: etcd tells of the end of all backends on the
    director's old watch, as if it happened now.
    """
    leases = site.leases()
    with wait_settled(site), cut_off(site, how, *site.hosts, DIRECTOR):
        eventually(lambda: site.published() == [], "their leases run out", within=20)
    assert site.leases() == leases + 2
    witness.check_nothing_happened()
    site.check_follows()


def test_a_director_cut_off_alone(site: Site, witness: Witness) -> None:
    """In a silence that outlasts its patience. What changed meanwhile comes when it is back."""
    changed = site.whole(weight=20)
    given_up = site.director.log.count("watch given up")
    with cut_off(site, "silence", DIRECTOR):
        site.director.wait_for_log("watch given up", times=given_up + 1)
        for host in (1, 2):
            site.says(host, weight=20)
        lasts(1)
        witness.check_nothing_happened()
    healed = time.monotonic()
    assert site.wait_table(changed) - healed < 20
    assert {weight for table in witness.tables() for weight in _weights(table)} == {10, 20}
    witness.check_clients()
    site.check_follows()


def _weights(table: Table) -> Iterator[int]:
    for weights in table.values():
        assert len(weights) == 4
        yield from weights.values()


def test_one_agent_cut_off_for_longer_than_its_lease_lives(site: Site, witness: Witness) -> None:
    """Its backends get no new connections and keep those they have; the others notice nothing."""
    without = site.whole(2)
    for entry, weights in site.whole(1, weight=0).items():
        without[entry].update(weights)
    cut = time.monotonic()
    with cut_off(site, "silence", control(1)):
        gone = site.wait_table(without) - cut
        assert gone < 30
        witness.connections.check()
        lasts(1)
    healed = time.monotonic()
    assert site.wait_table(site.whole()) - healed < 30
    witness.check_clients()
    for table in witness.tables():
        assert all(
            weights[target] == 10
            for entry, weights in table.items()
            for target in site.whole(2)[entry]
        ), "those of the other host were there all the time"
    site.check_follows()
