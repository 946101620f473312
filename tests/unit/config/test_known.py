from __future__ import annotations

from clusterf.config.known import Known
from clusterf.model.provenance import Provenance
from clusterf.model.service import NO_PORTS, Backend, BackendRef, Route, ServiceRef, ServiceSpec
from clusterf.plugin import Document, Foretold

ONE = Provenance("sources.one", "services.web")
TWO = Provenance("sources.two", "services.web")


def foretold(source: str, provenance: Provenance) -> Foretold:
    records = (
        ServiceSpec("web", provenance),
        Backend("web", "a", NO_PORTS, provenance),
        Route("all", provenance),
    )
    return Foretold(source, Document.parse(source, b""), records, lambda ref, _: tuple(ref))


def test_what_several_sources_say_comes_in_the_order_of_the_configuration() -> None:
    known = Known([foretold("sources.one", ONE), foretold("sources.two", TWO)])
    assert list(known.services) == ["web"]
    order = {"sources.two": 0, "sources.one": 1}
    contributions = known.contributions("web", order)
    assert [one.spec and one.spec.provenance for one in contributions] == [TWO, ONE]
    assert [route.provenance for route in known.routes] == [ONE]


def test_a_subject_is_found_as_of_its_provenance_or_where_it_is_first() -> None:
    one, two = foretold("sources.one", ONE), foretold("sources.two", TWO)
    known = Known([one, two])
    assert known.place("service web", TWO) == (two, ServiceRef("web"))
    assert known.place("service web", None) == (one, ServiceRef("web"))
    elsewhere = Provenance("policies[0]")
    assert known.place("service web backend a", elsewhere) == (one, BackendRef("web", "a"))
    assert known.place("service api", ONE) is None
