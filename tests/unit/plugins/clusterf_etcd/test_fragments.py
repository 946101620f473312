from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf_etcd.answers import WatchMessage
from clusterf_etcd.fragments import Fragments, RevisionTooLarge, joined
from clusterf_etcd.wire import Changes, Deleted, Event, KeyValue


def message(*events: Event, fragment: bool = False, revision: int = 99) -> WatchMessage:
    return WatchMessage([*events], revision, "1", False, False, fragment, 0, "")


def put(key: str, revision: int, value: bytes = b"") -> KeyValue:
    return KeyValue(key, value, revision, 0)


def test_a_whole_message_goes_as_far_as_its_last_event() -> None:
    # And not as far as the store, which is ahead of a watch that catches up.
    assert Fragments().add(message(put("a", 3), Deleted("a", 4))) == (
        [put("a", 3), Deleted("a", 4)],
        4,
    )


def test_a_message_without_events_is_a_promise() -> None:
    assert Fragments().add(message(revision=7)) == ([], 7)


def test_what_is_complete_is_told_and_the_last_revision_waits() -> None:
    fragments = Fragments()
    assert fragments.add(message(put("a", 3), put("b", 4), fragment=True)) == ([put("a", 3)], 3)
    assert fragments.add(message(put("c", 4), fragment=True)) is None
    assert fragments.add(message(fragment=True)) is None
    assert fragments.add(message(put("d", 4), put("e", 5), fragment=True)) == (
        [put("b", 4), put("c", 4), put("d", 4)],
        4,
    )
    assert fragments.add(message(Deleted("e", 6))) == ([put("e", 5), Deleted("e", 6)], 6)
    assert fragments.add(message(revision=8)) == ([], 8)


@given(st.lists(st.integers(1, 6), max_size=20), st.lists(st.integers(0, 20), max_size=8))
def test_however_it_is_cut_all_is_told_and_no_revision_twice(
    revisions: list[int], cuts: list[int]
) -> None:
    events: list[Event] = [put(str(n), revision) for n, revision in enumerate(sorted(revisions))]
    places = sorted(min(cut, len(events)) for cut in cuts)
    fragments, told = Fragments(), []
    for begin, end in pairwise([0, *places, len(events)]):
        last = end == len(events)
        changes = fragments.add(message(*events[begin:end], fragment=not last))
        if changes is not None and changes.events:
            told.append(changes)
    assert [event for changes in told for event in changes.events] == events
    whole = [{event.mod_revision for event in changes.events} for changes in told]
    assert sum(len(one) for one in whole) == len(set(revisions))
    for changes in told:
        assert changes.revision == changes.events[-1].mod_revision


def test_a_revision_that_is_too_large_to_hold() -> None:
    fragments = Fragments(held_max=10)
    assert fragments.add(message(put("a", 3, b"12345"), fragment=True)) is None
    with pytest.raises(RevisionTooLarge):
        fragments.add(message(put("a", 3, b"12345"), fragment=True))


def test_joined_changes_are_in_order_and_go_as_far_as_the_last() -> None:
    one, two, three = Changes([put("a", 1)], 1), Changes([], 3), Changes([Deleted("a", 4)], 4)
    assert joined([one]) is one
    assert joined([one, two]) == ([put("a", 1)], 3)
    assert joined([one, two, three]) == ([put("a", 1), Deleted("a", 4)], 4)
