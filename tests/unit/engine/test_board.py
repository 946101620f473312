from __future__ import annotations

from collections.abc import Iterator

import pytest

from clusterf.engine.board import Board, BoardPublisher
from clusterf.model.provenance import Refusal
from clusterf.model.service import BackendRef, Record, RouteRef, ServiceRef
from clusterf.model.table import Method
from tests.strategies import backend, frontend, route, spec

REFUSAL = Refusal("container c1", "bad_port", "port 99999 is out of range")


class Told:
    """A board with sources ``a`` and ``b``, and how often each has spoken."""

    def __init__(self) -> None:
        self.board = Board()
        self.board.arrange(["a", "b"])
        self.board.take()
        self.spoke: list[str] = []
        self.a, self.b = self.end("a"), self.end("b")

    def end(self, name: str) -> BoardPublisher:
        return self.board.publisher(name, lambda: self.spoke.append(name))


@pytest.fixture
def told() -> Told:
    return Told()


# --- marks -------------------------------------------------------------------------------------


def test_a_record_marks_its_service_once(told: Told) -> None:
    told.a.put(spec("web"), backend("b1"), backend("b2", service="api"))
    told.a.put(backend("b1", weight=3))
    assert told.board.changed.is_set()
    assert told.board.take() == ["web", "api"]
    assert told.board.take() == []
    assert not told.board.changed.is_set()


def test_equal_records_mark_nothing(told: Told) -> None:
    told.a.put(spec("web"), backend("b1"), route("r"))
    told.board.take()
    told.a.put(spec("web"), backend("b1"), route("r"))
    assert told.board.take() == []
    assert not told.board.changed.is_set()


def test_an_unchanged_replace_of_many_marks_nothing(told: Told) -> None:
    def many() -> Iterator[Record]:
        for i in range(200):
            yield spec(f"s{i}", frontend())
            yield backend("b1", service=f"s{i}")
            yield route(f"r{i}")

    told.a.replace(many())
    assert len(told.board.take()) == 200
    told.a.replace(many())
    assert told.board.take() == []


def test_a_replace_marks_only_what_differs(told: Told) -> None:
    told.a.replace([spec("same"), spec("other"), spec("gone"), backend("b1", service="less")])
    told.board.take()
    told.a.replace([spec("same"), spec("other", weight=1), spec("new")])
    assert sorted(told.board.take()) == ["gone", "less", "new", "other"]
    assert told.board.services() == {"same", "other", "new"}


def test_a_replace_that_breaks_off_changes_nothing(told: Told) -> None:
    def broken() -> Iterator[Record]:
        yield spec("new")
        raise OSError("gone")

    told.a.replace([spec("web")])
    told.board.take()
    with pytest.raises(OSError, match="gone"):
        told.a.replace(broken())
    assert told.board.services() == {"web"}
    assert told.board.take() == []


def test_of_two_records_with_one_key_the_last_counts(told: Told) -> None:
    told.a.replace([backend("b1", weight=1), backend("b1", weight=2)])
    [contribution] = told.board.contributions("web")
    assert contribution.backends["b1"].weight == 2


def test_what_is_known_is_by_source_in_their_order(told: Told) -> None:
    told.b.put(spec("web", weight=2))
    told.a.put(spec("web", weight=1), backend("b1"))
    found = told.board.contributions("web")
    assert [(one.index, one.spec and one.spec.weight) for one in found] == [(0, 1), (1, 2)]
    assert told.board.contributions("api") == []


# --- dropping ----------------------------------------------------------------------------------


def test_dropping_marks_the_service(told: Told) -> None:
    told.a.put(spec("web"), backend("b1"), backend("b2"))
    told.board.take()
    told.a.drop(BackendRef("web", "b1"))
    assert told.board.take() == ["web"]
    told.a.drop(ServiceRef("web"))
    assert told.board.take() == ["web"]
    [contribution] = told.board.contributions("web")
    assert (contribution.spec, list(contribution.backends)) == (None, ["b2"])


def test_with_its_last_record_the_service_is_gone(told: Told) -> None:
    told.a.put(backend("b1"))
    told.a.drop(BackendRef("web", "b1"))
    assert told.board.services() == set()
    told.a.put(spec("web"))
    told.a.drop(ServiceRef("web"))
    assert told.board.services() == set()


def test_dropping_what_is_unknown_marks_nothing(told: Told) -> None:
    told.a.put(backend("b1"), spec("api"))
    told.board.take()
    told.a.drop(BackendRef("web", "x"), ServiceRef("web"), ServiceRef("x"), RouteRef("x"))
    told.b.drop(BackendRef("web", "b1"), ServiceRef("api"))
    assert told.board.take() == []
    assert told.board.services() == {"web", "api"}


# --- routes ------------------------------------------------------------------------------------


def test_a_route_marks_every_service(told: Told) -> None:
    told.a.put(spec("web"))
    told.b.put(spec("api"))
    told.board.take()
    told.a.put(route("r"))
    assert sorted(told.board.take()) == ["api", "web"]
    told.a.drop(RouteRef("r"))
    assert sorted(told.board.take()) == ["api", "web"]
    told.b.replace([spec("api"), route("q")])
    assert sorted(told.board.take()) == ["api", "web"]


def test_routes_come_by_source_and_then_by_name(told: Told) -> None:
    told.b.put(route("a", method=Method.MASQ), route("z"))
    told.a.put(route("y"), route("a", method=Method.TUNNEL))
    assert [(one.name, one.method) for one in told.board.routes()] == [
        ("a", Method.TUNNEL),
        ("y", None),
        ("z", None),
    ]
    assert told.board.routes() is told.board.routes()
    told.a.drop(RouteRef("a"))
    assert [one.name for one in told.board.routes()] == ["y", "a", "z"]


# --- speaking ----------------------------------------------------------------------------------


def test_a_source_is_known_from_its_first_replace_on(told: Told) -> None:
    assert told.board.unsynced() == ["a", "b"]
    told.a.put(spec("web"))
    assert told.board.unsynced() == ["a", "b"]
    told.a.replace([])
    assert told.board.unsynced() == ["b"]
    told.b.replace([])
    assert told.board.unsynced() == []


def test_speaking_wakes_the_reconciler_even_without_records(told: Told) -> None:
    told.a.replace([])
    assert told.board.changed.is_set()
    assert told.board.take() == []
    told.a.replace([])
    assert not told.board.changed.is_set()


def test_each_publication_shows_that_the_source_is_alive(told: Told) -> None:
    told.a.put()
    told.b.drop()
    told.a.replace([])
    assert told.spoke == ["a", "b", "a"]


def test_refusals_and_degradation_are_told_and_taken_back(told: Told) -> None:
    slot = told.board.slots["a"]
    told.a.refuse("c1", REFUSAL)
    told.a.degraded("the API hangs")
    assert (slot.refusals, slot.degraded) == ({"c1": REFUSAL}, "the API hangs")
    told.a.refuse("c1", None)
    told.a.refuse("never", None)
    told.a.degraded(None)
    assert (slot.refusals, slot.degraded) == ({}, None)
    assert told.board.take() == []


# --- reload ------------------------------------------------------------------------------------


def test_on_a_reload_what_stays_is_kept_and_what_goes_is_marked(told: Told) -> None:
    told.a.replace([spec("web")])
    told.b.replace([spec("api")])
    told.board.take()
    told.board.arrange(["b", "c"])
    assert told.board.take() == ["web"]
    assert told.board.services() == {"api"}
    assert told.board.unsynced() == ["c"]
    assert [slot.services.index for slot in told.board.slots.values()] == [0, 1]


def test_another_order_marks_everything_and_moves_the_contributions(told: Told) -> None:
    told.a.replace([spec("web")])
    told.b.replace([spec("api")])
    told.board.take()
    told.board.arrange(["b", "a"])
    assert sorted(told.board.take()) == ["api", "web"]
    assert [one.index for one in told.board.contributions("web")] == [1]
    told.a.put(backend("b1", service="new"))
    assert [one.index for one in told.board.contributions("new")] == [1]


def test_the_same_sources_again_mark_nothing(told: Told) -> None:
    told.a.replace([spec("web"), route("r")])
    told.board.take()
    told.board.arrange(["a", "b"])
    assert told.board.take() == []


def test_the_routes_of_a_source_that_goes_are_gone(told: Told) -> None:
    told.a.replace([route("r")])
    told.b.replace([spec("api")])
    told.board.take()
    told.board.arrange(["b"])
    assert told.board.take() == ["api"]
    assert told.board.routes() == ()


def test_when_the_source_that_was_waited_for_goes_the_reconciler_is_woken(told: Told) -> None:
    told.b.replace([])
    told.board.take()
    told.board.arrange(["b"])
    assert told.board.changed.is_set()


def test_a_successor_takes_over_the_records_but_not_the_complaints(told: Told) -> None:
    told.a.replace([spec("web")])
    told.a.refuse("c1", REFUSAL)
    told.a.degraded("the API hangs")
    told.board.take()
    successor = told.end("a")
    slot = told.board.slots["a"]
    assert (slot.refusals, slot.degraded, slot.synced) == ({}, None, True)
    assert told.board.services() == {"web"}
    successor.replace([spec("web")])
    assert told.board.take() == []
    successor.replace([])
    assert told.board.take() == ["web"]


def test_what_a_source_says_after_it_was_removed_is_not_heard(told: Told) -> None:
    told.board.arrange(["b"])
    told.a.put(spec("web"))
    assert told.board.services() == set()
