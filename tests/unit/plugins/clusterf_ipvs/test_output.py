"""The output on a fake kernel: adoption, differences, drains, what it says of itself."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from clusterf.model.address import Family
from clusterf.model.table import Connections, FwmarkKey, VirtualService
from clusterf.plugin import Closing, DataPlane, OutputUnavailable, Probe
from tests.strategies import destination, entry, target, tcp, udp
from tests.unit.plugins.clusterf_ipvs.conftest import make_rig

if TYPE_CHECKING:
    import trio.testing

    from clusterf_ipvs.fake import FakeKernel
    from tests.unit.plugins.clusterf_ipvs.conftest import Rig

WEB = tcp()
FOREIGN = tcp("203.0.113.1")


def errors(outcomes: object) -> list[str]:
    return [outcome.error for outcome in outcomes if outcome.error]  # type: ignore[attr-defined] # a sequence of outcomes


def test_it_is_all_that_the_engine_can_use(rig: Rig) -> None:
    for protocol in (DataPlane, Probe, Closing):
        assert isinstance(rig.output, protocol)


async def test_a_table_is_made_in_an_empty_kernel_and_then_left_alone(rig: Rig) -> None:
    rig.table = {WEB: entry(10, 5), udp(): entry(1, scheduler="sh"), tcp(port=443): entry()}
    assert errors(await rig.look()) == []
    assert rig.kernel.table == rig.table
    rig.written()
    assert await rig.look() == []
    assert await rig.look([WEB]) == []
    assert rig.written() == 0


async def test_what_is_desired_and_there_is_one_object(rig: Rig) -> None:
    """At a hundred thousand destinations half of the memory."""
    rig.table = {WEB: entry(10, 5)}
    await rig.look()
    assert rig.output.observed()[WEB] is rig.table[WEB]
    await rig.output.observe(None)
    assert rig.output.observed()[WEB] is rig.table[WEB]


async def test_a_restart_adopts_and_writes_nothing(kernel: FakeKernel) -> None:
    table = {WEB: entry(10, 5), tcp(port=81): entry(3, scheduler="mh")}
    kernel.set_table(table)
    rig = make_rig(kernel)
    rig.table = table
    assert await rig.look() == []
    assert kernel.writes == []
    assert rig.output.observed()[WEB] is table[WEB]


async def test_only_what_differs_is_written(rig: Rig) -> None:
    rig.table = {WEB: entry(*range(1, 20)), tcp(port=81): entry(1)}
    await rig.look()
    rig.written()
    heavier = {**rig.table[WEB].destinations, target(3): destination(99)}
    rig.table[WEB] = replace(rig.table[WEB], destinations=heavier)
    assert len(await rig.go([WEB])) == 1
    assert rig.written() == 1
    assert rig.kernel.table == rig.table
    assert rig.output.observed()[WEB] == rig.table[WEB]


async def test_settings_of_a_service_are_edited_in_place(rig: Rig) -> None:
    rig.table = {WEB: entry(10)}
    await rig.look()
    rig.written()
    rig.table = {WEB: replace(rig.table[WEB], scheduler="rr", flags=frozenset({"ops"}))}
    assert errors(await rig.go()) == []
    assert rig.written() == 1
    assert rig.kernel.table == rig.table


async def test_the_foreign_is_neither_counted_nor_touched(rig: Rig) -> None:
    theirs = {FOREIGN: entry(1, 2), FwmarkKey(Family.INET, 99): entry(1)}
    rig.kernel.set_table(theirs)
    assert await rig.look() == []
    assert dict(rig.output.observed()) == {}
    assert list(rig.output.entries()) == []
    assert rig.kernel.writes == []
    assert rig.kernel.table == theirs


async def test_a_plan_for_the_foreign_is_refused(rig: Rig) -> None:
    await rig.look()
    rig.table = {FOREIGN: entry(1), WEB: entry(1)}
    outcomes = await rig.go()
    assert len(errors(outcomes)) == 2
    assert "not managed" in errors(outcomes)[0]
    assert not outcomes[0].retry
    assert set(rig.kernel.table) == {WEB}


async def test_of_the_subjects_only_the_managed_are_looked_at(rig: Rig) -> None:
    await rig.look()
    rig.kernel.set_table({FOREIGN: entry(1), WEB: entry(1)})
    await rig.output.observe([FOREIGN, WEB])
    assert set(rig.output.observed()) == {WEB}


async def test_drift_is_repaired(rig: Rig) -> None:
    rig.table = {WEB: entry(10, 5), tcp(port=81): entry(1)}
    await rig.look()
    drifted = replace(
        rig.table[WEB],
        scheduler="rr",
        destinations={target(1): destination(7), target(9): destination(1)},
    )
    rig.kernel.set_table({WEB: drifted, udp(): entry(1)})
    await rig.look()
    await rig.look()
    # Stray destinations drain; this one has no connections.
    assert rig.kernel.table == rig.table


async def test_all_gone_behind_our_back_comes_back(rig: Rig) -> None:
    rig.table = {WEB: entry(10, 5), udp(): entry(1)}
    await rig.look()
    rig.kernel.flush()
    await rig.look()
    assert rig.kernel.table == rig.table


# --- drains ----------------------------------------------------------------------------------


async def test_a_destination_drains_until_its_connections_end(
    rig: Rig, autojump_clock: trio.testing.MockClock
) -> None:
    rig.table = {WEB: entry(10, 5)}
    await rig.look()
    rig.kernel.set_connections(WEB, target(2), 3, 1)
    rig.table = {WEB: entry(10)}
    plan = rig.plan()
    await rig.output.carry_out(plan.operations)
    assert rig.kernel.table[WEB].destinations[target(2)].weight == 0
    assert plan.wake[WEB] == pytest.approx(1.0)
    await rig.look([WEB])
    autojump_clock.jump(5)
    assert await rig.look([WEB]) == []
    (sentence,) = rig.output.report().draining.values()
    assert sentence == "3 active and 1 inactive connections, ends within 295s"
    rig.kernel.set_connections(WEB, target(2), 0, 0)
    assert len(await rig.look([WEB])) == 1
    assert rig.kernel.table == rig.table
    assert rig.output.report().draining == {}


async def test_counters_from_before_the_drain_do_not_end_it(rig: Rig) -> None:
    rig.table = {WEB: entry(10, 0)}
    await rig.look()
    await rig.look()
    rig.table = {WEB: entry(10, 5)}
    await rig.go()
    rig.kernel.set_connections(WEB, target(2), 3)
    rig.table = {WEB: entry(10)}
    await rig.go()
    assert await rig.go() == []
    assert target(2) in rig.kernel.table[WEB].destinations


async def test_a_drain_ends_at_its_deadline(
    kernel: FakeKernel, autojump_clock: trio.testing.MockClock
) -> None:
    rig = make_rig(kernel, drain=10.0)
    rig.table = {WEB: entry(10, 5)}
    await rig.look()
    kernel.set_connections(WEB, target(2), 3)
    rig.table = {WEB: entry(10)}
    await rig.look()
    autojump_clock.jump(9)
    await rig.look()
    assert target(2) in kernel.table[WEB].destinations
    autojump_clock.jump(1.5)
    await rig.look()
    assert kernel.table == rig.table


async def test_a_draining_destination_that_is_wanted_again_gets_its_weight_back(
    rig: Rig,
) -> None:
    rig.table = {WEB: entry(10, 5)}
    await rig.look()
    rig.kernel.set_connections(WEB, target(2), 3)
    before = rig.table
    rig.table = {WEB: entry(10)}
    await rig.look()
    rig.table = before
    await rig.look()
    assert rig.kernel.table == before
    assert rig.output.report().draining == {}


async def test_a_drain_goes_on_after_a_restart(kernel: FakeKernel) -> None:
    kernel.set_table({WEB: entry(10, 0)})
    kernel.set_connections(WEB, target(2), 1)
    rig = make_rig(kernel)
    rig.table = {WEB: entry(10)}
    assert await rig.look() == []
    kernel.set_connections(WEB, target(2), 0)
    await rig.look()
    assert kernel.table == rig.table


async def test_a_drain_that_a_stranger_ended_is_forgotten(rig: Rig) -> None:
    rig.table = {WEB: entry(10, 5)}
    await rig.look()
    rig.kernel.set_connections(WEB, target(2), 3)
    rig.table = {WEB: entry(10)}
    await rig.look()
    rig.kernel.set_table({WEB: entry(10)})
    await rig.look()
    assert rig.output.report().draining == {}


async def test_a_service_goes_with_its_last_destination(rig: Rig) -> None:
    rig.table = {WEB: entry(10)}
    await rig.look()
    rig.kernel.set_connections(WEB, target(1), 1)
    rig.table = {}
    await rig.look()
    assert list(rig.output.entries()) == [WEB]
    assert not rig.output.serving(WEB)
    rig.kernel.set_connections(WEB, target(1), 0)
    await rig.look()
    assert rig.kernel.table == {}
    assert list(rig.output.entries()) == []


# --- what it says ----------------------------------------------------------------------------


async def test_an_entry_serves_with_a_weight_and_a_scheduler(rig: Rig) -> None:
    rig.kernel.set_table(
        {
            WEB: entry(0, 1),
            tcp(port=81): entry(0),
            tcp(port=82): entry(),
            tcp(port=83): entry(1, scheduler="none"),
        }
    )
    await rig.output.observe(None)
    assert [port for port in (80, 81, 82, 83, 84) if rig.output.serving(tcp(port=port))] == [80]


async def test_connections_are_counted_afresh(rig: Rig) -> None:
    rig.table = {WEB: entry(10, 5)}
    await rig.look()
    rig.kernel.set_connections(WEB, target(1), 7, 2)
    assert await rig.output.connections() == {
        (WEB, target(1)): Connections(7, 2),
        (WEB, target(2)): Connections(0, 0),
    }


async def test_the_report_tells_of_the_kernel_and_of_failures_until_they_are_over(
    rig: Rig,
) -> None:
    assert rig.output.report().detail == "the kernel has not been looked at yet"
    rig.table = {WEB: entry(10, 5)}
    rig.kernel.fail_on(WEB, target(2), errno.ENOMEM)
    await rig.look()
    report = rig.output.report()
    assert report.detail == (
        "IPVS 1.2.1, connection table of 4096; 1 virtual service, 1 destination"
    )
    assert report.problems == [
        (
            "destination 198.51.100.2:8080 of tcp 192.0.2.1:80:"
            " the kernel has no memory for it (ENOMEM)"
        )
    ]
    rig.kernel.fail_on(WEB, target(2), 0)
    await rig.go()
    assert rig.output.report().problems == []


async def test_a_failure_that_nobody_wants_any_more_is_forgotten(rig: Rig) -> None:
    rig.table = {WEB: entry(10, 5)}
    rig.kernel.fail_on(WEB, target(2), errno.ENOMEM)
    await rig.look()
    rig.table = {WEB: entry(10)}
    await rig.go()
    assert rig.output.report().problems == []


async def test_a_thousand_failures_are_a_hundred_sentences_and_a_number(rig: Rig) -> None:
    rig.kernel.routable = lambda _: False
    rig.table = {WEB: entry(*[1] * 250)}
    await rig.look()
    problems = rig.output.report().problems
    assert len(problems) == 101
    assert problems[-1] == "and 150 more operations have failed"


async def test_without_ipvs_it_is_unavailable_and_believes_what_it_knew(rig: Rig) -> None:
    rig.table = {WEB: entry(10)}
    await rig.look()
    rig.kernel.present = False
    with pytest.raises(OutputUnavailable, match="modprobe ip_vs"):
        await rig.output.observe(None)
    assert dict(rig.output.observed()) == rig.table
    rig.table = {WEB: entry(10, 5)}
    (outcome,) = await rig.go()
    assert "has no IPVS" in outcome.error
    assert outcome.retry
    rig.kernel.present = True
    await rig.look()
    assert rig.kernel.table == rig.table


async def test_closing_changes_nothing(rig: Rig) -> None:
    rig.table = {WEB: entry(10)}
    await rig.look()
    rig.written()
    await rig.output.close()
    assert rig.written() == 0
    assert rig.kernel.table == rig.table


async def test_flags_without_a_word_are_repaired(rig: Rig) -> None:
    rig.table = {WEB: VirtualService("wlc")}
    rig.kernel.set_table({WEB: VirtualService("wlc", frozenset({"ops", "flag-1", "0x40"}))})
    await rig.look()
    assert rig.kernel.table == rig.table


async def test_the_probe_knows_what_is_in_the_kernel(rig: Rig) -> None:
    """Told by the kernel that the tests run on; it must only not fail."""
    rig.table = {WEB: entry(1)}
    await rig.look()
    for result in await rig.output.probe():
        assert result.message
        assert result.hint
    assert len(rig.kernel.writes) == 2
