from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf_docker.answer import Unreadable
from clusterf_docker.container import read
from clusterf_docker.records import Decider, Verdict, quiesced
from clusterf_docker.settings import DockerSettings
from tests.unit.plugins.clusterf_docker.fake_docker import described, identifier
from tests.unit.plugins.clusterf_docker.test_container import ANY_JSON, PATHS
from tests.unit.plugins.clusterf_docker.test_labels import KEYS, VALUES

LABELS = {"clusterf.service": "web", "clusterf.backend.tcp": "80"}


def decide(labels: dict[str, str], values: dict[str, Any] | None = None, **changes: Any) -> Verdict:
    container = read(described("web1", 1, labels=labels, **changes), identifier(1))
    decider = Decider(DockerSettings.model_validate(values or {}), "sources.docker")
    return decider.decide(container, None)


def test_one_backend_for_each_service() -> None:
    labels = {**LABELS, "clusterf.service": "web dns", "clusterf.backend:dns.udp": "53"}
    verdict = decide({**labels, "clusterf.weight": "5", "org.example.rack": "7"})
    web, dns = verdict.backends
    assert (web.service, dns.service) == ("web", "dns")
    assert (web.id, str(web.ipv4), str(web.ipv6)) == (identifier(1), "203.0.113.1", "2001:db8:4::1")
    assert (web.ports, dns.ports) == ((80, None, None), (80, 53, None))
    assert (web.weight, web.quiesced) == (5, None)
    assert web.labels["org.example.rack"] == "7"
    assert str(web.provenance) == f"sources.docker container web1 ({identifier(1)[:12]})"
    assert verdict.refusals == {}


def test_a_port_that_is_not_exposed_is_refused_and_the_rest_goes_on() -> None:
    labels = {**LABELS, "clusterf.service": "web api", "clusterf.backend:api.tcp": "53"}
    verdict = decide(labels)
    assert [one.service for one in verdict.backends] == ["web"]
    [refusal] = verdict.refusals.values()
    assert str(refusal) == (
        "container web1: label clusterf.backend:api.tcp: port 53/tcp is not exposed "
        "(hint: it exposes 53/udp, 80/tcp; EXPOSE it in the image or docker run --expose) "
        f"[sources.docker container web1 ({identifier(1)[:12]})]"
    )


def test_one_bad_port_for_two_services_is_one_refusal() -> None:
    verdict = decide({"clusterf.service": "a b", "clusterf.backend.tcp": "81"})
    assert verdict.backends == []
    assert len(verdict.refusals) == 1


@pytest.mark.parametrize(
    ("exposed", "hint"),
    [
        ({"80/tcp": {}}, "it exposes 80/tcp; write clusterf.backend.tcp=80"),
        ({"53/udp": {}}, "it exposes 53/udp; write clusterf.backend.udp=53"),
        (None, "it exposes no port; EXPOSE a port and name it with clusterf.backend.tcp"),
    ],
)
def test_joining_without_a_port_says_what_could_be_written(exposed: object, hint: str) -> None:
    verdict = decide(
        {"clusterf.service": "web"},
        Config__ExposedPorts=exposed,
        NetworkSettings__Ports={},
    )
    [refusal] = verdict.refusals.values()
    assert (refusal.reason, refusal.hint) == ("no_port", hint)


def test_a_bad_port_label_is_not_also_a_missing_one() -> None:
    verdict = decide({"clusterf.service": "web", "clusterf.backend.tcp": "x"})
    assert [one.reason for one in verdict.refusals.values()] == ["bad_label"]


def test_no_address_is_one_refusal() -> None:
    verdict = decide({**LABELS, "clusterf.service": "a b"}, NetworkSettings__Networks={})
    assert verdict.backends == []
    assert [one.reason for one in verdict.refusals.values()] == ["no_network"]


def test_published_ports() -> None:
    values = {"addressing": "published", "host_ipv4": "192.0.2.10"}
    bindings = [{"HostIp": "0.0.0.0", "HostPort": "8080"}]
    verdict = decide(LABELS, values, NetworkSettings__Ports={"80/tcp": bindings})
    assert [(str(one.ipv4), one.ports.tcp) for one in verdict.backends] == [("192.0.2.10", 8080)]
    verdict = decide(LABELS, values)
    assert verdict.backends == []
    [refusal] = verdict.refusals.values()
    assert refusal.detail == "label clusterf.backend.tcp: port 80 is not published on the host"


def test_a_container_on_the_hosts_network_needs_no_published_port() -> None:
    values = {"addressing": "published", "host_ipv4": "192.0.2.10"}
    verdict = decide(LABELS, values, HostConfig__NetworkMode="host")
    assert [(str(one.ipv4), one.ports.tcp) for one in verdict.backends] == [("192.0.2.10", 80)]


@pytest.mark.parametrize(
    ("status", "health", "stopping", "expected"),
    [
        ("running", None, False, None),
        ("running", "healthy", False, None),
        ("running", "starting", False, "starting"),
        ("running", "unhealthy", False, "unhealthy"),
        ("running", "something new", False, None),
        ("paused", "unhealthy", False, "paused"),
        ("paused", None, True, "stopping"),
    ],
)
def test_quiesced(status: str, health: str | None, *, stopping: bool, expected: str | None) -> None:
    changes: dict[str, Any] = {"State__Status": status}
    changes["State__Health"] = health and {"Status": health}
    container = read(described("web1", 1, labels=None, **changes), identifier(1))
    assert quiesced(container, stopping=stopping, health=True) == expected


def test_health_can_be_ignored() -> None:
    container = read(described("x", 1, State__Health={"Status": "unhealthy"}), identifier(1))
    assert quiesced(container, stopping=False, health=False) is None


SETTINGS = st.fixed_dictionaries(
    {
        "addressing": st.sampled_from(["container", "published"]),
        "host_ipv4": st.sampled_from([None, "192.0.2.1"]),
        "network": st.sampled_from([None, "bridge", "x"]),
    }
)


@given(
    st.dictionaries(KEYS, VALUES),
    SETTINGS,
    st.dictionaries(st.sampled_from(PATHS), ANY_JSON, max_size=1),
)
def test_no_container_breaks_the_decision(
    labels: dict[str, str], values: dict[str, Any], changes: dict[str, Any]
) -> None:
    try:
        verdict = decide(labels, values, **changes)
    except Unreadable:
        return
    for backend in verdict.backends:
        assert backend.ipv4 or backend.ipv6
        assert any(backend.ports)
    for refusal in verdict.refusals.values():
        assert refusal.provenance is not None
        assert str(refusal).isprintable()
