from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clusterf.model.address import Family
from clusterf.model.defaults import Defaults
from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Facts, Frontend, Ports, Service
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf.pipeline.resolve import resolve
from clusterf.testing import InstanceContext
from clusterf_local.policy import LocalPolicy
from clusterf_local.settings import LocalSettings
from tests.strategies import MANAGED, backend, frontend, ip, service, spec

HERE = Provenance("sources.docker", "container a")
ELSEWHERE = Provenance("sources.cluster", "services/web/backends/b")
BOTH = Frontend(ipv4=ip("192.0.2.1"), ipv6=ip("2001:db8:1::1"), ports=Ports(tcp=80))
GATEWAY = ip("192.0.2.12")


def policy(**settings: Any) -> LocalPolicy:
    if not settings.keys() & {"sources", "prefixes"}:
        settings["sources"] = ["docker"]
    context = InstanceContext("policies[1]", folder=Path())
    return LocalPolicy(LocalSettings.model_validate(settings), context)


def web(*backends: Backend, **settings: Any) -> Service:
    return service(spec("web", BOTH, **settings), *backends)


def apply(to: Service, method: Method = Method.MASQ, **settings: Any) -> Service:
    return policy(**settings).apply(to, Facts(method=method))


def dual(identity: str, ipv4: str, ipv6: str, **facts: Any) -> Backend:
    return backend(identity, ipv4=ip(ipv4), ipv6=ip(ipv6), **facts)


def test_backends_of_other_hosts_are_dropped_and_told_as_a_number() -> None:
    mine = backend("a", provenance=HERE)
    after = apply(web(mine, *(backend(f"b{n}", n, provenance=ELSEWHERE) for n in range(1, 41))))
    assert after.backends == {"a": mine}
    [refusal] = after.refusals
    assert (refusal.subject, refusal.reason) == ("service web", "not_local")
    assert refusal.detail == "40 of its backends are of other hosts and left out"
    assert refusal.provenance == Provenance("policies[1]")


@pytest.mark.parametrize("sources", [["docker"], ["sources.docker"], ["nothing", "dock*"]])
def test_a_source_is_named_with_or_without_its_section(sources: list[str]) -> None:
    before = web(backend("a", provenance=HERE), backend("b", 2, provenance=ELSEWHERE))
    assert list(apply(before, sources=sources).backends) == ["a"]


def test_either_criterion_is_enough() -> None:
    before = web(
        backend("by-source", 1, provenance=HERE),
        backend("by-prefix", 65, provenance=ELSEWHERE),
        backend("neither", 129, provenance=ELSEWHERE),
    )
    after = apply(before, sources=["docker"], prefixes=["198.51.100.64/26"])
    assert list(after.backends) == ["by-source", "by-prefix"]
    assert list(apply(before, prefixes=["198.51.100.64/26"]).backends) == ["by-prefix"]


def test_what_is_here_loses_what_routes_said_and_others_keep_it() -> None:
    gue = Tunnel(TunnelType.GUE, 6080)
    routed = {"method": Method.TUNNEL, "gateway": GATEWAY, "tunnel": gue, "weight": 7}
    before = web(
        backend("a", provenance=HERE, **routed), backend("b", 2, provenance=ELSEWHERE, **routed)
    )
    after = apply(before, others="keep")
    a = after.backends["a"]
    assert (a.method, a.gateway, a.tunnel, a.weight) == (Method.MASQ, None, None, 7)
    assert after.backends["b"] is before.backends["b"]
    assert list(after.backends) == ["a", "b"]
    assert after.refusals == ()


def test_the_method_is_the_settings() -> None:
    before = web(backend("a", provenance=HERE))
    assert apply(before, method=Method.DROUTE).backends["a"].method is Method.MASQ
    service_says = web(backend("a", provenance=HERE), method=Method.TUNNEL)
    assert apply(service_says).backends["a"].method is Method.MASQ
    after = policy(method="droute").apply(before, Facts())
    assert after.backends["a"].method is Method.DROUTE


@pytest.mark.parametrize("others", ["drop", "keep"])
def test_a_service_that_is_as_wanted_is_the_same_object(others: str) -> None:
    before = web(
        backend("a", provenance=HERE),
        backend("b", 2, provenance=HERE, method=Method.MASQ),
    )
    assert apply(before, others=others) is before
    empty = web()
    assert apply(empty, others=others) is empty


def test_a_method_that_holds_anyway_is_not_written_into_backends() -> None:
    before = web(
        backend("a", provenance=HERE),
        backend("b", 2, provenance=HERE, method=Method.DROUTE),
        method=Method.MASQ,
    )
    after = apply(before, Method.DROUTE)
    assert after.backends["a"] is before.backends["a"]
    assert after.backends["b"].method is Method.MASQ


# --- two families ----------------------------------------------------------------------------


def test_of_a_backend_with_one_address_here_the_other_address_goes() -> None:
    before = web(
        dual("both", "198.51.100.1", "2001:db8:2::1"),
        dual("four", "198.51.100.2", "2001:db8:9::2"),
        dual("six", "203.0.113.3", "2001:db8:2::3"),
        dual("none", "203.0.113.4", "2001:db8:9::4"),
    )
    after = apply(before, prefixes=["198.51.100.0/24", "2001:db8:2::/64"])
    assert after.backends["both"] is before.backends["both"]
    assert (after.backends["four"].ipv4, after.backends["four"].ipv6) == (ip("198.51.100.2"), None)
    assert (after.backends["six"].ipv4, after.backends["six"].ipv6) == (None, ip("2001:db8:2::3"))
    assert "none" not in after.backends
    assert {refusal.reason: refusal.detail.split()[0] for refusal in after.refusals} == {
        "not_local": "1",
        "half_local": "2",
    }


def test_of_a_backend_of_a_source_here_both_addresses_stay() -> None:
    before = web(dual("a", "198.51.100.1", "2001:db8:2::1", provenance=HERE))
    assert apply(before, sources=["docker"], prefixes=["198.51.100.0/24"]) is before


def test_a_lost_address_by_which_no_client_comes_is_not_told() -> None:
    one = dual("a", "198.51.100.1", "2001:db8:2::1")
    before = service(spec("web", frontend()), one)
    after = apply(before, prefixes=["198.51.100.0/24"])
    assert after.backends["a"].ipv6 is None
    assert after.refusals == ()
    six = Frontend(fwmark=1, family=Family.INET6)
    [refusal] = apply(service(spec("web", six), one), prefixes=["198.51.100.0/24"]).refusals
    assert refusal.reason == "half_local"


def test_an_address_of_the_other_family_is_never_in_a_prefix() -> None:
    before = web(backend("a", ipv4=None, ipv6=ip("2001:db8:2::1")))
    assert apply(before, prefixes=["0.0.0.0/0"]).backends == {}
    assert apply(before, prefixes=["::/0"]) is before


# --- services --------------------------------------------------------------------------------


def test_services_that_it_is_not_about_stay_as_they_are() -> None:
    one = policy(services=["*-local", "web[0-9]"])
    for name, concerned in (("web", False), ("web-local", True), ("web1", True), ("web10", False)):
        before = service(spec(name, BOTH), backend("b", service=name, provenance=ELSEWHERE))
        after = one.apply(before, Facts())
        assert (after is not before) is concerned, name
        assert bool(after.backends) is not concerned, name


# --- firewall marks --------------------------------------------------------------------------


def test_by_a_mark_comes_only_what_is_here() -> None:
    mine = backend("a", provenance=HERE)
    theirs = backend("b", 2, provenance=ELSEWHERE, method=Method.DROUTE, gateway=GATEWAY)
    before = service(spec("web", frontend(), Frontend(fwmark=1)), mine, theirs)
    after = policy(others="keep").apply(before, Facts())
    entries = resolve(after, Defaults(), MANAGED).entries
    targets = {str(key): set(map(str, one.destinations)) for key, one in entries.items()}
    assert targets == {
        "tcp 192.0.2.1:80": {"198.51.100.1:8080", "192.0.2.12:80"},
        "fwmark 1": {"198.51.100.1:8080"},
    }
    assert resolve(after, Defaults(), MANAGED).refusals == ()


def test_a_service_of_marks_alone_drops_the_others() -> None:
    before = service(spec("web", Frontend(fwmark=1)), backend("b", provenance=ELSEWHERE))
    after = policy(others="keep").apply(before, Facts())
    assert after.backends == {}
    assert [refusal.reason for refusal in after.refusals] == ["not_local"]
