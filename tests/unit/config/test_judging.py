"""What `tests/unit/config/test_topology.py` cannot show: refusals of drop-ins."""

from __future__ import annotations

import pytest

from clusterf.config.judging import Certainty, Judge
from clusterf.config.known import Known
from clusterf.model.problem import Code, Severity
from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import NO_PORTS, Backend, Ref, Service, ServiceSpec
from clusterf.pipeline.claims import Claims
from clusterf.plugin import Document, Foretold
from clusterf.plugin.positions import KeyPath

HERE = Provenance("sources.a", "services.web")
SPEC = ServiceSpec("web", HERE)
BACKEND = Backend("web", "a", NO_PORTS, HERE)


def place(ref: Ref, about: object) -> KeyPath:
    return (str(ref[0]),) if about is None else (str(ref[0]), str(about))


def judged(refusal: Refusal, *, routed: bool = True, known: bool = True) -> list[tuple[str, ...]]:
    document = Document.parse("a.toml", b"web = { scheduler = 1 }\n")
    records = (SPEC, BACKEND) if known else (BACKEND,)
    judge = Judge(
        Known([Foretold("sources.a", document, records, place)]),
        Certainty(complete=routed, routed=routed),
    )
    judge.refused(Service("web", (0, 0, "web"), SPEC, {"a": BACKEND}), refusal, Claims())
    return [(one.code, one.severity, one.path, one.message) for one in judge.problems]


@pytest.mark.parametrize("routed", [True, False])
def test_what_a_policy_leaves_out_is_no_fault(*, routed: bool) -> None:
    refusal = Refusal("service web", "too_old", "is too old")
    told = [(Code.LEFT_OUT, Severity.NOTE, "web", "is too old")]
    assert judged(refusal, routed=routed) == told


def test_a_refusal_of_anything_stands_at_its_service() -> None:
    assert judged(Refusal("moon", "phase", "is wrong"))[0][2] == "web"
    # That only its backends are known in files is no obstacle.
    assert judged(Refusal("moon", "phase", "is wrong"), known=False)[0][2] == "web"


def test_a_field_of_the_record_is_found() -> None:
    refusal = Refusal("service web", "unknown_scheduler", "is unknown", about="scheduler")
    assert judged(refusal)[0][2] == "web.scheduler"


def test_what_a_route_can_undo_is_a_note_while_routes_are_unknown() -> None:
    refusal = Refusal("service web backend a", "port_rewrite_needs_masq", "its port differs")
    assert judged(refusal)[0][:2] == (Code.PORT_REWRITE, Severity.ERROR)
    assert judged(refusal, routed=False)[0][:2] == (Code.PORT_REWRITE, Severity.NOTE)


def test_two_things_that_a_policy_says_of_one_service_are_two() -> None:
    document = Document.parse("a.toml", b"web = { scheduler = 1 }\n")
    known = Known([Foretold("sources.a", document, (SPEC, BACKEND), place)])
    judge = Judge(known, Certainty(complete=True, routed=True))
    service = Service("web", (0, 0, "web"), SPEC, {"a": BACKEND})
    for detail in ("is too old", "is too new", "is too old"):
        judge.refused(service, Refusal("service web", "age", detail), Claims())
    assert [one.message for one in judge.problems] == ["is too old", "is too new"]
