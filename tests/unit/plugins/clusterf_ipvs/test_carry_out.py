"""Carrying out: what the kernel's answers do to the rest of a plan."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from clusterf.model.operation import count, steps
from clusterf_ipvs.constants import Command
from clusterf_ipvs.service_codec import ServiceEncoder
from tests.strategies import destination, entry, target, tcp
from tests.unit.plugins.clusterf_ipvs.conftest import make_rig
from tests.unit.plugins.clusterf_ipvs.test_output import errors

if TYPE_CHECKING:
    from clusterf_ipvs.fake import FakeKernel
    from tests.unit.plugins.clusterf_ipvs.conftest import Rig

WEB, OTHER = tcp(), tcp(port=81)
NOTHING: frozenset[str] = frozenset()
HASHING = ["mh", "sh", "dh"]


def commands(kernel: FakeKernel) -> list[str]:
    return [Command(message[0]).name for message in kernel.writes]


async def test_one_refused_destination_stops_nobody(rig: Rig) -> None:
    rig.table = {WEB: entry(1, 2, 3), OTHER: entry(1)}
    rig.kernel.fail_on(WEB, target(2), errno.EINVAL)
    outcomes = await rig.look()
    assert errors(outcomes) == [
        (
            "destination 198.51.100.2:8080 of tcp 192.0.2.1:80:"
            " its address is not one that this host has a unicast route to (EINVAL)"
        )
    ]
    assert set(rig.kernel.table[WEB].destinations) == {target(1), target(3)}
    assert rig.kernel.table == dict(rig.output.observed())


@pytest.mark.parametrize("scheduler", ["wlc", "mh"])
async def test_destinations_of_a_service_that_cannot_be_made_tell_its_reason(
    rig: Rig, scheduler: str
) -> None:
    rig.kernel.schedulers -= {scheduler}
    rig.table = {WEB: entry(1, 2, scheduler=scheduler), OTHER: entry(1, scheduler="rr")}
    outcomes = await rig.look()
    assert errors(outcomes) == [
        f"virtual service tcp 192.0.2.1:80: scheduler {scheduler} is not available (ENOENT)",
        *(
            f"destination 198.51.100.{n}:8080 of tcp 192.0.2.1:80: its virtual service could not"
            f" be made: scheduler {scheduler} is not available (ENOENT)"
            for n in (1, 2)
        ),
    ]
    assert f"modprobe ip_vs_{scheduler}" in outcomes[0].hint
    # Nothing half-made is left, that would swallow its packets.
    assert set(rig.kernel.table) == set(rig.output.observed()) == {OTHER}


@pytest.mark.parametrize("scheduler", HASHING)
async def test_a_hashing_service_goes_live_with_all_its_destinations(
    rig: Rig, scheduler: str
) -> None:
    rig.table = {WEB: entry(3, 2, 1, scheduler=scheduler)}
    assert errors(await rig.look()) == []
    assert commands(rig.kernel) == ["NEW_SERVICE", *["NEW_DEST"] * 3, "SET_SERVICE"]
    assert b"none\0" in rig.kernel.writes[0]
    assert rig.kernel.table == rig.table
    assert rig.output.observed()[WEB] is rig.table[WEB]


async def test_a_quiesced_destination_enters_a_new_table_with_the_weight_of_the_others(
    rig: Rig,
) -> None:
    rig.table = {WEB: entry(10, 0, 10, 4, scheduler="mh")}
    first: list[int] = []
    rig.kernel.after_write = lambda: first.append(
        rig.kernel.table.get(WEB, entry()).destinations.get(target(2), destination(0)).weight
    )
    assert errors(await rig.look()) == []
    assert 10 in first
    assert rig.kernel.table == rig.table
    assert rig.output.observed()[WEB] is rig.table[WEB]


async def test_kernels_without_the_scheduler_none_get_the_service_in_the_open(rig: Rig) -> None:
    rig.kernel.schedulers -= {"none"}
    rig.table = {WEB: entry(1, 0, scheduler="mh"), OTHER: entry(1)}
    assert errors(await rig.look()) == []
    assert rig.kernel.table == rig.table == dict(rig.output.observed())
    rig.written()
    rig.table[tcp(port=82)] = entry(1, scheduler="sh")
    assert errors(await rig.go()) == []
    assert commands(rig.kernel) == ["NEW_SERVICE", "NEW_DEST"]


async def test_a_service_that_somebody_made_meanwhile_is_edited_and_looked_at(rig: Rig) -> None:
    await rig.look()
    rig.kernel.set_table({WEB: entry(1, 7, 5, scheduler="rr")})
    rig.table = {WEB: entry(1, 2)}
    assert errors(await rig.go()) == []
    assert rig.output.observed() == rig.kernel.table
    assert target(3) in rig.output.observed()[WEB].destinations
    await rig.look()
    await rig.look()
    assert rig.kernel.table == rig.table


async def test_a_hashing_service_that_somebody_made_meanwhile_too(rig: Rig) -> None:
    await rig.look()
    rig.kernel.set_table({WEB: entry(1, 7, scheduler="rr")})
    rig.table = {WEB: entry(1, 2, scheduler="mh")}
    assert errors(await rig.go()) == []
    assert rig.output.observed() == rig.kernel.table == rig.table


async def test_a_destination_that_somebody_added_meanwhile_is_edited(rig: Rig) -> None:
    rig.table = {WEB: entry(1)}
    await rig.look()
    rig.kernel.set_table({WEB: entry(1, 9)})
    rig.table = {WEB: entry(1, 2)}
    assert errors(await rig.go()) == []
    assert rig.kernel.table == rig.table == dict(rig.output.observed())


async def test_a_destination_that_somebody_deleted_meanwhile_is_added(rig: Rig) -> None:
    rig.table = {WEB: entry(1, 2)}
    await rig.look()
    rig.kernel.set_table({WEB: entry(1)})
    rig.table = {WEB: entry(1, 5)}
    assert errors(await rig.go()) == []
    assert rig.kernel.table == rig.table == dict(rig.output.observed())


async def test_what_is_gone_already_is_as_good_as_deleted(kernel: FakeKernel) -> None:
    rig = make_rig(kernel, drain=0.0)
    rig.table = {WEB: entry(1, 2), OTHER: entry(1)}
    await rig.look()
    kernel.set_table({WEB: entry(1)})
    rig.table = {WEB: entry(1)}
    assert errors(await rig.go()) == []
    assert rig.kernel.table == rig.table == dict(rig.output.observed())


async def test_a_service_that_vanished_is_seen_and_rebuilt_by_the_next_plan(rig: Rig) -> None:
    rig.table = {WEB: entry(1, 2), OTHER: entry(1)}
    await rig.look()
    rig.kernel.set_table({OTHER: entry(1)})
    rig.table = {WEB: entry(1, 5), OTHER: entry(1)}
    (outcome,) = await rig.go()
    assert "vanished" in outcome.error
    assert outcome.retry
    assert errors(await rig.go()) == []
    assert rig.kernel.table == rig.table


async def test_an_edit_of_a_service_to_a_missing_scheduler_is_refused(rig: Rig) -> None:
    rig.table = {WEB: entry(1)}
    await rig.look()
    rig.kernel.schedulers -= {"sed"}
    rig.table = {WEB: entry(1, scheduler="sed")}
    (outcome,) = await rig.go()
    assert outcome.error.endswith("scheduler sed is not available (ENOENT)")
    assert rig.output.observed()[WEB].scheduler == "wlc"


@pytest.mark.parametrize("applied", [True, False])
async def test_an_operation_whose_answer_was_lost_is_what_the_kernel_shows(
    rig: Rig, *, applied: bool
) -> None:
    rig.table = {WEB: entry(1, 2)}
    await rig.look()
    rig.table = {WEB: entry(1, 5, 6)}
    if not applied:
        rig.kernel.fail_nth(0, errno.ENOMEM)
        rig.kernel.fail_nth(1, errno.ENOMEM)
    rig.kernel.lose_answers(0, 1)
    outcomes = await rig.go()
    assert rig.output.observed() == rig.kernel.table
    if applied:
        assert errors(outcomes) == []
        assert rig.kernel.table == rig.table
    else:
        assert len(errors(outcomes)) == 2
        assert "no answer" in outcomes[0].error


async def test_a_cold_start_of_which_all_answers_are_lost(rig: Rig) -> None:
    await rig.look()
    rig.table = {WEB: entry(1, 2), OTHER: entry(1, scheduler="mh")}
    rig.kernel.lose_answers(*range(20))
    assert errors(await rig.go()) == []
    assert rig.kernel.table == rig.table == dict(rig.output.observed())


async def test_without_permission_every_operation_says_so(rig: Rig) -> None:
    await rig.look()
    rig.kernel.privileged = False
    rig.table = {WEB: entry(1, 2), OTHER: entry(1, scheduler="mh")}
    outcomes = await rig.go()
    assert len(errors(outcomes)) == len(outcomes) == 5
    assert all("EPERM" in outcome.error for outcome in outcomes)
    assert all("CAP_NET_ADMIN" in outcome.hint for outcome in outcomes)
    assert dict(rig.output.observed()) == {}


async def test_every_errno_at_every_place_leaves_a_true_belief(kernel: FakeKernel) -> None:
    """Whatever fails, what is believed is what the kernel holds, and the next plans finish."""
    codes = [errno.ENOENT, errno.EEXIST, errno.ESRCH, errno.EINVAL, errno.ENOMEM, errno.ENOBUFS]
    for code in codes:
        for place in range(9):
            kernel.flush()
            kernel.set_table({OTHER: entry(1, 2)})
            rig = make_rig(kernel)
            await rig.output.observe(None)
            rig.table = {WEB: entry(1, 0, scheduler="mh"), OTHER: entry(5, 2, 3, scheduler="rr")}
            kernel.fail_nth(place, code)
            await rig.go()
            kernel._failures.clear()
            for _ in range(3):
                await rig.go()
            assert kernel.table == rig.table, (code, place)
            await rig.output.observe(None)
            assert rig.output.observed() == rig.table


async def test_a_plan_longer_than_a_batch(kernel: FakeKernel) -> None:
    rig = make_rig(kernel, batch=3)
    rig.table = {tcp(port=port): entry(*range(1, 6)) for port in range(80, 100)}
    outcomes = await rig.look()
    assert errors(outcomes) == []
    assert count(outcome.operation for outcome in outcomes) == 120
    assert kernel.table == rig.table


async def test_outcomes_come_in_the_order_of_the_operations(rig: Rig) -> None:
    rig.table = {WEB: entry(3, 2, 0, scheduler="mh"), OTHER: entry(1, 2)}
    await rig.output.observe(None)
    rig.kernel.fail_on(WEB, target(1), errno.ENOMEM)
    plan = rig.plan()
    outcomes = await rig.output.carry_out(plan.operations)
    first, second = plan.operations
    assert [outcome.operation for outcome in outcomes] == [*steps([first]), second]
    assert [bool(outcome.error) for outcome in outcomes] == [False, True, False, False, False]


def test_the_word_that_deletes_is_banned() -> None:
    """pyroute2's "update" deletes; no message of ours can come from such a word."""
    web = ServiceEncoder(WEB)
    assert web.set_service("wlc", NOTHING, None)[0] == Command.SET_SERVICE
    assert web.set_destination(target(1), destination(1))[0] == Command.SET_DEST
