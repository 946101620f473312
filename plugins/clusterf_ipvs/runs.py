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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter

from clusterf.model.operation import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    EditDestination,
    EditService,
    KernelOperation,
)
from clusterf.model.table import Destination, ServiceKey, VirtualService
from clusterf_ipvs.constants import HASHING, NO_SCHEDULER
from clusterf_ipvs.encode import ServiceEncoder
from clusterf_ipvs.kernel import UNKNOWN, Row

_GONE = (errno.ENOENT, errno.ESRCH)
_SWITCH = -2
"""Owner, beside the indices of operations, of the message that switches a hidden service."""


@dataclass(slots=True)
class Run:
    """A row of operations on one virtual service, with the messages for them."""

    subject: ServiceKey
    operations: Sequence[KernelOperation]
    encoder: ServiceEncoder
    hidden: bool = False
    messages: list[bytes | Row] = field(default_factory=list)
    owners: Sequence[int] = ()
    """For each single message the index of its operation."""

    @property
    def created(self) -> VirtualService | None:
        """The virtual service that this run creates, if it does."""
        first = self.operations[0]
        return first.service if isinstance(first, AddService) else None


@dataclass(slots=True)
class Verdict:
    """What became of a run: a code for each operation, 0 where it was done.

    ``again`` are the messages of a second attempt, each with the index of its operation, None
    where only the attempt counts. ``unsure``: the kernel holds something else than believed.
    """

    codes: list[int]
    again: list[tuple[int | None, bytes]] = field(default_factory=list)
    unsure: bool = False
    hiding_refused: bool = False


def rows(operations: Sequence[KernelOperation]) -> Iterator[Sequence[KernelOperation]]:
    """Split where the virtual service changes."""
    for _, row in groupby(operations, key=attrgetter("subject")):
        yield list(row)


def translate(
    operations: Sequence[KernelOperation], observed: VirtualService | None, *, hide: bool
) -> Run:
    """Messages for a row of operations. ``hide``: the kernel knows the scheduler "none"."""
    subject = operations[0].subject
    run = Run(subject, operations, ServiceEncoder(subject))
    created = run.created or observed
    if created is not None and created.scheduler in HASHING:
        run.hidden = hide and run.created is not None
        _translate_hashing(run, created)
    else:
        run.messages = _messages(run)
        run.owners = range(len(operations))
    return run


def _messages(run: Run) -> list[bytes | Row]:
    """One message for each operation."""
    encoder, operations, created = run.encoder, run.operations, run.created
    if created is None or set(map(type, operations[1:])) != {AddDestination}:
        return [_message(encoder, operation) for operation in operations]
    # A new service and its destinations: most of all operations, on the day of a cold start.
    additions = operations[1:]
    keys = list(map(attrgetter("key"), additions))
    destinations = list(map(attrgetter("destination"), additions))
    service = encoder.new_service(*created.settings)
    return [service, *encoder.new_destinations(keys, destinations)]


def _message(encoder: ServiceEncoder, operation: KernelOperation) -> bytes:
    if isinstance(operation, AddDestination):
        return encoder.new_destination(operation.key, operation.destination)
    if isinstance(operation, EditDestination):
        return encoder.set_destination(operation.key, operation.destination)
    if isinstance(operation, AddService):
        return encoder.new_service(*operation.service.settings)
    if isinstance(operation, EditService):
        return encoder.set_service(*operation.service.settings)
    if isinstance(operation, DeleteDestination):
        return encoder.del_destination(operation.key)
    return encoder.del_service()


def _translate_hashing(run: Run, service: VirtualService) -> None:
    encoder, hidden = run.encoder, run.hidden
    ordered = sorted(enumerate(run.operations), key=_canonical)
    owners: list[int] = []
    nominal: int | None = None
    for index, operation in ordered:
        owners.append(index)
        if hidden and isinstance(operation, AddService):
            run.messages.append(encoder.new_service(NO_SCHEDULER, *service.settings[1:]))
        elif hidden and isinstance(operation, AddDestination) and not operation.destination.weight:
            if nominal is None:
                nominal = stand_in_weight(service)
            first = replace(operation.destination, weight=nominal)
            run.messages.append(encoder.new_destination(operation.key, first))
            run.messages.append(encoder.set_destination(operation.key, operation.destination))
            owners.append(index)
        else:
            run.messages.append(_message(encoder, operation))
    if hidden:
        run.messages.append(encoder.set_service(*service.settings))
        owners.append(_SWITCH)
    run.owners = owners


def _canonical(entry: tuple[int, KernelOperation]) -> tuple[int, bytes, int]:
    """Additions of destinations by address and port; all else stays where the plan has it."""
    index, operation = entry
    if isinstance(operation, AddService):
        return (0, b"", 0)
    if isinstance(operation, AddDestination):
        return (1, *operation.key)
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
    answers: dict[int, list[int]] = {}
    for owner, result in zip(run.owners, results, strict=True):
        answers.setdefault(owner, []).append(result)
    verdict = Verdict([0] * len(run.operations), unsure=UNKNOWN in results)
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
    operation, code = run.operations[index], codes[0]
    encoder = run.encoder
    verdict.codes[index] = code
    if isinstance(operation, AddService):
        _judge_creation(run, operation, code, switch, verdict)
    elif isinstance(operation, EditService):
        # After a failure to take the new scheduler the service is left without any.
        verdict.unsure = True
    elif isinstance(operation, AddDestination):
        if code in (0, errno.EEXIST) and len(codes) > 1:
            verdict.codes[index] = codes[1]
        elif code == errno.EEXIST:
            again = encoder.set_destination(operation.key, operation.destination)
            verdict.again.append((index, again))
    elif isinstance(operation, EditDestination):
        if code == errno.ENOENT:
            again = encoder.new_destination(operation.key, operation.destination)
            verdict.again.append((index, again))
    elif code in _GONE:
        verdict.codes[index] = 0
    verdict.unsure = verdict.unsure or code == errno.ESRCH


def _judge_creation(
    run: Run, operation: AddService, code: int, switch: int, verdict: Verdict
) -> None:
    settings = operation.service.settings
    if code == errno.EEXIST:
        # Somebody else's, perhaps with destinations that we do not know of.
        verdict.unsure = True
        if run.hidden:
            verdict.codes[0] = switch
        else:
            verdict.again.append((0, run.encoder.set_service(*settings)))
    elif run.hidden and code == errno.ENOENT:
        verdict.hiding_refused = True
    elif run.hidden and code == 0:
        verdict.codes[0] = switch
        if switch > 0:
            # A service without a scheduler would take its packets and answer none of them.
            verdict.again.append((None, run.encoder.del_service()))


def apply(service: VirtualService | None, run: Run, codes: Sequence[int]) -> VirtualService | None:
    """The virtual service after what was done of a run; None when it is gone."""
    created = run.created
    whole = created is not None and len(run.operations) == 1 + len(created.destinations)
    if whole and not any(codes):
        # The very object that is desired: equal at a glance, and stored only once.
        return created
    settings, destinations = service, dict(service.destinations) if service is not None else {}
    for operation, code in zip(run.operations, codes, strict=True):
        if code:
            continue
        if isinstance(operation, AddDestination | EditDestination):
            destinations[operation.key] = operation.destination
        elif isinstance(operation, DeleteDestination):
            destinations.pop(operation.key, None)
        elif isinstance(operation, EditService):
            settings = operation.service
        elif isinstance(operation, AddService):
            settings, destinations = operation.service, {}
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
