from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from clusterf.model.operation import Operation, Outcome, Plan, Stage, successes
from clusterf.model.service import Facts, Service, ServiceRef
from clusterf.plugin import Desired, OutputReport
from clusterf.testing import Director, backend, route, service
from tests.model_kernel import Kernel, KernelOutput

WEB = service("web", "192.0.2.1")
API = service("api", "192.0.2.2")
ONE = backend("web", "a", "198.51.100.1", weight=4)


@dataclass(frozen=True)
class Note:
    text: str = "say hello"
    stage: Stage = Stage.ADD
    subject: Any = None

    def describe(self) -> str:
        return self.text

    def reason(self) -> str:
        return ""


class Told:
    """An output that remembers what it was asked."""

    def __init__(self, *operations: Operation) -> None:
        self.asked: list[object] = []
        self.looks = 0
        self.operations = operations
        self.answer: Sequence[Outcome] | None = None

    async def observe(self, subjects: Collection[Any] | None) -> None:  # noqa: ARG002 - a protocol
        self.looks += 1

    def plan(self, desired: Desired, subjects: Collection[Any] | None, now: float) -> Plan:  # noqa: ARG002 - a protocol
        self.asked.append(None if subjects is None else {str(one) for one in subjects})
        return Plan(self.operations)

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        return list(successes(operations)) if self.answer is None else self.answer

    def report(self) -> OutputReport:
        return OutputReport()


async def test_an_output_follows_the_table() -> None:
    kernel = Kernel()
    director = Director(KernelOutput(kernel))
    director.publish.replace([WEB, ONE])
    assert [one.error for one in await director.follow()] == ["", ""]
    assert kernel.services == director.table
    director.publish.put(ONE._replace(weight=7))
    [outcome] = await director.follow()
    assert "weight 4 -> 7" in outcome.operation.reason()
    assert kernel.services == director.table
    assert await director.follow() == ()


async def test_it_is_asked_as_the_engine_asks() -> None:
    output = Told()
    director = Director(output)
    director.publish.replace([WEB, API])
    await director.follow()
    director.publish.put(ONE)
    await director.follow()
    await director.follow()
    await director.look()
    await director.again(list(director.table)[:1])
    assert output.asked == [None, {"tcp 192.0.2.1:80"}, None, {"tcp 192.0.2.1:80"}]
    assert output.looks == 3


async def test_before_the_source_has_spoken_removals_are_on_hold() -> None:
    output = Told()
    director = Director(output)
    director.publish.put(WEB)
    await director.follow()
    assert director.desired.hold == "sources.under-test has not spoken yet"
    director.publish.replace([WEB])
    await director.follow()
    assert director.desired.hold is None
    assert output.asked == [None, None]


async def test_an_output_that_publishes_is_told_of_services() -> None:
    output = Told()
    director = Director(output, publishes=True)
    director.publish.replace([WEB])
    await director.follow()
    director.publish.put(ONE)
    await director.follow()
    director.publish.put(route("rack", method="droute"))
    await director.follow()
    assert output.asked == [None, {str(ServiceRef("web"))}, None]
    assert director.table == {}
    said = director.desired.statements.service("web", lambda _: True)
    assert said is not None
    assert said.backends == {"a": ONE}


async def test_policies_and_what_is_managed_count() -> None:
    class Heavier:
        def apply(self, service: Service, _: Facts) -> Service:
            return service.with_backends({"a": ONE._replace(weight=9)})

    director = Director(Told(), policies=[Heavier()], managed=["192.0.2.1/32"])
    director.publish.replace([WEB, API])
    await director.follow()
    [entry] = director.table.values()
    assert [one.weight for one in entry.destinations.values()] == [9]
    assert [one.reason for one in director.refusals["api"]] == ["outside_managed"]


@pytest.mark.parametrize(
    ("operations", "answer", "told"),
    [
        ((Note(),), (), "0 outcomes for 1 operation"),
        ((Note(stage=Stage.REMOVE), Note()), None, "not in the order of their stages"),
        ((Note("two\nlines"),), None, "in one line"),
        ((Note(""),), None, "in one line"),
    ],
)
async def test_an_output_that_breaks_its_word_is_caught(
    operations: tuple[Note, ...], answer: Sequence[Outcome] | None, told: str
) -> None:
    output = Told(*operations)
    output.answer = answer
    director = Director(output)
    director.publish.replace([])
    with pytest.raises(AssertionError, match=told):
        await director.follow()
