"""Which keys an agent writes and deletes: pure, from what it wants and what was seen in etcd.

A key is an agent's by its lease. Under another lease it is another's, and is never touched; unless
it carries this agent's name and was there before the lease was granted: then a former run wrote it,
and whoever was killed and came back goes on with what it had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from clusterf.model.operation import Operation
from clusterf.model.service import Ref
from clusterf_etcd.operations import DeleteKey, PutKey
from clusterf_etcd.wire import KeyValue


class Wish(NamedTuple):
    """What a key should hold, the record it comes from, and why."""

    ref: Ref
    value: bytes
    because: str


@dataclass(frozen=True, slots=True)
class Agent:
    """Who plans: its name and lease, and the store's revision when the lease was granted.

    ``unknown`` says why something may be missing in what is wanted (a source has not spoken yet);
    until then what a former run wrote is kept as it is.
    """

    name: str
    lease: int
    granted: int
    unknown: str | None = None


@dataclass(slots=True)
class Sheet:
    """A plan being written. ``conflicts`` says of a key why it is not written."""

    adds: list[Operation] = field(default_factory=list)
    edits: list[Operation] = field(default_factory=list)
    removals: list[Operation] = field(default_factory=list)
    conflicts: dict[str, str] = field(default_factory=dict)

    @property
    def operations(self) -> list[Operation]:
        """In the order of their stages."""
        return [*self.adds, *self.edits, *self.removals]


def plan_keys(
    keys: Iterable[str],
    want: Mapping[str, Wish],
    have: Mapping[str, KeyValue],
    agent: Agent,
    *,
    author: Callable[[bytes], str],
    ref_of: Callable[[str], Ref | None],
) -> Sheet:
    """Plan for these keys. ``author`` tells which agent wrote a value.

    ``ref_of`` gives a key's record, None where it is none that an agent writes.
    """
    sheet = Sheet()
    for key in keys:
        wish, seen = want.get(key), have.get(key)
        if wish is not None:
            _write(sheet, key, wish, seen, agent, author)
        elif seen is not None and (ref := ref_of(key)) is not None:
            _leave(sheet, key, ref, seen, agent, author)
    return sheet


def _write(
    sheet: Sheet,
    key: str,
    wish: Wish,
    seen: KeyValue | None,
    agent: Agent,
    author: Callable[[bytes], str],
) -> None:
    if seen is None:
        sheet.adds.append(PutKey(wish.ref, key, wish.value, 0, wish.because))
    elif seen.lease == agent.lease:
        if seen.value != wish.value:
            sheet.edits.append(PutKey(wish.ref, key, wish.value, seen.mod_revision, wish.because))
    elif _is_former(seen, agent, author):
        because = f"written by a former run of agent {agent.name}"
        sheet.edits.append(PutKey(wish.ref, key, wish.value, seen.mod_revision, because))
    else:
        other = author(seen.value)
        owner = f"agent {other}" if other else "somebody who is no agent"
        sheet.conflicts[key] = f"{key} is not written: it belongs to {owner}"


def _leave(
    sheet: Sheet,
    key: str,
    ref: Ref,
    seen: KeyValue,
    agent: Agent,
    author: Callable[[bytes], str],
) -> None:
    """A key that nothing here wants."""
    if seen.lease == agent.lease:
        if agent.unknown is None:
            because = "no source here knows it any more"
            sheet.removals.append(DeleteKey(ref, key, seen.mod_revision, because))
    elif agent.unknown is not None and _is_former(seen, agent, author):
        # What nobody here wants goes with the lease of the former run; this must not, yet.
        because = f"kept alive: {agent.unknown}"
        sheet.edits.append(PutKey(ref, key, seen.value, seen.mod_revision, because))


def _is_former(seen: KeyValue, agent: Agent, author: Callable[[bytes], str]) -> bool:
    """Whether a former run of this agent wrote a key."""
    return 0 < seen.mod_revision <= agent.granted and author(seen.value) == agent.name
