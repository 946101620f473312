"""etcd comes back from an old backup, or with nothing at all."""

from __future__ import annotations

import time

import pytest

from tests.lab.cluster.docker_site import DockerSite
from tests.lab.cluster.site import Site
from tests.lab.cluster.waiting import wait_settled
from tests.lab.cluster.witness import Witness
from tests.lab.polling import eventually

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


def test_an_old_backup(docker_site: DockerSite) -> None:
    """Since it was made a container ended and one began; the other host's agent has a new lease."""
    site = docker_site
    backup = site.etcd.save()
    # In this order, so that it does not get the other one's address.
    site.run_container(3)
    site.stop_container(2)
    site.says(2, numbers=(1, 3))
    agent = site.agents[2]
    agent.kill()
    agent.start()
    wanted = site.whole(numbers=(1, 3))
    eventually(lambda: site.serving() == wanted, "what is true now", within=30)
    site.wait_table(wanted)
    published = sorted(site.published())

    with Witness(site) as witness:
        began = time.monotonic()
        with wait_settled(site):
            site.etcd.restore(backup)
        eventually(lambda: sorted(site.published()) == published, "the same again", within=30)
        assert time.monotonic() - began < 30
        witness.check_nothing_happened()
    assert "etcd tells of another past" in site.director.log
    site.check_follows(2, numbers=(1, 3))


def test_an_emptied_store(site: Site, witness: Witness) -> None:
    """Agents publish again what is theirs, and people write again what is theirs."""
    (member,) = site.etcd.members
    with wait_settled(site):
        member.kill()
        member.wipe()
        member.start()
        assert "etcd tells" not in site.director.log
        site.put_frontends()
    assert "etcd tells of another past" in site.director.log
    witness.check_nothing_happened()
    site.check_follows()
