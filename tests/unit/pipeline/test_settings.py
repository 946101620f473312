from __future__ import annotations

import pytest

from clusterf.model.defaults import Defaults
from clusterf.model.service import Frontend, Ports, StickyClients
from clusterf.model.table import (
    SCHEDULERS,
    AddressKey,
    Destination,
    Method,
    Persistence,
    Protocol,
)
from tests.strategies import backend, frontend, ip, spec, target, tcp
from tests.unit.pipeline.resolved import only, refused, resolved

SIX = AddressKey(Protocol.TCP, ip("2001:db8:1::1"), 80)


def test_settings_come_from_the_service_and_then_from_the_defaults() -> None:
    defaults = Defaults(
        scheduler="rr", weight=3, method=Method.DROUTE, upper_threshold=8, lower_threshold=4
    )
    open_ = only(resolved(spec("web", frontend(tcp=8080)), backend("b1"), defaults=defaults))
    assert open_.scheduler == "rr"
    assert open_.destinations == {target(1): Destination(3, Method.DROUTE, 8, 4)}
    said = spec(
        "web", frontend(tcp=8080), scheduler="lc", weight=0, method=Method.MASQ,
        upper_threshold=0, lower_threshold=0,
    )  # fmt: skip
    own = only(resolved(said, backend("b1"), defaults=defaults))
    assert own.scheduler == "lc"
    assert own.destinations == {target(1): Destination(0, Method.MASQ)}


def test_an_unknown_scheduler_falls_back_and_is_told() -> None:
    found = resolved(spec("web", frontend(), scheduler="wlcc"), backend("b1"))
    assert refused(found) == ["unknown_scheduler"]
    assert only(found).scheduler == "wlc"
    assert only(found).destinations


def test_flags_that_the_scheduler_does_not_have_are_told() -> None:
    one = spec("web", frontend(), scheduler="sh", flags=frozenset({"sh-port", "mh-port", "x"}))
    found = resolved(one, backend("b1"))
    assert refused(found) == ["unknown_flag"]
    assert "mh-port, x" in found.refusals[0].detail
    assert only(found).flags == {"sh-port", "sh-fallback"}


def test_default_flags_that_do_not_fit_are_left_out_silently() -> None:
    defaults = Defaults(flags=frozenset({"mh-port"}))
    found = resolved(spec("web", frontend()), backend("b1"), defaults=defaults)
    assert (refused(found), only(found).flags) == ([], frozenset())


@pytest.mark.parametrize("scheduler", sorted(SCHEDULERS))
def test_hashing_schedulers_always_fall_back_from_a_quiesced_destination(scheduler: str) -> None:
    found = only(resolved(spec("web", frontend(), scheduler=scheduler), backend("b1")))
    forced = {f"{scheduler}-fallback"} if scheduler in {"mh", "sh"} else set()
    assert found.flags == forced


def test_one_packet_scheduling_is_for_udp_only() -> None:
    both = spec("web", frontend(tcp=80, udp=80, sctp=80), Frontend(fwmark=1),
                flags=frozenset({"ops"}))  # fmt: skip
    found = resolved(both, backend("b1", ports=Ports(tcp=80, udp=80, sctp=80)))
    assert {str(key): set(one.flags) for key, one in found.entries.items()} == {
        "tcp 192.0.2.1:80": set(),
        "udp 192.0.2.1:80": {"ops"},
        "sctp 192.0.2.1:80": set(),
        "fwmark 1": {"ops"},
    }
    assert refused(found) == []


def test_persistence_groups_clients_by_the_prefix_of_the_family() -> None:
    both = Frontend(ipv4=ip("192.0.2.1"), ipv6=ip("2001:db8:1::1"), ports=Ports(tcp=80))
    found = resolved(spec("web", both, persistence=StickyClients(300, 24, 64)), backend("b1"))
    assert found.entries[tcp()].persistence == Persistence(300, 24)
    assert found.entries[SIX].persistence == Persistence(300, 64)


def test_default_persistence_holds_where_the_service_is_silent() -> None:
    defaults = Defaults(persistence=StickyClients(60))
    found = resolved(spec("web", frontend()), backend("b1"), defaults=defaults)
    assert only(found).persistence == Persistence(60, 32)
