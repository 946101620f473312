"""Edits by hand: each is done on condition that its key is still as it was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from clusterf.plugin import Line
from clusterf_etcd.commands.ending import Unfinished
from clusterf_etcd.commands.wording import shown_value
from clusterf_etcd.failure import EtcdUnavailable
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.keys import shown_key
from clusterf_etcd.reading import agent_of
from clusterf_etcd.wire import KeyValue, compare_mod, delete_op, put_op

_AT_ONCE = 100
"""Edits in one transaction; etcd takes 128 unless told otherwise (--max-txn-ops)."""

_BYTES = 2**19
"""Bytes of values in one transaction; etcd takes 1.5 MiB (--max-request-bytes)."""


class Edit(NamedTuple):
    """One key: what was seen of it, None if nothing, and its value from now on, None if none."""

    key: str
    seen: KeyValue | None
    value: bytes | None

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return self.value != (None if self.seen is None else self.seen.value)

    @property
    def leased(self) -> bool:
        """Whether the key goes with the lease of an agent, who would write it again."""
        return self.seen is not None and self.seen.lease != 0

    @property
    def owner(self) -> str:
        """Whose the key is, for people."""
        agent = agent_of(self.seen.value) if self.seen is not None else ""
        return f"agent {agent}" if agent else "somebody who does not say who"


def describe(edit: Edit) -> Iterator[Line]:
    """The key, and below it its value before and after."""
    yield shown_key(edit.key), "bold"
    if not edit.changes:
        yield f"  = {shown_value(edit.value or b'')}", ""
        return
    if edit.seen is not None:
        yield f"  - {shown_value(edit.seen.value)}", "red"
    if edit.value is not None:
        yield f"  + {shown_value(edit.value)}", "green"


async def carry_out(gateway: Gateway, edits: Sequence[Edit]) -> list[Edit]:
    """Do them; returns those that were not done, for their keys are not as they were seen.

    Raises:
        EtcdError: as the gateway; those before may have been done.
    """
    left: list[Edit] = []
    for batch in batches(edits):
        if not await _commit(gateway, batch):
            alone = len(batch) == 1
            left += [edit for edit in batch if alone or not await _commit(gateway, [edit])]
    return left


async def carry_out_all(gateway: Gateway, edits: Sequence[Edit]) -> None:
    """Do all of them.

    Raises:
        Unfinished: somebody else has changed one of the keys; the others are done.
        EtcdError: as `carry_out`.
    """
    if left := await carry_out(gateway, edits):
        keys = ", ".join(shown_key(edit.key) for edit in left)
        raise Unfinished(
            f"{keys}: changed by somebody else in the meantime",
            hint="look at it with clusterf etcd get, then try again",
        )


def batches(edits: Sequence[Edit]) -> Iterator[Sequence[Edit]]:
    """Edits in portions that etcd takes in one transaction."""
    start, size = 0, 0
    for at, edit in enumerate(edits):
        size += len(edit.value or b"")
        if at > start and (at - start == _AT_ONCE or size > _BYTES):
            yield edits[start:at]
            start, size = at, len(edit.value or b"")
    if edits:
        yield edits[start:]


async def _commit(gateway: Gateway, edits: Sequence[Edit]) -> bool:
    """Do all or nothing; False: one of the keys is not as it was seen."""
    compare = [
        compare_mod(edit.key, 0 if edit.seen is None else edit.seen.mod_revision) for edit in edits
    ]
    operations = [
        delete_op(edit.key) if edit.value is None else put_op(edit.key, edit.value)
        for edit in edits
    ]
    try:
        done = await gateway.transaction(compare, operations)
    except EtcdUnavailable as failure:
        if not failure.perhaps_done:
            raise
        hint = "it may have been done all the same: look with clusterf etcd get"
        raise EtcdUnavailable(str(failure), hint=hint, perhaps_done=True) from failure
    return done.succeeded
