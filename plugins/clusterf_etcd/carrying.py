"""Edits carried out: many in one transaction, and one by one where somebody was faster."""

from __future__ import annotations

from collections.abc import Sequence

from clusterf.model.operation import Operation, Outcome
from clusterf_etcd.failure import EtcdRefused, LeaseGone, Unauthenticated
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.operations import DeleteKey, PutKey
from clusterf_etcd.tree import Tree
from clusterf_etcd.wire import KeyValue, Message, compare_mod, delete_op, put_op

AT_ONCE = 100
"""Edits in one transaction; etcd takes 128 unless told otherwise (--max-txn-ops)."""

_CHANGED = "changed by somebody else in the meantime"


async def carry_out(
    gateway: Gateway, lease: int, operations: Sequence[Operation], tree: Tree
) -> list[Outcome]:
    """One outcome for each operation, in their order; what was done is in ``tree``.

    Raises:
        EtcdError: as the gateway; some of them may have been done.
    """
    edits = [_known(operation) for operation in operations]
    outcomes: list[Outcome] = []
    for start in range(0, len(edits), AT_ONCE):
        outcomes += await _batch(gateway, lease, edits[start : start + AT_ONCE], tree)
    return outcomes


async def _batch(
    gateway: Gateway, lease: int, edits: Sequence[PutKey | DeleteKey], tree: Tree
) -> list[Outcome]:
    """All in one, or each for itself: one that is refused must not hold back the others."""
    try:
        if await _commit(gateway, lease, edits, tree):
            return [Outcome(edit) for edit in edits]
    except (LeaseGone, Unauthenticated):
        raise
    except EtcdRefused as refused:
        if len(edits) == 1:
            return [Outcome(edits[0], str(refused), refused.hint)]
    else:
        if len(edits) == 1:
            return [Outcome(edits[0], _CHANGED)]
    outcomes: list[Outcome] = []
    for edit in edits:
        outcomes += await _batch(gateway, lease, [edit], tree)
    return outcomes


async def _commit(
    gateway: Gateway, lease: int, edits: Sequence[PutKey | DeleteKey], tree: Tree
) -> bool:
    """Do all of it if every key is still as it was seen; else nothing."""
    compare = [compare_mod(edit.key, edit.seen) for edit in edits]
    done = await gateway.transaction(compare, [_op(edit, lease) for edit in edits], ())
    if not done.succeeded:
        return False
    for edit in edits:
        if isinstance(edit, PutKey):
            tree.put(KeyValue(edit.key, edit.value, done.revision, lease))
        else:
            tree.delete(edit.key, done.revision)
    return True


def _op(edit: PutKey | DeleteKey, lease: int) -> Message:
    if isinstance(edit, PutKey):
        return put_op(edit.key, edit.value, lease=lease)
    return delete_op(edit.key)


def _known(operation: Operation) -> PutKey | DeleteKey:
    if isinstance(operation, (PutKey, DeleteKey)):
        return operation
    raise TypeError(f"not an operation of this output: {operation!r}")
