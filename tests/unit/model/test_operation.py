from __future__ import annotations

import pytest

from clusterf.model.operation import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    EditDestination,
    EditService,
    KernelOperation,
    Operation,
    Stage,
    count,
    steps,
)
from tests.strategies import destination, entry, target, tcp

EVERY: list[tuple[KernelOperation, Stage, str]] = [
    (AddService(tcp(), entry(), "r"), Stage.ADD, "-A -t 192.0.2.1:80 -s wlc"),
    (EditService(tcp(), entry(), "r"), Stage.EDIT, "-E -t 192.0.2.1:80 -s wlc"),
    (DeleteService(tcp(), "r"), Stage.REMOVE, "-D -t 192.0.2.1:80"),
    (
        AddDestination(tcp(), target(), destination(5), "r"),
        Stage.ADD,
        "-a -t 192.0.2.1:80 -r 198.51.100.1:8080 -m -w 5",
    ),
    (
        EditDestination(tcp(), target(), destination(5), "r"),
        Stage.EDIT,
        "-e -t 192.0.2.1:80 -r 198.51.100.1:8080 -m -w 5",
    ),
    (
        DeleteDestination(tcp(), target(), "r"),
        Stage.REMOVE,
        "-d -t 192.0.2.1:80 -r 198.51.100.1:8080",
    ),
]


@pytest.mark.parametrize(("operation", "stage", "line"), EVERY)
def test_an_operation_says_what_when_and_why(
    operation: KernelOperation, stage: Stage, line: str
) -> None:
    assert isinstance(operation, Operation)
    assert operation.stage is stage
    assert operation.subject == tcp()
    assert operation.describe() == line
    assert operation.reason() == "r"


@pytest.mark.parametrize(
    "operation",
    [
        AddService(tcp(), entry()),
        EditService(tcp(), entry()),
        DeleteService(tcp()),
        AddDestination(tcp(), target(), destination()),
        EditDestination(tcp(), target(), destination()),
        DeleteDestination(tcp(), target()),
    ],
)
def test_without_a_reason_it_says_nothing(operation: KernelOperation) -> None:
    assert operation.reason() == ""


def test_a_service_with_destinations_is_made_step_by_step() -> None:
    whole = AddService(tcp(), entry(1, 2), "r")
    assert list(steps([whole, DeleteService(tcp(port=81))])) == [
        AddService(tcp(), entry(), "r"),
        AddDestination(tcp(), target(1), destination(1)),
        AddDestination(tcp(), target(2), destination(2)),
        DeleteService(tcp(port=81)),
    ]


@pytest.mark.parametrize(("operation", "_stage", "_line"), EVERY)
def test_any_other_operation_is_its_only_step(
    operation: KernelOperation, _stage: Stage, _line: str
) -> None:
    assert list(steps([operation])) == [operation]
    assert count([operation]) == 1


@pytest.mark.parametrize("weights", [(), (1,), (1, 2, 3)])
def test_the_count_is_that_of_the_steps(weights: tuple[int, ...]) -> None:
    operations = [AddService(tcp(), entry(*weights)), DeleteService(tcp(port=81))]
    assert count(operations) == len(list(steps(operations))) == 2 + len(weights)


@pytest.mark.parametrize("kind", [AddDestination, EditDestination])
def test_the_reason_of_a_destination_stands_in(
    kind: type[AddDestination | EditDestination],
) -> None:
    one = destination(because="sources.docker c1")
    assert kind(tcp(), target(), one).reason() == "sources.docker c1"
    assert kind(tcp(), target(), one, "weight 1 -> 2").reason() == "weight 1 -> 2"


def test_the_stages_make_before_they_break() -> None:
    assert Stage.ADD < Stage.EDIT < Stage.REMOVE
