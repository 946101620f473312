"""What the samples say about the targets.

A row compares ours with theirs and has a ratio that reads as the target does: "at least 5 times
faster" is theirs / ours >= 5, "within 3 times of" is ours / theirs <= 3. Ratios are medians of
the ratios of pairs, each pair taken one right after the other.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from tests.bench.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Result = dict[str, Any]

_SECOND: Final = 1e9
_MEMORY_MB: Final = 250
_OWN_PART: Final = 0.01
"""Seconds between an event and the kernel that are ours: single-digit milliseconds."""
_FEW: Final = 10
"""Sends to the kernel for a hundred puts that came one by one, and at once."""
_PEERS: Final = {"ipvsadm": "ipvsadm -R", "c": "a bare C sender", "pyroute2": "pyroute2"}
_FASTER: Final = {("ipvsadm", 11_000): 5.0, ("ipvsadm", 110_000): 8.0}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of build/bench.json. None is "not measured" or "has no target"."""

    name: str
    ours: float | None
    theirs: float | None
    ratio: float | None
    target: str | None
    holds: bool | None

    def json(self) -> Result:
        return asdict(self)


def at_least(
    name: str, ours: float | None, theirs: float | None, ratio: float | None, bound: float | None
) -> Row:
    if bound is None:
        return Row(name, ours, theirs, ratio, None, None)
    holds = None if ratio is None else ratio >= bound
    return Row(name, ours, theirs, ratio, f">= {bound:g}", holds)


def at_most(
    name: str, ours: float | None, theirs: float | None, ratio: float | None, bound: float
) -> Row:
    holds = None if ratio is None else ratio <= bound
    return Row(name, ours, theirs, ratio, f"<= {bound:g}", holds)


def rows(results: Sequence[Result]) -> list[Row]:
    """Judge whatever was measured; a step that was not taken gives no row."""
    return [
        *_loads(results),
        *_changes(results),
        *_relists(results),
        *_again(results),
        *_whole(results),
        *_containers(results),
        *_listings(results),
        *_puts(results),
        *_hundreds(results),
    ]


def times(results: Iterable[Result]) -> dict[tuple[str, Shape], float]:
    """Median seconds of each loader at each shape."""
    taken: dict[tuple[str, Shape], list[int]] = {}
    for result in results:
        if result["step"] == "load" and "ns" in result:
            where = (result["who"], Shape.parse(result["shape"]))
            taken.setdefault(where, []).append(result["ns"])
    return {where: median(ns) / _SECOND for where, ns in taken.items()}


def _loads(results: Sequence[Result]) -> Iterator[Row]:
    shapes = dict.fromkeys(r["shape"] for r in results if r["step"] == "load")
    for text in sorted(shapes, key=lambda text: Shape.parse(text).entries):
        shape = Shape.parse(text)
        taken = [r for r in results if r["step"] == "load" and r.get("shape") == text]
        for peer, title in _PEERS.items():
            if not any(r.get("who") == peer for r in taken):
                continue
            name = f"load {shape.entries:,} entries ({shape}), seconds, against {title}"
            ours, theirs, pairs = _paired(taken, peer)
            if peer == "c":
                ratio = median(a / b for a, b in pairs) if pairs else None
                yield at_most(name, ours, theirs, ratio, 3)
            else:
                ratio = median(b / a for a, b in pairs) if pairs else None
                bound = 50.0 if peer == "pyroute2" else _FASTER.get((peer, shape.entries))
                yield at_least(name, ours, theirs, ratio, bound)


def _paired(
    taken: Sequence[Result], peer: str
) -> tuple[float | None, float | None, list[tuple[float, float]]]:
    """Medians of ours and theirs in seconds, and the pairs of one round of one step."""
    ours = {(r["at"], r["round"]): r["ns"] for r in taken if r.get("who") == "ours" and "ns" in r}
    theirs = {(r["at"], r["round"]): r["ns"] for r in taken if r.get("who") == peer and "ns" in r}
    pairs = [(ours[turn], theirs[turn]) for turn in ours.keys() & theirs.keys()]
    mine = median(a for a, _ in pairs) if pairs else None
    # A run that was cut short may have one side of a pair, or neither.
    alone = median(theirs.values()) if theirs else None
    others = median(b for _, b in pairs) if pairs else alone
    return (mine and mine / _SECOND), (others and others / _SECOND), pairs


def _changes(results: Sequence[Result]) -> Iterator[Row]:
    """One change in the largest table against one in the smallest."""
    for who, title in (("ours", "one changed weight"), ("c", "the same by a bare C sender")):
        taken = {
            Shape.parse(r["shape"]).entries: median(r["ns"]) / _SECOND
            for r in results
            if r["step"] == "change" and r["who"] == who and "ns" in r
        }
        if len(taken) < 2:
            continue
        large, small = max(taken), min(taken)
        ratio = taken[large] / taken[small]
        name = f"{title}, seconds, among {large:,} entries against among {small:,}"
        if who == "ours":
            yield at_most(name, taken[large], taken[small], ratio, 1.5)
        else:
            yield Row(name, taken[large], taken[small], ratio, None, None)


def _relists(results: Sequence[Result]) -> Iterator[Row]:
    for result in results:
        if result["step"] == "relist" and "ns" in result:
            shape = Shape.parse(result["shape"])
            where = f"an unchanged list of {shape.entries - shape.services:,} backends"
            yield _none_of(f"services marked by {where}", result["marked"])


def _again(results: Sequence[Result]) -> Iterator[Row]:
    for result in results:
        if result["step"] == "again" and "ns" in result:
            where = f"{Shape.parse(result['shape']).entries:,} entries"
            seconds = result["ns"][0] / _SECOND
            yield Row(f"look at {where} and plan, seconds", seconds, None, None, None, None)
            writes = result["writes"] if "writes" in result else result["operations"]
            yield _none_of(f"writes of a no-op reconcile of {where}", writes)


def _whole(results: Sequence[Result]) -> Iterator[Row]:
    shapes = dict.fromkeys(r["shape"] for r in results if r["step"] == "whole" and "ns" in r)
    for text in shapes:
        taken = [r for r in results if r["step"] == "whole" and "ns" in r and r["shape"] == text]
        where = f"{Shape.parse(text).entries:,} entries"
        ours, theirs, pairs = _paired(taken, "ipvsadm")
        ratio = median(b / a for a, b in pairs) if pairs else None
        name = f"whole process, exec to {where}, seconds, against ipvsadm -R"
        yield at_least(name, ours, theirs, ratio, 2)
        peak = max(r["peak_rss_kb"] for r in taken if r["who"] == "ours") / 1024
        name = f"peak memory at {where}, MB, against {_MEMORY_MB} MB"
        yield at_most(name, peak, _MEMORY_MB, peak / _MEMORY_MB, 1)
    for result in results:
        if "restart_writes" in result:
            where = f"{Shape.parse(result['shape']).entries:,} entries"
            yield _none_of(f"writes of a warm restart at {where}", result["restart_writes"])


def _containers(results: Sequence[Result]) -> Iterator[Row]:
    for result in results:
        if result["step"] == "container" and "own_ns" in result:
            yield from _reactions(result, "start of a container", "a container's start")


def _puts(results: Sequence[Result]) -> Iterator[Row]:
    for result in results:
        if result["step"] == "etcd-put" and "own_ns" in result:
            yield from _reactions(result, "put in etcd", "a put in etcd")


def _reactions(result: Result, event: str, beginning: str) -> Iterator[Row]:
    elapsed, own = (median(result[name]) / _SECOND for name in ("ns", "own_ns"))
    yield Row(f"{event} to the kernel's ACK, seconds", elapsed, None, None, None, None)
    name = f"our CPU time from {beginning} to the ACK, seconds, against {_OWN_PART} s"
    yield at_most(name, own, _OWN_PART, own / _OWN_PART, 1)


def _listings(results: Sequence[Result]) -> Iterator[Row]:
    """A whole list of etcd: by the source, and by a client that only reads it."""
    taken = [r for r in results if r["step"] == "etcd-load" and "error" not in r]
    for text in dict.fromkeys(r["shape"] for r in taken):
        same = [r for r in taken if r["shape"] == text]
        keys = f"{Shape.parse(text).entries:,} keys of etcd"
        ours, theirs, pairs = _paired(same, "bare")
        ratio = median(a / b for a, b in pairs) if pairs else None
        name = f"load {keys}, seconds of client CPU, against the bare gateway"
        yield at_most(name, ours, theirs, ratio, 3)
        for result in same:
            if "relist_ns" in result:
                seconds = median(result["relist_ns"]) / _SECOND
                name = f"list {keys} again, unchanged, seconds of client CPU"
                yield Row(name, seconds, None, None, None, None)
                yield _none_of(f"services marked by listing {keys} again", result["marked"])


def _hundreds(results: Sequence[Result]) -> Iterator[Row]:
    for result in results:
        if result["step"] == "etcd-hundred" and "sends" in result:
            most = max(result["sends"])
            if result["who"] == "transaction":
                name = "sends to the kernel for 100 puts in one transaction"
                yield Row(name, most, 100, None, "1", most == 1)
            else:
                name = "sends to the kernel for 100 separate puts at once, against 100"
                yield at_most(name, most, 100, most / 100, _FEW / 100)


def _none_of(name: str, count: int) -> Row:
    return Row(name, count, 0, None, "0", count == 0)
