"""The policy ``local`` against an oracle that knows only ipaddress and sets."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from clusterf.model.address import Address, Network
from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Facts, Ports, Service
from clusterf.model.table import Method
from clusterf.testing import InstanceContext
from clusterf_local.policy import LocalPolicy
from clusterf_local.settings import LocalSettings
from tests.strategies import hosts4, hosts6, service, spec, tunnels

HERE = Provenance("sources.docker")

sources = st.sampled_from([HERE, Provenance("sources.etcd"), Provenance("services")])
prefixes = st.lists(
    st.sampled_from(
        ["198.51.100.0/31", "198.51.100.2/32", "0.0.0.0/0", "2001:db8:2::/127", "2001:db8:2::4"]
    ),
    max_size=3,
)


@st.composite
def services(draw: st.DrawFn) -> Service:
    families = st.one_of(
        st.tuples(hosts4, st.none()), st.tuples(st.none(), hosts6), st.tuples(hosts4, hosts6)
    )
    backends = []
    for index in range(draw(st.integers(0, 6))):
        ipv4, ipv6 = draw(families)
        backends.append(
            Backend(
                service="web",
                id=f"b{index}",
                ports=Ports(tcp=80),
                provenance=draw(sources),
                method=draw(st.none() | st.sampled_from(Method)),
                gateway=draw(st.none() | hosts4),
                tunnel=draw(st.none() | tunnels),
                ipv4=ipv4,
                ipv6=ipv6,
            )
        )
    return service(spec("web"), *backends)


@st.composite
def settings(draw: st.DrawFn) -> LocalSettings:
    return LocalSettings(
        sources=draw(st.sampled_from([["docker"], ["sources.d*", "none"]])),
        prefixes=[Network.parse(one) for one in draw(prefixes)],
        method=draw(st.sampled_from(Method)),
        others=draw(st.sampled_from(["drop", "keep"])),
    )


def here(backend: Backend, said: LocalSettings) -> set[Address]:
    """Which addresses of a backend are of this host, as the README has it."""
    own = {one for one in (backend.ipv4, backend.ipv6) if one is not None}
    if backend.provenance == HERE:
        return own
    nets = [ipaddress.ip_network(str(prefix)) for prefix in said.prefixes]
    return {one for one in own if any(ipaddress.ip_address(bytes(one)) in net for net in nets)}


@given(services(), settings(), st.sampled_from(Method))
def test_what_is_here_is_at_its_own_address_and_nothing_else_changes(
    before: Service, said: LocalSettings, default: Method
) -> None:
    policy = LocalPolicy(said, InstanceContext("policies[0]", folder=Path()))
    after = policy.apply(before, Facts(method=default))
    for identity, backend in before.backends.items():
        mine = here(backend, said)
        found = after.backends.get(identity)
        if mine:
            assert found is not None
            assert {one for one in (found.ipv4, found.ipv6) if one is not None} == mine
            assert (found.method or default) is said.method
            assert (found.gateway, found.tunnel) == (None, None)
            assert (found.ports, found.provenance) == (backend.ports, backend.provenance)
        else:
            assert found is (backend if said.others == "keep" else None)
    assert list(after.backends) == [one for one in before.backends if one in after.backends]
    assert policy.apply(after, Facts(method=default)).backends == after.backends, "once is enough"
