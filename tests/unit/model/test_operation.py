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
    Outcome,
    Stage,
    additions,
    successes,
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


def test_additions_are_what_adding_one_by_one_would_be() -> None:
    service = entry(1, 2)
    assert list(additions(tcp(), service.destinations)) == [
        AddDestination(tcp(), target(1), destination(1)),
        AddDestination(tcp(), target(2), destination(2)),
    ]
    assert isinstance(next(iter(additions(tcp(), service.destinations))), AddDestination)


def test_an_addition_equals_only_an_addition() -> None:
    one = AddDestination(tcp(), target(), destination())
    assert one != (tcp(), target(), destination(), None)
    assert {one} == {AddDestination(tcp(), target(), destination())}


def test_successes_are_outcomes_without_an_error() -> None:
    one, other = DeleteService(tcp()), DeleteDestination(tcp(), target())
    assert list(successes([one, other])) == [Outcome(one), Outcome(other)]


@pytest.mark.parametrize("kind", [AddDestination, EditDestination])
def test_the_reason_of_a_destination_stands_in(
    kind: type[AddDestination | EditDestination],
) -> None:
    one = destination(because="sources.docker c1")
    assert kind(tcp(), target(), one).reason() == "sources.docker c1"
    assert kind(tcp(), target(), one, "weight 1 -> 2").reason() == "weight 1 -> 2"


def test_the_stages_make_before_they_break() -> None:
    assert Stage.ADD < Stage.EDIT < Stage.REMOVE
