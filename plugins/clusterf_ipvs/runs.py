"""Runs: operations to messages, and the kernel's answers to what became of each operation.

Pure. A run is a row of operations on one virtual service. Its messages go out together; what the
kernel answers decides about a second attempt, once, in other words: somebody else may have added
or deleted the same thing since we looked.

A new virtual service whose scheduler computes a table from all its destinations is *hidden* at
first: it is made with the scheduler "none", filled, and then switched. The table is computed once
instead of at every addition (23 times faster at 1,000 destinations of mh) and the service goes
live at one moment with all of them. Destinations go in by address and port, so that equal
services get equal tables on every director.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat

from clusterf.model.operation import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    EditDestination,
    EditService,
    KernelOperation,
    steps,
)
from clusterf.model.table import Destination, ServiceKey, VirtualService
from clusterf_ipvs.constants import HASHING, NO_SCHEDULER
from clusterf_ipvs.kernel import UNKNOWN, Row
from clusterf_ipvs.service_codec import ServiceEncoder

_GONE = (errno.ENOENT, errno.ESRCH)
_SWITCH = -2
"""Owner, beside the indices of steps, of the message that switches a hidden service."""


@dataclass(slots=True)
class Run:
    """A row of operations on one virtual service, with the messages for them."""

    subject: ServiceKey
    operations: Sequence[KernelOperation]
    messages: Sequence[bytes | Row]
    size: int
    """How many single messages these are."""
    owners: Sequence[int] = ()
    """For each single message the index of its step; nothing where each step has one."""
    created: VirtualService | None = None
    """The virtual service that this run creates."""
    hidden: bool = False


@dataclass(slots=True)
class Verdict:
    """What became of a run: a code for each of its steps, 0 where it was done.

    ``again`` are the messages of a second attempt, each with the index of its step, None
    where only the attempt counts. ``unsure``: the kernel holds something else than believed.
    """

    steps: Sequence[KernelOperation]
    codes: list[int]
    again: list[tuple[int | None, bytes]] = field(default_factory=list)
    unsure: bool = False
    hiding_refused: bool = False


def translate(
    operations: Sequence[KernelOperation], observed: VirtualService | None, *, hide: bool
) -> Run:
    """Messages for a row of operations. ``hide``: the kernel knows the scheduler "none"."""
    first = operations[0]
    subject, created = first.subject, first.service if isinstance(first, AddService) else None
    service = created or observed
    if service is not None and service.scheduler in HASHING:
        return _translate_hashing(operations, service, created, hide=hide)
    encoder = ServiceEncoder(subject)
    if created is not None and len(operations) == 1:
        # Most of all operations, on the day of a cold start.
        added = encoder.new_destinations(created.destinations)
        messages = (encoder.new_service(*created.settings), *added)
        return Run(subject, operations, messages, 1 + len(created.destinations), (), created)
    one_each = [_message(encoder, step) for step in steps(operations)]
    return Run(subject, operations, one_each, len(one_each), (), created)


def _message(encoder: ServiceEncoder, step: KernelOperation) -> bytes:
    if isinstance(step, AddDestination):
        return encoder.new_destination(step.key, step.destination)
    if isinstance(step, EditDestination):
        return encoder.set_destination(step.key, step.destination)
    if isinstance(step, AddService):
        return encoder.new_service(*step.service.settings)
    if isinstance(step, EditService):
        return encoder.set_service(*step.service.settings)
    if isinstance(step, DeleteDestination):
        return encoder.del_destination(step.key)
    return encoder.del_service()


def _translate_hashing(
    operations: Sequence[KernelOperation],
    service: VirtualService,
    created: VirtualService | None,
    *,
    hide: bool,
) -> Run:
    hide = hide and created is not None
    encoder = ServiceEncoder(operations[0].subject)
    messages: list[bytes | Row] = []
    owners: list[int] = []
    nominal: int | None = None
    for index, step in sorted(enumerate(steps(operations)), key=_canonical):
        owners.append(index)
        if hide and isinstance(step, AddService):
            messages.append(encoder.new_service(NO_SCHEDULER, *service.settings[1:]))
        elif hide and isinstance(step, AddDestination) and not step.destination.weight:
            if nominal is None:
                nominal = stand_in_weight(service)
            first = replace(step.destination, weight=nominal)
            messages.append(encoder.new_destination(step.key, first))
            messages.append(encoder.set_destination(step.key, step.destination))
            owners.append(index)
        else:
            messages.append(_message(encoder, step))
    if hide:
        messages.append(encoder.set_service(*service.settings))
        owners.append(_SWITCH)
    subject, size = operations[0].subject, len(messages)
    return Run(subject, operations, messages, size, owners, created, hide)


def _canonical(entry: tuple[int, KernelOperation]) -> tuple[int, bytes, int]:
    """Additions of destinations by address and port; all else stays where the plan has it."""
    index, step = entry
    if isinstance(step, AddService):
        return (0, b"", 0)
    if isinstance(step, AddDestination):
        return (1, *step.key)
    return (2, b"", index)


def stand_in_weight(service: VirtualService) -> int:
    """Weight with which a quiesced destination enters a new table, before it is quiesced.

    The tables of mh and sh give a destination places by its last weight that was not 0
    (ip_vs_mh.c, last_weight), and none to one that never had any: on a director that starts now
    the others would lie elsewhere than on one that saw it quiesced. Its weight of before is not
    known here; that of most others is the best guess, and exact where all are equal.
    """
    weights = Counter(d.weight for d in service.destinations.values() if d.weight)
    return weights.most_common(1)[0][0] if weights else 1


def judge(run: Run, results: Sequence[int]) -> Verdict:
    """Decide what the answers to a run's messages mean."""
    taken = list(steps(run.operations))
    answers: dict[int, list[int]] = {}
    for owner, result in zip(run.owners or range(run.size), results, strict=True):
        answers.setdefault(owner, []).append(result)
    verdict = Verdict(taken, [0] * len(taken), unsure=UNKNOWN in results)
    switch = answers.pop(_SWITCH, [0])[0]
    for index, codes in answers.items():
        if any(codes) or (switch and index == 0):
            _judge_one(run, index, codes, switch, verdict)
    if run.created is not None and verdict.codes[0] > 0:
        attempts = [entry for entry in verdict.again if entry[0] == 0]
        if not attempts:
            # Without the service no attempt at a destination makes sense.
            verdict.again = [entry for entry in verdict.again if entry[0] is None]
    return verdict


def _judge_one(run: Run, index: int, codes: list[int], switch: int, verdict: Verdict) -> None:
    step, code = verdict.steps[index], codes[0]
    encoder = ServiceEncoder(run.subject)
    verdict.codes[index] = code
    if isinstance(step, AddService):
        _judge_creation(run, step, code, switch, verdict)
    elif isinstance(step, EditService):
        # After a failure to take the new scheduler the service is left without any.
        verdict.unsure = True
    elif isinstance(step, AddDestination):
        if code in (0, errno.EEXIST) and len(codes) > 1:
            verdict.codes[index] = codes[1]
        elif code == errno.EEXIST:
            verdict.again.append((index, encoder.set_destination(step.key, step.destination)))
    elif isinstance(step, EditDestination):
        if code == errno.ENOENT:
            verdict.again.append((index, encoder.new_destination(step.key, step.destination)))
    elif code in _GONE:
        verdict.codes[index] = 0
    verdict.unsure = verdict.unsure or code == errno.ESRCH


def _judge_creation(run: Run, step: AddService, code: int, switch: int, verdict: Verdict) -> None:
    encoder = ServiceEncoder(run.subject)
    if code == errno.EEXIST:
        # Somebody else's, perhaps with destinations that we do not know of.
        verdict.unsure = True
        if run.hidden:
            verdict.codes[0] = switch
        else:
            verdict.again.append((0, encoder.set_service(*step.service.settings)))
    elif run.hidden and code == errno.ENOENT:
        verdict.hiding_refused = True
    elif run.hidden and code == 0:
        verdict.codes[0] = switch
        if switch > 0:
            # A service without a scheduler would take its packets and answer none of them.
            verdict.again.append((None, encoder.del_service()))


def apply(
    service: VirtualService | None,
    taken: Iterable[KernelOperation],
    codes: Iterable[int] = repeat(0),
) -> VirtualService | None:
    """The virtual service after those steps that were done; None when it is gone."""
    settings, destinations = service, dict(service.destinations) if service is not None else {}
    for step, code in zip(taken, codes, strict=False):
        if code:
            continue
        if isinstance(step, AddDestination | EditDestination):
            destinations[step.key] = step.destination
        elif isinstance(step, DeleteDestination):
            destinations.pop(step.key, None)
        elif isinstance(step, EditService):
            settings = step.service
        elif isinstance(step, AddService):
            settings, destinations = step.service, dict(step.service.destinations)
        else:
            settings = None
    return None if settings is None else replace(settings, destinations=destinations)


def holds(operation: KernelOperation, service: VirtualService | None) -> bool:
    """Whether the kernel is as the operation wanted it."""
    if isinstance(operation, DeleteService):
        return service is None
    if isinstance(operation, DeleteDestination):
        return service is None or operation.key not in service.destinations
    if service is None:
        return False
    if isinstance(operation, AddService | EditService):
        return service.settings == operation.service.settings
    found: Destination | None = service.destinations.get(operation.key)
    return found == operation.destination
