from __future__ import annotations

from clusterf.model.operation import Operation, Stage
from clusterf.model.service import BackendRef, Ref
from clusterf_etcd.operations import DeleteKey, PutKey
from clusterf_etcd.planning import Agent, Sheet, Wish, plan_keys
from clusterf_etcd.wire import KeyValue

MINE, FORMER, OTHERS = 7, 6, 8
"""Leases."""
GRANTED = 100
"""Revision of the store when ours was granted."""


def ref(key: str) -> Ref | None:
    """Of keys that an agent may write; here all but ``frontend``."""
    return None if key == "frontend" else BackendRef("web", key)


def author(value: bytes) -> str:
    """``host1 ...``: the first word."""
    return value.decode().partition(" ")[0]


def wish(key: str, value: str = "host1 10") -> Wish:
    return Wish(BackendRef("web", key), value.encode(), "sources.local-docker")


def seen(key: str, value: str, lease: int, revision: int = 50) -> KeyValue:
    return KeyValue(key, value.encode(), revision, lease)


def planned(
    want: dict[str, Wish], *have: KeyValue, unknown: str | None = None, lease: int = MINE
) -> Sheet:
    entries = {entry.key: entry for entry in have}
    agent = Agent("host1", lease, GRANTED, unknown)
    keys = [*want, *(key for key in entries if key not in want)]
    return plan_keys(keys, want, entries, agent, author=author, ref_of=ref)


def operations(sheet: Sheet) -> list[Operation]:
    assert sheet.conflicts == {}
    return sheet.operations


def test_what_is_missing_is_written_where_there_is_nothing() -> None:
    sheet = planned({"a": wish("a")})
    assert operations(sheet) == [
        PutKey(BackendRef("web", "a"), "a", b"host1 10", 0, "sources.local-docker")
    ]


def test_what_is_as_it_should_be_is_left_alone() -> None:
    assert operations(planned({"a": wish("a")}, seen("a", "host1 10", MINE))) == []


def test_what_differs_is_changed_from_what_was_seen() -> None:
    [edit] = operations(planned({"a": wish("a", "host1 5")}, seen("a", "host1 10", MINE, 120)))
    assert isinstance(edit, PutKey)
    assert (edit.value, edit.seen, edit.stage) == (b"host1 5", 120, Stage.EDIT)


def test_what_nobody_wants_any_more_is_deleted() -> None:
    [edit] = operations(planned({}, seen("a", "host1 10", MINE, 120)))
    assert edit == DeleteKey(BackendRef("web", "a"), "a", 120, "no source here knows it any more")


def test_first_what_comes_then_what_changes_then_what_goes() -> None:
    sheet = planned(
        {"a": wish("a", "host1 5"), "b": wish("b")},
        seen("c", "host1 10", MINE),
        seen("a", "host1 10", MINE),
    )
    stages = [operation.stage for operation in operations(sheet)]
    assert stages == [Stage.ADD, Stage.EDIT, Stage.REMOVE]


def test_what_others_wrote_is_never_touched() -> None:
    sheet = planned(
        {"a": wish("a"), "b": wish("b")},
        seen("a", "host2 10", OTHERS),
        seen("b", "", 0),
        seen("c", "host2 10", OTHERS),
        seen("d", "", 0),
        seen("frontend", "{}", 0),
    )
    assert sheet.operations == []
    assert sheet.conflicts == {
        "a": "a is not written: it belongs to agent host2",
        "b": "b is not written: it belongs to somebody who is no agent",
    }


def test_what_a_former_run_wrote_is_taken_over() -> None:
    [edit] = operations(planned({"a": wish("a")}, seen("a", "host1 10", FORMER)))
    assert isinstance(edit, PutKey)
    assert edit.because == "written by a former run of agent host1"
    assert edit.seen == 50


def test_what_a_former_run_wrote_and_nobody_wants_goes_with_its_lease() -> None:
    assert operations(planned({}, seen("a", "host1 10", FORMER))) == []


def test_a_twin_of_the_same_name_is_not_robbed() -> None:
    """It wrote after this agent's lease was granted, so it is no former run."""
    twin = seen("a", "host1 10", OTHERS, GRANTED + 1)
    sheet = planned({"a": wish("a")}, twin)
    assert sheet.operations == []
    assert sheet.conflicts == {"a": "a is not written: it belongs to agent host1"}
    assert operations(planned({}, twin, unknown="docker is silent")) == []


def test_while_a_source_is_silent_nothing_of_a_former_run_is_lost() -> None:
    former = seen("a", "host1 3", FORMER)
    [edit] = operations(planned({}, former, unknown="sources.docker has not spoken yet"))
    assert edit == PutKey(
        BackendRef("web", "a"),
        "a",
        b"host1 3",
        50,
        "kept alive: sources.docker has not spoken yet",
    )
    ours = seen("a", "host1 3", MINE, 130)
    assert operations(planned({}, ours, unknown="sources.docker has not spoken yet")) == []
    assert [type(one) for one in operations(planned({}, ours))] == [DeleteKey]


def test_keys_that_no_agent_writes_are_left_alone_under_whatever_lease() -> None:
    assert operations(planned({}, seen("frontend", "{}", MINE))) == []


def test_only_the_keys_asked_for_are_planned() -> None:
    agent = Agent("host1", MINE, GRANTED)
    sheet = plan_keys(["a"], {"a": wish("a"), "b": wish("b")}, {}, agent, author=author, ref_of=ref)
    assert [one.subject for one in operations(sheet)] == [BackendRef("web", "a")]
