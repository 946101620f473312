"""Carry out: send the runs of a plan to the kernel and fold what became of them into the table."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import attrgetter

from clusterf.model.operation import KernelOperation, Outcome, steps, successes
from clusterf.model.table import ServiceKey, VirtualService
from clusterf.plugin import OutputUnavailable
from clusterf_ipvs import reasons
from clusterf_ipvs.kernel import UNKNOWN, Kernel
from clusterf_ipvs.runs import Run, Verdict, apply, judge, translate


@dataclass(slots=True)
class Carried:
    """Results of a plan. ``unsure``: virtual services to be looked at before the next plan."""

    outcomes: list[Outcome] = field(default_factory=list)
    unsure: set[ServiceKey] = field(default_factory=set)
    unknown: list[int] = field(default_factory=list)
    """Indices of outcomes that only a look at the kernel can tell."""
    gone: OutputUnavailable | None = None
    """Why the rest of the plan was not even tried."""


class Carrier:
    """Carries out plans; ``observed`` is the caller's table, brought up to date in place."""

    def __init__(
        self,
        kernel: Kernel,
        observed: dict[ServiceKey, VirtualService],
        owns: Callable[[ServiceKey], bool],
        log: logging.Logger,
        *,
        batch: int,
    ) -> None:
        self._kernel = kernel
        self._observed = observed
        self._owns = owns
        self._log = log
        self._batch = batch
        self._hide = True

    async def carry_out(self, operations: Sequence[KernelOperation]) -> Carried:
        """Carry out a plan in its order. Never raises for what the kernel does.

        An operation of several steps has one outcome if all went well, else one for each step.
        """
        carried = Carried()
        runs: list[Run] = []
        room = self._batch
        for subject, row in groupby(operations, attrgetter("subject")):
            if not self._owns(subject):
                await self._send(runs, carried)
                runs, room = [], self._batch
                carried.outcomes += [_failed(step, reasons.foreign(step)) for step in steps(row)]
                continue
            run = translate(list(row), self._observed.get(subject), hide=self._hide)
            # Few messages exist at any time, whatever the size of the plan.
            if run.size > room:
                await self._send(runs, carried)
                runs, room = [], self._batch
            runs.append(run)
            room -= run.size
        await self._send(runs, carried)
        return carried

    async def _send(self, runs: Sequence[Run], carried: Carried) -> None:
        if carried.gone is not None:
            for run in runs:
                self._unavailable(run, carried.gone, carried)
            return
        if not runs:
            return
        try:
            results = await self._kernel.exchange(
                [message for run in runs for message in run.messages]
            )
            verdicts = await self._second_attempt(runs, results) if any(results) else None
        except OutputUnavailable as error:
            carried.gone = error
            for run in runs:
                self._unavailable(run, error, carried)
            return
        if verdicts is None:
            for run in runs:
                self._fold_done(run)
            carried.outcomes += successes(chain.from_iterable(run.operations for run in runs))
        else:
            for run, verdict in zip(runs, verdicts, strict=True):
                self._conclude(run, verdict, carried)

    async def _second_attempt(
        self, runs: Sequence[Run], results: Sequence[int]
    ) -> Sequence[Verdict]:
        """Judge each run, and try once more in other words where that may help."""
        verdicts: list[Verdict] = []
        start = 0
        for run in runs:
            end = start + run.size
            verdicts.append(judge(run, results[start:end]))
            start = end
        if any(verdict.hiding_refused for verdict in verdicts):
            verdicts = await self._without_hiding(runs, verdicts)
        attempts = [
            (verdict, index, message) for verdict in verdicts for index, message in verdict.again
        ]
        answers = await self._kernel.exchange([message for _, _, message in attempts])
        for (verdict, index, _), answer in zip(attempts, answers, strict=True):
            if index is not None:
                verdict.codes[index] = answer
            verdict.unsure = verdict.unsure or bool(answer)
        return verdicts

    async def _without_hiding(
        self, runs: Sequence[Run], verdicts: Sequence[Verdict]
    ) -> list[Verdict]:
        """Kernels before 4.1 do not know the scheduler "none": make these services in the open."""
        self._hide = False
        self._log.warning("scheduler unavailable scheduler=none effect=slower_creation")
        judged: list[Verdict] = []
        for run, verdict in zip(runs, verdicts, strict=True):
            if not verdict.hiding_refused:
                judged.append(verdict)
                continue
            plain = translate(run.operations, None, hide=False)
            judged.append(judge(plain, await self._kernel.exchange(plain.messages)))
        return judged

    def _conclude(self, run: Run, verdict: Verdict, carried: Carried) -> None:
        taken, codes = verdict.steps, verdict.codes
        if verdict.unsure:
            carried.unsure.add(run.subject)
        if run.created is not None and codes[0] > 0:
            reason = reasons.explain(run.operations[0], codes[0])
            carried.outcomes.append(_failed(taken[0], reason))
            carried.outcomes += [_failed(step, reasons.follows(step, reason)) for step in taken[1:]]
            return
        if not any(codes):
            self._fold_done(run)
            carried.outcomes += successes(run.operations)
            return
        self._fold(run.subject, apply(self._observed.get(run.subject), taken, codes))
        for step, code in zip(taken, codes, strict=True):
            if code == UNKNOWN:
                carried.unknown.append(len(carried.outcomes))
            if code:
                carried.outcomes.append(_failed(step, reasons.explain(step, code)))
            else:
                carried.outcomes.append(Outcome(step))

    def _fold_done(self, run: Run) -> None:
        """Fold a run of which everything was done."""
        if run.created is not None and len(run.operations) == 1:
            # The very object that is desired: equal at a glance, and stored only once.
            self._observed[run.subject] = run.created
        else:
            self._fold(run.subject, apply(self._observed.get(run.subject), run.operations))

    def _fold(self, subject: ServiceKey, service: VirtualService | None) -> None:
        if service is None:
            self._observed.pop(subject, None)
        else:
            self._observed[subject] = service

    def _unavailable(self, run: Run, error: OutputUnavailable, carried: Carried) -> None:
        carried.unsure.add(run.subject)
        message = str(error.args[0]) if error.args else str(error)
        for step in steps(run.operations):
            reason = reasons.unavailable(step, message, error.hint)
            carried.unknown.append(len(carried.outcomes))
            carried.outcomes.append(_failed(step, reason))


def _failed(operation: KernelOperation, reason: reasons.Reason) -> Outcome:
    return Outcome(operation, reason.error, reason.hint, reason.retry)
