from __future__ import annotations

from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import Backend, Ports, Record
from clusterf_etcd.mirror import Mirror
from clusterf_etcd.wire import Changes, Deleted, KeyValue, Listing

GRACE = 15.0
HOST1, HOST2 = 111, 222
"""Leases."""


def read(entry: KeyValue) -> Record | Refusal | None:
    """``weight``, or a refusal for what is no number; nothing for an empty value."""
    if not entry.value:
        return None
    if not entry.value.isdigit():
        return Refusal(entry.key, "malformed", "is no number", Provenance("sources.e", entry.key))
    return Backend("web", entry.key, Ports(tcp=80), Provenance("sources.e"), int(entry.value))


class Etcd:
    """A store with revisions, and a mirror that follows it."""

    def __init__(self) -> None:
        self.mirror = Mirror(read, GRACE)
        self.entries: dict[str, KeyValue] = {}
        self.revision = 0
        self.cluster = "c1"
        self.now = 100.0
        self.put_records: list[str] = []
        self.dropped: list[str] = []
        self.refused: dict[str, bool] = {}

    def put(self, key: str, value: str, lease: int = 0) -> KeyValue:
        self.revision += 1
        self.entries[key] = KeyValue(key, value.encode(), self.revision, lease)
        return self.entries[key]

    def delete(self, *keys: str) -> list[Deleted]:
        self.revision += 1
        for key in keys:
            del self.entries[key]
        return [Deleted(key, self.revision) for key in keys]

    def listed(self, *, interrupted: bool = False) -> None:
        listing = Listing(list(self.entries.values()), self.revision, self.cluster)
        self.mirror.take(listing, self.now, interrupted=interrupted)

    def told(self, *events: KeyValue | Deleted) -> None:
        difference = self.mirror.change(Changes(list(events), self.revision))
        self.put_records = [one.ref.id for one in difference.put]  # type: ignore[union-attr]
        self.dropped = [ref.id for ref in difference.drop]  # type: ignore[union-attr]
        self.refused = {key: one is not None for key, one in difference.refusals.items()}

    def settle(self) -> None:
        """Let the time come that the mirror asks for."""
        assert self.mirror.until is not None
        self.now = self.mirror.until
        self.mirror.settle(self.now)

    def away(self, seconds: float) -> None:
        """Let etcd be away for a while."""
        self.mirror.away(self.now)
        self.now += seconds

    @property
    def published(self) -> dict[str, int | None]:
        records = self.mirror.records()
        return {one.id: one.weight for one in records if isinstance(one, Backend)}


def filled() -> Etcd:
    """Backends a and b of one agent, c of another, and d without a lease; listed."""
    etcd = Etcd()
    etcd.put("a", "1", HOST1)
    etcd.put("b", "2", HOST1)
    etcd.put("c", "3", HOST2)
    etcd.put("d", "4")
    etcd.listed()
    return etcd


# --- without interruptions ------------------------------------------------------------------------


def test_a_list_is_what_is_published() -> None:
    etcd = filled()
    assert etcd.published == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert etcd.mirror.until is None
    assert etcd.mirror.revision == 4


def test_events_change_it() -> None:
    etcd = filled()
    etcd.told(etcd.put("a", "7", HOST1), *etcd.delete("b"), etcd.put("e", "5"))
    assert (etcd.put_records, etcd.dropped) == (["a", "e"], ["b"])
    assert etcd.published == {"a": 7, "c": 3, "d": 4, "e": 5}
    assert etcd.mirror.revision == etcd.revision


def test_of_several_events_of_a_key_the_last_one_counts() -> None:
    etcd = filled()
    etcd.told(etcd.put("a", "7"), *etcd.delete("a"), *etcd.delete("b"), etcd.put("b", "8"))
    assert (etcd.put_records, etcd.dropped) == (["b"], ["a"])
    etcd.told(etcd.put("x", "1"), *etcd.delete("x"))
    assert (etcd.put_records, etcd.dropped) == ([], [])


def test_a_list_drops_what_has_gone() -> None:
    etcd = filled()
    etcd.delete("a", "b")
    etcd.put("c", "9", HOST2)
    etcd.listed()
    assert etcd.published == {"c": 9, "d": 4}


def test_values_that_have_not_changed_are_not_read_again() -> None:
    seen: list[str] = []

    def counting(entry: KeyValue) -> Record | Refusal | None:
        seen.append(entry.key)
        return read(entry)

    etcd = filled()
    etcd.mirror = Mirror(counting, GRACE)
    etcd.listed()
    etcd.put("b", "3", HOST1)
    etcd.listed()
    assert seen == ["a", "b", "c", "d", "b"]


def test_a_bad_value_is_a_refusal_and_keeps_the_last_good_one() -> None:
    etcd = filled()
    etcd.told(etcd.put("a", "bad", HOST1), etcd.put("x", "bad"))
    assert etcd.published["a"] == 1
    assert "x" not in etcd.published
    assert etcd.refused == {"a": True, "x": True}
    assert set(etcd.mirror.refusals()) == {"a", "x"}
    etcd.listed()
    assert etcd.published["a"] == 1
    etcd.told(etcd.put("a", "5", HOST1), *etcd.delete("x"))
    assert etcd.published["a"] == 5
    assert etcd.refused == {"a": False, "x": False}
    assert etcd.mirror.refusals() == {}


def test_a_bad_value_that_goes_takes_the_last_good_one_with_it() -> None:
    etcd = filled()
    etcd.told(etcd.put("a", "bad", HOST1))
    etcd.told(*etcd.delete("a"))
    assert etcd.dropped == ["a"]
    assert etcd.refused == {"a": False}


def test_what_is_not_of_our_concern_is_not_published() -> None:
    etcd = filled()
    etcd.told(etcd.put("a", "", HOST1), etcd.put("x", ""))
    assert (etcd.put_records, etcd.dropped) == ([], ["a"])
    assert set(etcd.published) == {"b", "c", "d"}


# --- after an interruption --------------------------------------------------------------------


def test_after_an_interruption_what_has_vanished_is_kept_for_the_grace() -> None:
    etcd = filled()
    etcd.delete("a", "b")
    etcd.put("c", "30", HOST2)
    etcd.put("e", "5")
    etcd.listed(interrupted=True)
    assert etcd.published == {"a": 1, "b": 2, "c": 30, "d": 4, "e": 5}
    assert etcd.mirror.until == etcd.now + GRACE
    assert etcd.mirror.held == 2
    etcd.settle()
    assert etcd.published == {"c": 30, "d": 4, "e": 5}
    assert etcd.mirror.until is None


def test_who_publishes_again_within_the_grace_is_never_gone() -> None:
    etcd = filled()
    etcd.delete("a", "b")
    etcd.listed(interrupted=True)
    etcd.told(etcd.put("a", "1", 333))
    assert etcd.mirror.held == 1
    etcd.settle()
    assert etcd.published == {"a": 1, "c": 3, "d": 4}


def test_a_lease_that_runs_out_within_the_grace_takes_nothing_yet() -> None:
    etcd = filled()
    etcd.listed(interrupted=True)
    etcd.told(*etcd.delete("a", "b"))
    assert etcd.dropped == []
    assert etcd.published == {"a": 1, "b": 2, "c": 3, "d": 4}
    etcd.settle()
    assert etcd.published == {"c": 3, "d": 4}


def test_a_living_agents_deletion_counts_also_in_the_grace() -> None:
    """The other key of its lease is still there, so the lease has not run out."""
    etcd = filled()
    etcd.listed(interrupted=True)
    etcd.told(*etcd.delete("a"))
    assert etcd.dropped == ["a"]


def test_an_operators_deletion_counts_also_in_the_grace() -> None:
    etcd = filled()
    etcd.listed(interrupted=True)
    etcd.told(*etcd.delete("d"))
    assert etcd.dropped == ["d"]


def test_interruptions_in_a_row_do_not_keep_the_dead_alive_for_long() -> None:
    etcd = filled()
    etcd.delete("a", "b")
    etcd.listed(interrupted=True)
    for _ in range(2):
        etcd.now += 10.0
        etcd.listed(interrupted=True)
        assert etcd.published == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert etcd.mirror.until == 100.0 + 2 * GRACE
    etcd.settle()
    assert etcd.published == {"c": 3, "d": 4}
    assert etcd.mirror.until == 120.0 + GRACE, "for what may vanish from now on"
    etcd.listed(interrupted=True)
    assert etcd.published == {"c": 3, "d": 4}


def test_what_vanishes_in_a_later_interruption_has_a_grace_of_its_own() -> None:
    etcd = filled()
    etcd.delete("a", "b")
    etcd.listed(interrupted=True)
    etcd.now += 10.0
    etcd.listed(interrupted=True)
    etcd.now += 10.0
    etcd.delete("c")
    etcd.listed(interrupted=True)
    etcd.settle()
    assert (etcd.now, etcd.published) == (100.0 + 2 * GRACE, {"c": 3, "d": 4})
    etcd.settle()
    assert (etcd.now, etcd.published) == (120.0 + GRACE, {"d": 4})
    assert etcd.mirror.until is None


def test_while_etcd_is_away_again_the_grace_stands_still() -> None:
    """Nobody can publish meanwhile."""
    etcd = filled()
    etcd.delete("a", "b")
    etcd.listed(interrupted=True)
    etcd.now += 5.0
    etcd.away(3 * 24 * 3600)
    assert etcd.mirror.until is None
    assert etcd.published == {"a": 1, "b": 2, "c": 3, "d": 4}
    etcd.listed(interrupted=True)
    assert etcd.mirror.until == etcd.now + GRACE
    assert etcd.published == {"a": 1, "b": 2, "c": 3, "d": 4}
    etcd.settle()
    assert etcd.published == {"c": 3, "d": 4}


def test_a_new_grace_begins_after_the_end_of_the_last() -> None:
    etcd = filled()
    etcd.listed(interrupted=True)
    etcd.settle()
    etcd.now += 60
    etcd.listed(interrupted=True)
    assert etcd.mirror.until == etcd.now + GRACE


def test_a_periodic_list_within_a_grace_ends_nothing() -> None:
    etcd = filled()
    etcd.delete("a", "b")
    etcd.listed(interrupted=True)
    etcd.now += 1
    etcd.listed()
    assert etcd.published == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert etcd.mirror.until == 100.0 + GRACE


# --- after a silence ------------------------------------------------------------------------------


def test_leases_that_ran_out_in_a_silence_take_nothing_yet() -> None:
    etcd = filled()
    etcd.now += 12.0
    etcd.mirror.doubt(etcd.now, etcd.now)
    etcd.told(*etcd.delete("a", "b"), *etcd.delete("d"))
    assert etcd.dropped == ["d"]
    assert etcd.mirror.until == etcd.now + GRACE
    etcd.settle()
    assert etcd.published == {"c": 3}


def test_a_silence_counts_from_its_end() -> None:
    etcd = filled()
    etcd.now += 60.0
    etcd.mirror.doubt(etcd.now - 10.0, etcd.now)
    assert etcd.mirror.until == etcd.now - 10.0 + GRACE
    etcd.settle()
    etcd.now += 60.0
    etcd.mirror.doubt(etcd.now - GRACE, etcd.now)
    assert etcd.mirror.until is None
    etcd.told(*etcd.delete("a", "b"))
    assert etcd.dropped == ["a", "b"]


# --- another past -------------------------------------------------------------------------------


def backup(etcd: Etcd) -> None:
    """Go back to a time when ``a`` had another weight, ``c`` was not there and ``old`` was."""
    etcd.revision = 2
    etcd.entries = {
        "a": KeyValue("a", b"100", 1, HOST1),
        "b": KeyValue("b", b"2", 2, HOST1),
        "d": KeyValue("d", b"4", 2, 0),
        "old": KeyValue("old", b"9", 2, 444),
    }


def test_a_backup_changes_nothing_within_the_grace() -> None:
    etcd = filled()
    backup(etcd)
    etcd.listed()
    assert etcd.published == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert etcd.mirror.until == etcd.now + GRACE


def test_what_is_written_after_a_backup_counts_at_once() -> None:
    etcd = filled()
    backup(etcd)
    etcd.listed()
    etcd.told(etcd.put("a", "5", HOST1), etcd.put("new", "6", HOST1))
    assert etcd.published == {"a": 5, "b": 2, "c": 3, "d": 4, "new": 6}


def test_the_leases_of_a_backup_run_out_unseen() -> None:
    etcd = filled()
    backup(etcd)
    etcd.listed()
    etcd.told(*etcd.delete("old"))
    assert (etcd.put_records, etcd.dropped) == ([], [])
    etcd.settle()
    assert etcd.published == {"a": 100, "b": 2, "d": 4}


def test_a_second_interruption_does_not_believe_the_backup_either() -> None:
    etcd = filled()
    backup(etcd)
    etcd.listed()
    etcd.listed(interrupted=True)
    assert etcd.published == {"a": 1, "b": 2, "c": 3, "d": 4}


def test_another_cluster_is_another_past_whatever_its_revision() -> None:
    etcd = filled()
    etcd.cluster, etcd.revision, etcd.entries = "c2", 50, {}
    etcd.listed()
    assert etcd.published == {"a": 1, "b": 2, "c": 3, "d": 4}
    etcd.settle()
    assert etcd.published == {}


def test_revisions_of_another_cluster_mean_nothing() -> None:
    """A value under an equal revision there is not taken for the one known here."""
    etcd = filled()
    etcd.cluster = "c2"
    etcd.entries["a"] = etcd.entries["a"]._replace(value=b"77")
    etcd.listed()
    etcd.settle()
    assert etcd.published["a"] == 77


def test_a_backup_that_was_written_to_is_another_past_although_it_is_ahead() -> None:
    etcd = filled()
    backup(etcd)
    for number in range(9):
        etcd.put("b", str(number), 555)
    etcd.listed(interrupted=True)
    assert etcd.published == {"a": 1, "b": 2, "c": 3, "d": 4}, "old is not there"
    etcd.told(*etcd.delete("old"))
    etcd.settle()
    assert etcd.published == {"a": 100, "b": 8, "d": 4}


def test_what_was_written_at_the_same_revision_in_another_past_is_not_taken_for_known() -> None:
    etcd = filled()
    etcd.entries["c"] = KeyValue("c", b"9", 3, 555)
    etcd.revision = 20
    etcd.listed(interrupted=True)
    assert etcd.published["c"] == 3
    etcd.settle()
    assert etcd.published["c"] == 9


def test_a_list_of_the_same_past_is_none_of_another() -> None:
    """Also with keys that are not of our concern, and such that cannot be read."""
    etcd = filled()
    etcd.told(etcd.put("own", "", 444), etcd.put("bad", "bad", HOST2), etcd.put("a", "", HOST1))
    listing = Listing(list(etcd.entries.values()), etcd.revision, etcd.cluster)
    assert not etcd.mirror.take(listing, etcd.now, interrupted=False)
    etcd.put("e", "5")
    listing = Listing(list(etcd.entries.values()), etcd.revision, etcd.cluster)
    assert not etcd.mirror.take(listing, etcd.now, interrupted=False)
    assert etcd.mirror.until is None
