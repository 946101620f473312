from __future__ import annotations

from typing import Any

import pytest

from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Ports, Service, ServiceSpec, StickyClients
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf.pipeline.merge import Contribution, merge
from tests.strategies import backend, frontend, ip, spec

FIRST, SECOND = Provenance("sources.first"), Provenance("sources.second")


def merged(*contributions: Contribution) -> Service:
    found = merge("web", contributions)
    assert found is not None
    return found


def says(index: int, one: ServiceSpec | None, *backends: Backend) -> Contribution:
    return Contribution(index, one, {b.id: b for b in backends})


def test_a_service_that_nobody_knows_is_none() -> None:
    assert merge("web", []) is None


def test_one_source_alone_is_taken_as_it_is() -> None:
    one = spec("web", frontend(), order=7)
    found = merged(says(3, one, backend("b1")))
    assert (found.name, found.order, found.spec) == ("web", (3, 7, "web"), one)
    assert list(found.backends) == ["b1"]
    assert found.refusals == ()


def test_a_later_source_fills_what_the_earlier_leaves_open() -> None:
    found = merged(
        says(0, spec("web", scheduler="rr", provenance=FIRST)),
        says(1, spec("web", frontend(), weight=5, provenance=SECOND)),
    )
    assert (found.spec.scheduler, found.spec.weight) == ("rr", 5)
    assert found.spec.frontends == (frontend(),)
    assert found.spec.provenance == FIRST
    assert found.refusals == ()


def test_the_earlier_source_wins_and_the_contradiction_names_both() -> None:
    found = merged(
        says(0, spec("web", scheduler="rr", provenance=FIRST)),
        says(1, spec("web", scheduler="wlc", provenance=SECOND)),
    )
    assert found.spec.scheduler == "rr"
    [refusal] = found.refusals
    assert (refusal.reason, refusal.provenance) == ("conflict", SECOND)
    assert refusal.detail.startswith("scheduler of sources.second is not used: sources.first")


def test_sources_that_agree_do_not_conflict() -> None:
    one = says(0, spec("web", frontend(), weight=0, provenance=FIRST))
    other = says(1, spec("web", frontend(), weight=0, order=9, provenance=SECOND))
    assert merged(one, other).refusals == ()


def test_saying_zero_is_an_opinion() -> None:
    found = merged(says(0, spec("web", weight=0)), says(1, spec("web", weight=5)))
    assert found.spec.weight == 0
    assert [r.reason for r in found.refusals] == ["conflict"]


def test_the_first_source_that_defines_it_gives_the_order() -> None:
    found = merged(says(0, None, backend("b1")), says(1, spec("web", order=4)))
    assert found.order == (1, 4, "web")
    assert list(found.backends) == ["b1"]


def test_a_service_that_has_only_backends_comes_after_all_that_are_defined() -> None:
    found = merged(says(0, None, backend("b1")))
    assert found.spec.frontends is None
    assert found.order > (10_000, 10_000, "zzz")


def test_backends_come_by_source_and_then_by_id() -> None:
    found = merged(
        says(0, None, backend("z"), backend("y")),
        says(1, None, backend("b"), backend("a")),
    )
    assert list(found.backends) == ["y", "z", "a", "b"]
    assert list(merged(says(0, None, backend("z"), backend("y"))).backends) == ["y", "z"]


def test_of_two_backends_with_one_id_the_earlier_source_s_is_kept() -> None:
    kept = backend("b1", weight=1, provenance=FIRST)
    found = merged(says(0, None, kept), says(1, None, backend("b1", weight=2, provenance=SECOND)))
    assert found.backends == {"b1": kept}
    [refusal] = found.refusals
    assert (refusal.subject, refusal.reason) == ("service web backend b1", "conflict")
    assert refusal.provenance == SECOND


@pytest.mark.parametrize(
    "fact",
    [
        {"ipv4": ip("198.51.100.9")},
        {"ipv6": ip("2001:db8::9")},
        {"ports": Ports(tcp=1)},
        {"weight": 3},
        {"quiesced": "unhealthy"},
        {"method": Method.DROUTE},
        {"gateway": ip("198.51.100.9")},
        {"tunnel": Tunnel(TunnelType.GRE)},
        {"upper_threshold": 5},
        {"lower_threshold": 5},
    ],
)
def test_every_fact_that_reaches_the_kernel_can_conflict(fact: dict[str, Any]) -> None:
    found = merged(says(0, None, backend("b1")), says(1, None, backend("b1", **fact)))
    assert [refusal.reason for refusal in found.refusals] == ["conflict"]


def test_labels_and_provenance_do_not_conflict() -> None:
    other = backend("b1", labels={"a": "b"}, provenance=SECOND)
    assert merged(says(0, None, backend("b1")), says(1, None, other)).refusals == ()


def test_merging_changes_nothing_that_a_source_said() -> None:
    first, second = (
        says(0, spec("web"), backend("b1")),
        says(1, spec("web", weight=1), backend("b2")),
    )
    merged(first, second)
    assert list(first.backends) == ["b1"]
    assert first.spec == spec("web")


@pytest.mark.parametrize(
    ("attribute", "ours", "theirs"),
    [
        ("flags", frozenset({"ops"}), frozenset()),
        ("persistence", StickyClients(1), StickyClients(2)),
        ("elide", True, False),
        ("method", Method.MASQ, Method.TUNNEL),
        ("upper_threshold", 0, 1),
        ("lower_threshold", 0, 1),
        ("tunnel", Tunnel(), Tunnel(port=1)),
    ],
)
def test_every_setting_is_merged(attribute: str, ours: object, theirs: object) -> None:
    filled = merged(says(0, spec("web")), says(1, spec("web", **{attribute: theirs})))
    assert getattr(filled.spec, attribute) == theirs
    kept = merged(
        says(0, spec("web", **{attribute: ours})), says(1, spec("web", **{attribute: theirs}))
    )
    assert getattr(kept.spec, attribute) == ours
    assert len(kept.refusals) == 1
