"""Frontends that somebody else writes: what they can take, and what they cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.lab.cluster.docker_site import DockerSite
from tests.lab.cluster.programs import JSON
from tests.lab.cluster.site import Site
from tests.lab.cluster.witness import Witness
from tests.lab.polling import eventually

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FOREIGN = ("198.51.100.200", "203.0.113.254", "127.0.0.1", "0.0.0.0", "224.0.0.1")
"""Another's VIP, the director's own address, and such as are no VIPs."""


@pytest.fixture(autouse=True)
def _nothing_is_left(shared_site: Site) -> Iterator[None]:
    yield
    for service in ("aaa", "zzz", *(f"foreign{number}" for number in range(len(FOREIGN)))):
        shared_site.etcd.delete(f"/clusterf/services/{service}/", prefix=True)


def put_backend(site: Site, service: str, address: str) -> None:
    value = json.dumps({"ipv4": address, "tcp": 80})
    site.etcd.put(f"/clusterf/services/{service}/backends/one", value)


def told(picture: JSON) -> dict[str, str]:
    """Reasons of refusals, by service or key."""
    found = {one["subject"]: one["reason"] for one in picture["refusals"]}
    for service in picture["services"]:
        found.update({one["subject"]: one["reason"] for one in service["refusals"]})
    return found


def test_a_frontend_outside_of_what_is_managed_is_refused(site: Site, witness: Witness) -> None:
    for number, address in enumerate(FOREIGN):
        site.put_frontend(f"foreign{number}", ipv4=address, tcp=80)
        put_backend(site, f"foreign{number}", "203.0.113.66")
    # A VIP that is served, by a service that comes later in the alphabet.
    site.put_frontend("zzz", ipv4=site.vip, tcp=80)
    put_backend(site, "zzz", "203.0.113.66")
    picture = site.director.wait(lambda status: len(told(status)) == 6, "all are refused", 20)
    assert [told(picture)[f"service foreign{number}"] for number in range(len(FOREIGN))] == [
        "outside_managed" for _ in FOREIGN
    ]
    assert told(picture)["service zzz"] == "duplicate_vip"
    witness.check_nothing_happened()
    entries = list(site.network.table.now)
    assert not [one for one in entries if one.split()[1].split(":")[0] in FOREIGN]
    site.check_follows()


def test_labels_make_backends_and_nothing_else(docker_site: DockerSite) -> None:
    """A container whose labels ask for a VIP, and whose services are called as keys are."""
    site = docker_site
    before = site.keys()
    hostile = {
        "clusterf.service": "evil web/frontend ../web/frontend /clusterf/services/web/frontend",
        "clusterf.backend.tcp": "80",
        "clusterf.frontend.ipv4": site.vip,
        "clusterf.backend:web.frontend": json.dumps({"ipv4": site.other_vip, "tcp": 80}),
        "clusterf.vip": site.vip,
    }
    with Witness(site) as witness:
        container = site.engine.run("evil", labels=hostile)
        key = f"/clusterf/services/evil/backends/{container.id}"
        eventually(lambda: key in site.published(), "the one that is a name", within=20)
        assert sorted(site.keys()) == sorted([*before, key])
        refused = site.agents[1].status()["refusals"]
        assert all("evil" in one["subject"] for one in refused), refused
        assert sum("web/frontend" in one["detail"] for one in refused) == 3
        picture = site.director.wait(
            lambda status: status["sources"][0]["services"] == 3, "it is known", 20
        )
        served = {one["name"] for one in picture["services"] if one["entries"]}
        assert served == {"echo", "web"}
        witness.check_nothing_happened()
    container.remove(force=True)


def test_of_two_services_at_one_vip_the_same_one_has_it_whatever_came_first(site: Site) -> None:
    entry = f"TCP {site.other_vip}:80"
    backends = {"aaa": "203.0.113.61", "zzz": "203.0.113.62"}
    for service, address in backends.items():
        put_backend(site, service, address)
    for order in (("aaa", "zzz"), ("zzz", "aaa")):
        for service in order:
            site.put_frontend(service, ipv4=site.other_vip, tcp=80)
        site.wait_table(site.whole() | {entry: {"203.0.113.61:80": 10}})
        for service in order:
            site.etcd.delete(f"/clusterf/services/{service}/frontend")
        site.wait_whole()
