from __future__ import annotations

from clusterf.engine.board import Board
from clusterf.engine.statements import BoardStatements
from clusterf.model.provenance import Provenance
from clusterf.model.service import BackendRef, Record, Route
from clusterf.pipeline.override import Drained
from tests.strategies import backend, frontend, spec


def board(**says: list[Record] | None) -> Board:
    """Sources in their order; None: silent."""
    made = Board()
    made.arrange(list(says))
    for name, records in says.items():
        if records is not None:
            made.publisher(name, lambda: None).replace(records)
    return made


def route(name: str, source: str) -> Route:
    return Route(name, Provenance(source))


def test_only_the_sources_asked_for_have_a_say() -> None:
    said = BoardStatements(
        board(
            etcd=[spec("web", frontend()), backend("own", weight=1), backend("other")],
            docker=[backend("own", weight=2), backend("api", service="api")],
        ),
        dict,
    )
    assert said.services(lambda name: name == "docker") == {"web", "api"}
    service = said.service("web", lambda name: name == "docker")
    assert service is not None
    assert [(one.id, one.weight) for one in service.backends.values()] == [("own", 2)]
    assert service.spec.frontends is None
    assert said.service("web", lambda name: name == "nobody") is None
    both = said.service("web", lambda _: True)
    assert both is not None
    assert set(both.backends) == {"own", "other"}


def test_an_operators_order_is_among_what_is_said() -> None:
    orders: dict[Drained, str] = {}
    said = BoardStatements(board(docker=[backend("b1"), backend("b2")]), lambda: orders)
    orders[Drained("web", "b1")] = "drained by an operator"
    service = said.service("web", lambda _: True)
    assert service is not None
    assert {one.id: one.quiesced for one in service.backends.values()} == {
        "b1": "drained by an operator",
        "b2": None,
    }


def test_routes_are_those_of_the_sources_asked_for() -> None:
    said = BoardStatements(
        board(a=[route("r2", "a"), route("r1", "a")], b=[route("r1", "b"), route("r3", "b")]), dict
    )
    assert said.routes(lambda _: True) == (route("r1", "a"), route("r2", "a"), route("r3", "b"))
    assert said.routes(lambda name: name == "b") == (route("r1", "b"), route("r3", "b"))


def test_who_has_not_spoken_is_told() -> None:
    said = BoardStatements(board(a=None, b=[], c=None), dict)
    assert said.unspoken(lambda _: True) == ["a", "c"]
    assert said.unspoken(lambda name: name != "a") == ["c"]


def test_it_is_alive() -> None:
    made = board(a=[backend("b1")])
    said = BoardStatements(made, dict)
    made.publisher("a", lambda: None).drop(BackendRef("web", "b1"))
    assert said.services(lambda _: True) == set()
