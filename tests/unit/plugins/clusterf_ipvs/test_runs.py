"""Runs: which messages a row of operations becomes, and what the answers mean. Pure."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from clusterf.model.operation import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    EditDestination,
    EditService,
    steps,
)
from clusterf_ipvs.constants import Command
from clusterf_ipvs.kernel import UNKNOWN, single
from clusterf_ipvs.runs import apply, holds, judge, stand_in_weight, translate
from tests.strategies import destination, entry, target, tcp

if TYPE_CHECKING:
    from clusterf.model.operation import KernelOperation
    from clusterf.model.table import VirtualService
    from clusterf_ipvs.runs import Run

WEB, OTHER = tcp(), tcp(port=81)


def creation(service: VirtualService) -> list[KernelOperation]:
    return [AddService(WEB, service)]


def commands(run: Run) -> list[Command]:
    return [Command(message[0]) for message in single(run.messages)]


def test_each_operation_is_one_message_in_its_place() -> None:
    run = translate(
        [
            AddDestination(WEB, target(1), destination()),
            EditService(WEB, entry()),
            EditDestination(WEB, target(2), destination()),
            DeleteDestination(WEB, target(3)),
            DeleteService(WEB),
        ],
        entry(),
        hide=True,
    )
    assert commands(run) == [
        Command.NEW_DEST,
        Command.SET_SERVICE,
        Command.SET_DEST,
        Command.DEL_DEST,
        Command.DEL_SERVICE,
    ]
    assert (run.size, run.owners) == (5, ())


def test_a_service_is_created_with_its_destinations_in_one_row() -> None:
    run = translate(creation(entry(1, 1, 1)), None, hide=True)
    assert commands(run) == [Command.NEW_SERVICE, *[Command.NEW_DEST] * 3]
    assert (run.size, len(run.messages)) == (4, 2)


def test_destinations_that_differ_have_messages_of_their_own() -> None:
    run = translate(creation(entry(1, 2)), None, hide=True)
    assert commands(run) == [Command.NEW_SERVICE, *[Command.NEW_DEST] * 2]
    assert (run.size, len(run.messages)) == (3, 3)


@pytest.mark.parametrize("scheduler", ["mh", "sh", "dh"])
def test_destinations_join_a_hashing_service_in_one_order(scheduler: str) -> None:
    added = [AddDestination(WEB, target(n), destination()) for n in (3, 1, 2)]
    run = translate(added, entry(1, scheduler=scheduler), hide=True)
    assert list(run.owners) == [1, 2, 0]
    assert not run.hidden


def test_a_hidden_service_is_switched_last() -> None:
    run = translate(creation(entry(5, 0, scheduler="mh")), None, hide=True)
    assert commands(run) == [
        Command.NEW_SERVICE,
        Command.NEW_DEST,
        Command.NEW_DEST,
        Command.SET_DEST,
        Command.SET_SERVICE,
    ]
    assert list(run.owners) == [0, 1, 2, 2, -2]


def test_an_edit_of_the_scheduler_is_not_hidden() -> None:
    run = translate([EditService(WEB, entry(scheduler="mh"))], entry(1), hide=True)
    assert commands(run) == [Command.SET_SERVICE]


@pytest.mark.parametrize(
    ("weights", "expected"), [((7, 7, 3, 0), 7), ((0, 0), 1), ((), 1), ((5,), 5)]
)
def test_the_weight_that_stands_in(weights: tuple[int, ...], expected: int) -> None:
    assert stand_in_weight(entry(*weights)) == expected


def test_judging_a_row_in_which_all_is_well() -> None:
    run = translate(creation(entry(1, 2)), None, hide=True)
    verdict = judge(run, [0, 0, 0])
    assert (verdict.codes, verdict.again, verdict.unsure) == ([0, 0, 0], [], False)


@pytest.mark.parametrize(
    ("operation", "code", "result", "again", "unsure"),
    [
        (AddDestination(WEB, target(), destination()), "EEXIST", "EEXIST", "SET_DEST", False),
        (AddDestination(WEB, target(), destination()), "ESRCH", "ESRCH", None, True),
        (AddDestination(WEB, target(), destination()), "EINVAL", "EINVAL", None, False),
        (EditDestination(WEB, target(), destination()), "ENOENT", "ENOENT", "NEW_DEST", False),
        (EditDestination(WEB, target(), destination()), "ESRCH", "ESRCH", None, True),
        (DeleteDestination(WEB, target()), "ENOENT", None, None, False),
        (DeleteDestination(WEB, target()), "ESRCH", None, None, True),
        (DeleteDestination(WEB, target()), "EPERM", "EPERM", None, False),
        (DeleteService(WEB), "ESRCH", None, None, True),
        (EditService(WEB, entry()), "ENOENT", "ENOENT", None, True),
        (AddService(WEB, entry()), "EEXIST", "EEXIST", "SET_SERVICE", True),
        (AddService(WEB, entry()), "ENOMEM", "ENOMEM", None, False),
    ],
)
def test_what_an_errno_leads_to(
    operation: KernelOperation,
    code: str,
    result: str | None,
    again: str | None,
    unsure: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    run = translate([operation], entry(1), hide=True)
    verdict = judge(run, [getattr(errno, code)])
    assert verdict.codes == [getattr(errno, result) if result else 0]
    assert [Command(message[0]).name for _, message in verdict.again] == ([again] if again else [])
    assert verdict.unsure is unsure


def test_a_lost_answer_is_neither_success_nor_failure() -> None:
    run = translate([DeleteService(WEB)], entry(), hide=True)
    verdict = judge(run, [UNKNOWN])
    assert verdict.codes == [UNKNOWN]
    assert verdict.unsure


def test_a_hidden_service_that_cannot_be_switched_is_taken_back() -> None:
    run = translate(creation(entry(1, scheduler="mh")), None, hide=True)
    verdict = judge(run, [0, 0, errno.ENOENT])
    assert verdict.codes[0] == errno.ENOENT
    assert [(owner, message[0]) for owner, message in verdict.again] == [
        (None, Command.DEL_SERVICE)
    ]


def test_applying_a_part_of_a_row() -> None:
    whole = creation(entry(1, 2, 3))
    assert apply(None, whole) == apply(None, steps(whole)) == entry(1, 2, 3)
    partly = apply(None, steps(whole), [0, 0, errno.EINVAL, 0])
    assert partly is not None
    assert set(partly.destinations) == {target(1), target(3)}


def test_applying_edits_and_deletions() -> None:
    operations: list[KernelOperation] = [
        EditService(WEB, entry(9, scheduler="rr")),
        EditDestination(WEB, target(1), destination(7)),
        DeleteDestination(WEB, target(2)),
    ]
    assert apply(entry(1, 2), operations) == entry(7, scheduler="rr")
    assert apply(entry(1, 2), operations, [errno.ENOENT, 0, errno.EPERM]) == entry(7, 2)
    gone = [DeleteService(WEB)]
    assert apply(entry(1), gone) is None
    assert apply(entry(1), gone, [errno.EPERM]) == entry(1)


def test_what_holds() -> None:
    assert holds(AddService(WEB, entry(1, 2)), entry())
    assert not holds(AddService(WEB, entry()), None)
    assert not holds(EditService(WEB, entry()), entry(scheduler="rr"))
    assert holds(AddDestination(WEB, target(1), destination(1)), entry(1))
    assert not holds(EditDestination(WEB, target(1), destination(2)), entry(1))
    assert not holds(AddDestination(WEB, target(1), destination(2)), None)
    assert holds(DeleteDestination(WEB, target(2)), entry(1))
    assert holds(DeleteDestination(WEB, target(2)), None)
    assert not holds(DeleteDestination(WEB, target(1)), entry(1))
    assert holds(DeleteService(WEB), None)
    assert not holds(DeleteService(WEB), entry())
