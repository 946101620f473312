from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from clusterf.model.operation import EditService, Operation, Plan, count, steps
from clusterf.model.table import (
    Connections,
    DestinationKey,
    Method,
    Persistence,
    ServiceKey,
    VirtualService,
)
from clusterf.pipeline.drain import DrainRules, Drains
from clusterf.pipeline.plan import plan_table
from tests.model_kernel import Wanted
from tests.strategies import destination, entry, target, tcp, udp

Table = Mapping[Any, VirtualService]


def planned(
    want: Wanted | Table,
    have: Table,
    *,
    busy: Collection[tuple[ServiceKey, DestinationKey]] = (),
    drains: Drains | None = None,
    deadline: float = 300.0,
    subjects: Collection[ServiceKey] | None = None,
    now: float = 0.0,
) -> Plan:
    counters = {
        (key, one): Connections(int((key, one) in busy), 0)
        for key, service in have.items()
        for one in service.destinations
    }
    return plan_table(
        want if isinstance(want, Wanted) else Wanted(want),
        have,
        counters,
        {} if drains is None else drains,
        DrainRules(deadline, 1.0),
        subjects,
        now,
    )


def lines(plan: Plan) -> list[str]:
    return [operation.describe() for operation in steps(plan.operations)]


def reasons(plan: Plan) -> list[str]:
    return [operation.reason() for operation in steps(plan.operations)]


def test_equal_tables_need_nothing() -> None:
    assert planned({tcp(): entry(1, 2)}, {tcp(): entry(1, 2)}) == Plan([], {}, {})


def test_a_destination_shared_by_both_tables_needs_nothing() -> None:
    have = entry(1, 2)
    want = VirtualService("rr", destinations=dict(have.destinations))
    assert lines(planned({tcp(): want}, {tcp(): have})) == ["-E -t 192.0.2.1:80 -s rr"]


def test_a_missing_service_is_made_with_its_destinations() -> None:
    plan = planned({tcp(): entry(1, 0, because="sources.static")}, {})
    assert lines(plan) == [
        "-A -t 192.0.2.1:80 -s wlc",
        "-a -t 192.0.2.1:80 -r 198.51.100.1:8080 -m -w 1",
        "-a -t 192.0.2.1:80 -r 198.51.100.2:8080 -m -w 0",
    ]
    assert reasons(plan)[0] == "sources.static"


def test_settings_are_edited_in_place_and_only_the_settings() -> None:
    want = entry(1, scheduler="sh", flags=frozenset({"sh-port"}), persistence=Persistence(300, 24))
    plan = planned({tcp(): want}, {tcp(): entry(1)})
    assert [type(operation) for operation in plan.operations] == [EditService]
    assert reasons(plan) == [
        "scheduler wlc -> sh, flags none -> sh-port, persistence none -> 300s/24"
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"weight": 7}, "weight 10 -> 7"),
        ({"method": Method.DROUTE}, "method masq -> droute"),
        ({"upper_threshold": 7}, "upper_threshold 0 -> 7"),
        ({"lower_threshold": 7}, "lower_threshold 0 -> 7"),
        ({"weight": 7, "because": "docker c1"}, "weight 10 -> 7; docker c1"),
    ],
)
def test_a_destination_is_edited_and_says_what_changed(
    change: dict[str, object], reason: str
) -> None:
    want = VirtualService("wlc", destinations={target(): destination(**change)})  # type: ignore[arg-type]
    plan = planned({tcp(): want}, {tcp(): entry(10)})
    assert [line[:2] for line in lines(plan)] == ["-e"]
    assert reasons(plan) == [reason]


def test_everything_is_made_before_anything_is_edited_or_removed() -> None:
    want = {tcp(port=80): entry(1, 2, 3), tcp(port=81): entry(1)}
    have = {tcp(port=80): entry(9, scheduler="rr"), tcp(port=82): entry(1), udp(): entry(1)}
    plan = planned(want, have)
    stages = [operation.stage for operation in plan.operations]
    assert stages == sorted(stages)
    assert len(set(stages)) == 3


def test_only_the_subjects_are_planned() -> None:
    want = {tcp(port=80): entry(1), tcp(port=81): entry(1)}
    assert lines(planned(want, {}, subjects=[tcp(port=81)]))[0] == "-A -t 192.0.2.1:81 -s wlc"
    assert count(planned(want, {}, subjects=[tcp(port=81)]).operations) == 2
    assert planned(want, {}, subjects=[]).operations == []


def test_a_subject_that_is_nowhere_needs_nothing() -> None:
    assert planned({}, {}, subjects=[tcp()]).operations == []


# --- leaving ------------------------------------------------------------------------------------


def test_a_destination_that_leaves_begins_to_drain() -> None:
    drains: Drains = {}
    plan = planned({tcp(): entry(1)}, {tcp(): entry(1, 1)}, drains=drains, now=5.0)
    assert lines(plan) == ["-e -t 192.0.2.1:80 -r 198.51.100.2:8080 -m -w 0"]
    assert plan.wake == {tcp(): 6.0}
    assert drains == {(tcp(), target(2)): 5.0}


def test_it_is_deleted_when_its_connections_are_gone() -> None:
    drains: Drains = {(tcp(), target(2)): 5.0}
    have = {tcp(): entry(1, 0)}
    busy = planned({tcp(): entry(1)}, have, busy=[(tcp(), target(2))], drains=drains, now=6.0)
    assert (lines(busy), busy.wake) == ([], {tcp(): 7.0})
    plan = planned({tcp(): entry(1)}, have, drains=drains, now=7.0)
    assert lines(plan) == ["-d -t 192.0.2.1:80 -r 198.51.100.2:8080"]
    assert (plan.wake, drains) == ({}, {})


def test_the_soonest_of_several_drains_is_the_moment_to_look_again() -> None:
    drains: Drains = {(tcp(), target(2)): 0.0, (tcp(), target(3)): 5.0}
    busy = [(tcp(), target(2)), (tcp(), target(3))]
    have = {tcp(): entry(1, 0, 0)}
    assert planned({tcp(): entry(1)}, have, busy=busy, drains=drains, now=299.5).wake == {
        tcp(): 300.0
    }


def test_a_service_goes_with_its_last_destination() -> None:
    have = {tcp(): entry(0, 0)}
    one_left = planned({}, have, busy=[(tcp(), target(1))])
    assert lines(one_left) == ["-d -t 192.0.2.1:80 -r 198.51.100.2:8080"]
    assert one_left.wake == {tcp(): 1.0}
    assert lines(planned({}, have)) == ["-D -t 192.0.2.1:80"]


def test_an_empty_service_that_nobody_wants_goes_at_once() -> None:
    plan = planned({}, {tcp(): entry()})
    assert lines(plan) == ["-D -t 192.0.2.1:80"]
    assert reasons(plan) == ["no service claims it any more"]


def test_a_udp_service_goes_at_once() -> None:
    assert lines(planned({}, {udp(): entry(1)})) == ["-D -u 192.0.2.1:53"]


def test_a_destination_that_comes_back_gets_its_weight_again() -> None:
    drains: Drains = {(tcp(), target(2)): 5.0}
    plan = planned({tcp(): entry(1, 9)}, {tcp(): entry(1, 0)}, drains=drains, now=6.0)
    assert lines(plan) == ["-e -t 192.0.2.1:80 -r 198.51.100.2:8080 -m -w 9"]
    assert (plan.wake, drains) == ({}, {})


def test_coming_back_with_weight_0_ends_the_drain_without_a_write() -> None:
    drains: Drains = {(tcp(), target(2)): 5.0}
    plan = planned({tcp(): entry(1, 0)}, {tcp(): entry(1, 0)}, drains=drains, now=6.0)
    assert (lines(plan), drains) == ([], {})


@pytest.mark.parametrize("have", [{tcp(): entry(1)}, {}])
def test_the_next_drain_begins_anew_when_a_stranger_ended_the_last(have: Table) -> None:
    drains: Drains = {(tcp(), target(2)): 5.0}
    planned({tcp(): entry(1, 1)}, have, drains=drains, now=6.0)
    assert drains == {}


def test_a_drain_that_a_stranger_ended_is_forgotten() -> None:
    drains: Drains = {(tcp(), target(1)): 5.0, (tcp(port=81), target(1)): 5.0}
    planned({}, {}, drains=drains, subjects=[tcp()])
    assert drains == {(tcp(port=81), target(1)): 5.0}
    planned({}, {}, drains=drains)
    assert drains == {}


# --- unknown is not empty ------------------------------------------------------------------------


def test_nothing_is_removed_while_something_is_unknown() -> None:
    want = Wanted({tcp(port=80): entry(1)}, hold="sources.etcd has not spoken yet")
    have = {tcp(port=80): entry(1, 1), tcp(port=81): entry(), udp(): entry(1)}
    plan = planned(want, have)
    assert plan.operations == []
    assert plan.held == dict.fromkeys(have, "sources.etcd has not spoken yet")


def test_adding_and_editing_go_on_meanwhile() -> None:
    plan = planned(Wanted({tcp(): entry(5, 5)}, hold="x"), {tcp(): entry(1)})
    assert [line[:2] for line in lines(plan)] == ["-a", "-e"]


def test_what_certainly_left_is_removed_even_so() -> None:
    gone = [(tcp(port=80), target(2)), (tcp(port=81), None), (tcp(port=82), None)]
    gone += [(tcp(port=81), target(1))]
    want = Wanted({tcp(port=80): entry(1)}, "x", gone)
    have = {tcp(port=80): entry(1, 0, 0), tcp(port=81): entry(0), tcp(port=82): entry()}
    plan = planned(want, have)
    assert lines(plan) == [
        "-d -t 192.0.2.1:80 -r 198.51.100.2:8080",
        "-D -t 192.0.2.1:81",
        "-D -t 192.0.2.1:82",
    ]
    assert plan.held == {tcp(port=80): "x"}


def test_a_destination_nobody_knew_keeps_the_service_that_left() -> None:
    want = Wanted({}, "x", [(tcp(), None), (tcp(), target(1))])
    plan = planned(want, {tcp(): entry(0, 5)})
    assert lines(plan) == ["-d -t 192.0.2.1:80 -r 198.51.100.1:8080"]
    assert plan.held == {tcp(): "x"}


def test_a_drain_under_way_goes_on() -> None:
    drains: Drains = {(tcp(), target(1)): 0.0}
    assert lines(planned(Wanted({}, "x"), {tcp(): entry(0)}, drains=drains, now=1.0)) == [
        "-D -t 192.0.2.1:80"
    ]


def test_the_operations_are_of_the_model() -> None:
    plan = planned({tcp(): entry(1)}, {udp(): entry(1)})
    assert all(isinstance(operation, Operation) for operation in plan.operations)


def test_the_reason_of_an_edit_names_old_and_new_persistence() -> None:
    want, have = entry(persistence=None), entry(persistence=Persistence(60, 32))
    assert reasons(planned({tcp(): want}, {tcp(): have})) == ["persistence 60s/32 -> none"]
