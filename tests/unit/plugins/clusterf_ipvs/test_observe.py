"""Looking at a kernel whose dumps tear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clusterf.plugin import OutputUnavailable
from tests.strategies import entry, target, tcp
from tests.unit.plugins.clusterf_ipvs.conftest import make_rig

if TYPE_CHECKING:
    from clusterf_ipvs.fake import FakeKernel
    from tests.unit.plugins.clusterf_ipvs.conftest import Rig

WEB, OTHER = tcp(), tcp(port=81)


async def test_an_entry_that_a_torn_dump_lacks_is_not_gone(rig: Rig) -> None:
    rig.table = {WEB: entry(1, 2, 3), OTHER: entry(1)}
    await rig.look()
    rig.written()
    # Dumps: services, destinations of WEB.
    rig.kernel.torn = [lambda services: services[1:]]
    assert await rig.look() == []
    rig.kernel.torn = [lambda services: services, lambda found: found[2:]]
    assert await rig.look() == []
    assert rig.written() == 0


async def test_an_entry_that_a_dump_repeats_counts_once(rig: Rig) -> None:
    rig.table = {WEB: entry(1, 2, 3)}
    await rig.look()
    rig.written()
    rig.kernel.torn = [lambda services: services * 2, lambda found: found + found[:1]]
    assert await rig.look() == []
    assert rig.written() == 0


async def test_the_first_look_is_believed_and_the_kernels_answers_mend_it(
    kernel: FakeKernel,
) -> None:
    table = {WEB: entry(1, 2, 3)}
    kernel.set_table(table)
    kernel.torn = [lambda services: services, lambda found: found[1:]]
    rig = make_rig(kernel)
    rig.table = table
    outcomes = await rig.look()
    assert [outcome.error for outcome in outcomes] == [""]
    assert kernel.table == table


async def test_two_looks_that_agree_are_believed(rig: Rig) -> None:
    rig.table = {WEB: entry(1, 2), OTHER: entry(1)}
    await rig.look()
    rig.kernel.set_table({WEB: entry(1)})
    await rig.output.observe(None)
    assert rig.output.observed() == rig.kernel.table


async def test_a_service_that_flickers_is_asked_for(rig: Rig) -> None:
    rig.table = {WEB: entry(1), OTHER: entry(1)}
    await rig.look()
    turn = iter(range(100))
    rig.kernel.torn = [
        lambda services: services[1:] if next(turn) % 2 == 0 else services for _ in range(4)
    ]
    await rig.output.observe(None)
    assert set(rig.output.observed()) == {WEB, OTHER}


async def test_a_service_that_goes_between_two_dumps_is_gone(rig: Rig) -> None:
    rig.table = {WEB: entry(1, 2)}
    await rig.look()
    dumps = iter(range(100))

    def vanish() -> None:
        if next(dumps) == 1:
            rig.kernel.flush()

    rig.kernel.before_dump = vanish
    await rig.output.observe(None)
    assert dict(rig.output.observed()) == {}


async def test_many_subjects_are_found_with_one_dump_of_all(rig: Rig) -> None:
    rig.table = {tcp(port=port): entry(1) for port in range(1000, 1200)}
    await rig.look()
    rig.kernel.set_table({key: entry(1, 2) for key in rig.table})
    rig.kernel.log.clear()
    await rig.output.observe(list(rig.table))
    assert rig.output.observed() == rig.kernel.table
    # Two dumps of each service because all differ, and no question for a single one.
    assert len(rig.kernel.log) == 1 + 2 * 200


async def test_a_look_at_one_service_costs_that_service(rig: Rig) -> None:
    rig.table = {tcp(port=port): entry(1) for port in range(1000, 1100)}
    await rig.look()
    rig.kernel.log.clear()
    await rig.output.observe([tcp(port=1007)])
    assert len(rig.kernel.log) == 2


async def test_a_subject_that_is_gone_is_forgotten(rig: Rig) -> None:
    rig.table = {WEB: entry(1), OTHER: entry(1)}
    await rig.look()
    rig.kernel.set_table({OTHER: entry(1)})
    await rig.output.observe([WEB])
    assert set(rig.output.observed()) == {OTHER}


@pytest.mark.parametrize("number", [0, 1])
async def test_an_answer_without_sense_makes_it_unavailable(rig: Rig, number: int) -> None:
    rig.kernel.set_table({WEB: entry(1, 2)})
    whole = [lambda found: found] * number
    rig.kernel.torn = [*whole, lambda found: [found[0][:30]]]
    with pytest.raises(OutputUnavailable, match="makes no sense"):
        await rig.output.observe(None)


async def test_counters_of_quiesced_destinations_are_part_of_a_look(kernel: FakeKernel) -> None:
    kernel.set_table({WEB: entry(0, 1)})
    kernel.set_connections(WEB, target(1), 0, 4)
    rig = make_rig(kernel)
    rig.table = {WEB: entry()}
    await rig.look()
    sentences = rig.output.report().draining
    assert "0 active and 4 inactive connections" in sentences[WEB, target(1)]
