from __future__ import annotations

from pathlib import Path

import pytest
import trio

from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import Backend, BackendRef, Ports, Route
from clusterf.testing import InstanceContext, RecordingPublisher, service


def backend(name: str, *, weight: int = 1) -> Backend:
    return Backend(
        service="web", id=name, ports=Ports(80), weight=weight, provenance=Provenance("sources.x")
    )


async def test_it_behaves_like_the_board() -> None:
    publish = RecordingPublisher()
    assert not publish.synced
    publish.put(backend("a"), backend("b"))
    assert not publish.synced
    assert publish.marked() == ["web"]
    publish.put(backend("a"))
    assert publish.marked() == []
    publish.replace([backend("a", weight=2)])
    assert publish.synced
    assert publish.backends("web") == {"a": backend("a", weight=2)}
    publish.drop(BackendRef("web", "a"))
    assert publish.services() == set()
    assert [what for what, _ in publish.said] == ["put", "put", "replace", "drop"]
    assert len(publish.moments) == 4


async def test_routes_are_told_by_name() -> None:
    publish = RecordingPublisher()
    route = Route(name="r", provenance=Provenance("sources.x"))
    publish.put(route)
    assert publish.routes() == {"r": route}
    publish.replace([])
    assert publish.routes() == {}


async def test_refusals_and_degradation() -> None:
    publish = RecordingPublisher()
    refusal = Refusal("x", "bad_label", "is bad")
    publish.refuse("x", refusal)
    publish.degraded("away")
    assert (publish.refusals, publish.degradation) == ({"x": refusal}, "away")
    publish.refuse("x", None)
    publish.degraded(None)
    assert (publish.refusals, publish.degradation) == ({}, None)


async def test_waiting_ends_with_the_call_that_makes_it_true(
    autojump_clock: trio.testing.MockClock,  # noqa: ARG001 # pytest-trio looks at arguments only
) -> None:
    publish = RecordingPublisher()
    context = InstanceContext("sources.x", folder=Path("/"))

    async def source() -> None:
        await trio.sleep(5)
        publish.replace([backend("a")])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(source)
        began = context.clock()
        await publish.until(lambda: publish.synced)
        assert context.clock() - began == pytest.approx(5)


async def test_waiting_in_vain_ends(
    autojump_clock: trio.testing.MockClock,  # noqa: ARG001 # pytest-trio looks at arguments only
) -> None:
    with pytest.raises(trio.TooSlowError):
        await RecordingPublisher().until(lambda: False, 3)


async def test_what_a_source_says_of_a_service_itself() -> None:
    publish = RecordingPublisher()
    assert publish.spec("web") is None
    spec = service("web", "192.0.2.1")
    publish.put(spec)
    assert publish.spec("web") == spec
