from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from clusterf_etcd.tree import Tree
from clusterf_etcd.wire import Changes, Deleted, KeyValue, Listing


def entry(key: str, revision: int, value: bytes = b"") -> KeyValue:
    return KeyValue(key, value, revision, 0)


def tree() -> Tree:
    """Keys a (changed at 3) and b (at 5), listed at 10."""
    made = Tree()
    made.take(Listing([entry("a", 3), entry("b", 5)], 10, "c"))
    return made


def told(made: Tree, *events: KeyValue | Deleted) -> list[str]:
    return [one.key for one in made.change(Changes(events, 0))]


def test_a_list_is_all_there_is() -> None:
    made = tree()
    made.take(Listing([entry("c", 11)], 12, "c"))
    assert made.entries == {"c": entry("c", 11)}
    assert made.revision == 12


def test_a_watch_changes_it() -> None:
    made = tree()
    assert told(made, entry("a", 11), entry("c", 12), Deleted("b", 13)) == ["a", "c", "b"]
    assert made.entries == {"a": entry("a", 11), "c": entry("c", 12)}


def test_a_deletion_tells_what_the_key_had() -> None:
    made = tree()
    assert made.change(Changes([Deleted("b", 13)], 13)) == [entry("b", 5)]


def test_what_the_list_knew_already_changes_nothing() -> None:
    """The watch may be behind the list; what it tells then is of the past."""
    made = tree()
    assert told(made, entry("a", 2), Deleted("b", 10), entry("old", 9)) == []
    assert set(made.entries) == {"a", "b"}


def test_what_our_own_edit_told_already_is_no_news() -> None:
    made = tree()
    made.put(entry("a", 11, b"new"))
    assert told(made, entry("a", 11, b"new")) == []
    assert made.delete("b", 12) == entry("b", 5)
    assert told(made, Deleted("b", 12)) == []


def test_a_watch_that_was_faster_than_our_own_answer_is_right() -> None:
    made = tree()
    told(made, entry("a", 11, b"ours"), entry("a", 12, b"theirs"), entry("b", 13))
    made.put(entry("a", 11, b"ours"))
    assert made.entries["a"].value == b"theirs"
    assert made.delete("b", 12) is None
    assert "b" in made.entries


async def test_one_can_wait_for_a_list() -> None:
    made = Tree()
    seen: list[int] = []

    async def wait(lists: int) -> None:
        seen.append(await made.listed(lists))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, 0)
        nursery.start_soon(wait, 1)
        await wait_all_tasks_blocked()
        made.take(Listing([], 1, "c"))
        await wait_all_tasks_blocked()
        assert seen == [1]
        made.take(Listing([], 1, "c"))
    assert seen == [1, 2]
