"""etcd is killed, frozen, away for long: nothing of that is in the kernel, and nobody notices."""

from __future__ import annotations

import time

import pytest

from tests.lab.cluster.partitions import cut_off
from tests.lab.cluster.site import Site
from tests.lab.cluster.waiting import lasts, wait_settled
from tests.lab.cluster.witness import Witness
from tests.lab.polling import eventually

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

LONG = 30.0
"""Seconds. Nothing depends on whether it is these or three days: no timer runs meanwhile."""


def test_killed_and_back_at_once(site: Site, witness: Witness) -> None:
    with wait_settled(site):
        site.etcd.restart()
    witness.check_nothing_happened()
    site.check_follows()


def test_killed_and_back_when_leases_have_had_their_time(site: Site, witness: Witness) -> None:
    with wait_settled(site):
        site.etcd.kill()
        lasts(5)
        site.etcd.start()
    witness.check_nothing_happened()
    site.check_follows()


def test_frozen_for_longer_than_leases_live(site: Site, witness: Witness) -> None:
    """As a virtual machine that is moved. Connections live on, and leases end all at once."""
    leases = site.leases()
    member = site.etcd.members[0]
    with wait_settled(site):
        member.freeze()
        lasts(4.5)
        member.thaw()
    assert site.leases() == leases + 2, "they did run out"
    witness.check_nothing_happened()
    site.check_follows()


def test_away_for_long_while_directors_and_agents_restart(site: Site, witness: Witness) -> None:
    """It comes back without a single backend, and the agents come back after the director."""
    director, agent = site.director, site.agents[2]
    began = time.monotonic()
    with cut_off(site, "silence", *site.hosts):
        with cut_off(site, "link"):
            eventually(lambda: site.published() == [], "their leases run out", within=20)
            site.etcd.kill()
            witness.director_restarts()
            for program in (director, agent):
                program.kill()
                program.start()
            director.wait_started()
            lasts(began + LONG - time.monotonic())
            picture = director.status()
            assert picture["hold"] == "sources.cluster has not spoken yet"
            assert picture["outputs"][0]["state"] == "running"
            witness.check_nothing_happened()
        site.etcd.start()
        director.wait_for_log("sources.cluster: back ")
        assert site.published() == [], "it saw an etcd without a single backend"
    director.wait_for_log("sources.cluster: settled ")
    witness.check_nothing_happened()
    assert director.status()["hold"] is None
    site.check_follows()
