from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from clusterf.model.service import Record, Ref
from clusterf_static.records import Content, read_content
from clusterf_static.shelf import Difference, Shelf


def content(name: str, data: dict[str, list[int]], routes: tuple[str, ...] = ()) -> Content:
    services = {
        service: {"backends": [f"198.51.100.{host}:80" for host in hosts]}
        for service, hosts in data.items()
    }
    return read_content(
        {"services": services, "routes": {route: {"method": "masq"} for route in routes}},
        "sources.files",
        name,
    )


A, B, C = Path("a.toml"), Path("b.toml"), Path("c.toml")


def refs(records: list[Record]) -> set[Ref]:
    return {record.ref for record in records}


def test_an_insertion_puts_only_what_is_new() -> None:
    shelf = Shelf()
    shelf.update({A: content("a.toml", {"one": [1], "two": [2]})})
    difference = shelf.update({A: content("a.toml", {"zero": [9], "one": [1], "two": [2]})})
    assert {ref[0] for ref in refs(difference.put)} == {"zero"}
    assert difference.drop == []


def test_services_count_in_the_order_of_files_and_places() -> None:
    shelf = Shelf()
    shelf.update({B: content("b.toml", {"three": [], "one": []})})
    shelf.update({A: content("a.toml", {"two": []})})
    orders = {record.ref[0]: record.order for record in shelf.records()}  # type: ignore[union-attr]
    assert sorted(orders, key=lambda name: orders[name]) == ["two", "three", "one"]


def test_exchanged_places_are_told() -> None:
    shelf = Shelf()
    shelf.update({A: content("a.toml", {"one": [1], "two": [2]})})
    difference = shelf.update({A: content("a.toml", {"two": [2], "one": [1]})})
    assert {tuple(ref) for ref in refs(difference.put)} == {("one",), ("two",)}


def test_routes_in_another_order_are_all_put_anew() -> None:
    shelf = Shelf()
    shelf.update({A: content("a.toml", {}, ("x", "y"))})
    assert shelf.update({A: content("a.toml", {}, ("x", "y"))}) == Difference()
    difference = shelf.update({A: content("a.toml", {}, ("x", "y", "z"))})
    assert [tuple(ref) for ref in refs(difference.put)] == [("z",)]
    difference = shelf.update({A: content("a.toml", {}, ("y", "x", "z"))})
    assert [tuple(record.ref) for record in difference.put] == [("y",), ("x",), ("z",)]
    assert len(difference.drop) == 3


FILES = st.fixed_dictionaries(
    {
        path: st.none()
        | st.tuples(
            st.dictionaries(st.sampled_from("pqr"), st.lists(st.integers(1, 3), unique=True)),
            st.lists(st.sampled_from("xyz"), unique=True).map(tuple),
        )
        for path in (A, B, C)
    }
)


@given(st.lists(FILES, min_size=1, max_size=5))
def test_what_is_published_is_what_the_files_say(history: list[dict[Path, object]]) -> None:
    """Differences, applied one after another, give what a fresh reading of all files gives."""
    shelf = Shelf()
    board: dict[Ref, Record] = {}
    for step in history:
        contents = {
            path: content(path.name, *state)  # type: ignore[misc]
            for path, state in step.items()
            if state is not None
        }
        difference = shelf.update(contents, [path for path, state in step.items() if state is None])
        for ref in difference.drop:
            del board[ref]
        board |= {record.ref: record for record in difference.put}
        assert board == {record.ref: record for record in shelf.records()}
        fresh = Shelf()
        fresh.update(contents)
        assert _comparable(shelf) == _comparable(fresh)
        assert shelf.duplicates == fresh.duplicates


def _comparable(shelf: Shelf) -> tuple[object, ...]:
    """Everything but the numbers themselves, of which only the order means something."""
    records = list(shelf.records())
    specs = sorted(
        (record for record in records if hasattr(record, "order")), key=lambda one: one.order
    )
    others = {record.ref: record for record in records if not hasattr(record, "order")}
    return [(spec.ref, spec.provenance) for spec in specs], others
