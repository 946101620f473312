"""One output's runner: observe, plan, carry out; catch up, look for drift, try again.

A slow or absent output holds back nobody: what it missed collapses into the set of entries it
has to look at. ``observe``, ``plan`` and ``carry_out`` never overlap.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from clusterf.engine.journal import Journal
from clusterf.engine.supervisor import BackOff, Health, State
from clusterf.model.counting import counted
from clusterf.model.operation import Operation, Outcome, Plan, Subject, count
from clusterf.model.table import ServiceKey
from clusterf.plugin.output import Attending, DataPlane, Desired, Output, Surveying

_SLICE = 256
"""Entries that the periodic look takes at once: changes get their turn between two slices."""

_LOOK_SHARE = 20.0
"""A look that took t seconds is not repeated before 20 t, so it costs 5 % of one CPU at most."""


@dataclass(slots=True)
class Failing:
    """An entry whose operation failed: what was said, and how it is tried again."""

    error: str
    hint: str
    back_off: BackOff = field(default_factory=BackOff)


class Runner:
    """Keeps one output's world equal to the table."""

    def __init__(
        self,
        name: str,
        output: Output[Any],
        desired: Desired,
        journal: Journal,
        *,
        look: float,
        progressed: Callable[[Collection[Subject] | None], None],
    ) -> None:
        self.name = name
        self.output = output
        self.health = Health()
        self.adopted = False
        self.first_round = trio.Event()
        self.held: dict[Subject, str] = {}
        self.failing: dict[Subject | None, Failing] = {}
        self.looks = 0
        """Completed looks at the whole world, since the start."""
        self.log = logging.getLogger(f"clusterf.{name}")
        self._desired = desired
        self._journal = journal
        self._look = look
        self._progressed = progressed
        self._pending: set[Subject] = set()
        self._everything = False
        self._look_wanted = False
        self._wake: dict[Subject, float] = {}
        self._woken = trio.Event()
        self._survey: list[ServiceKey] = []
        self._survey_began = 0.0
        self._next_look = 0.0

    # --- what the engine tells it ------------------------------------------------------------

    def mark(self, keys: Iterable[Subject]) -> None:
        """These entries of the table changed, or their circumstances did."""
        self._pending.update(keys)
        self._woken.set()

    def mark_everything(self) -> None:
        """Plan everything again from what was last observed."""
        self._everything = True
        self._woken.set()

    def again(self, subjects: Collection[Subject] | None) -> None:
        """The output's own word: these are not as they were; None: it has to look at everything."""
        if subjects is None:
            self._look_wanted = True
            self._woken.set()
        else:
            self.mark(subjects)

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to do now. Drains under way are not counted."""
        return not (self._pending or self._everything) and self.health.state is State.RUNNING

    # --- the loop ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Adopt what is there, then follow the table.

        Raises:
            OutputUnavailable: from the output; the supervisor runs this again.
        """
        if not isinstance(self.output, Attending):
            await self._follow_on()
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.output.attend, self.again)
            await self._follow_on()

    async def _follow_on(self) -> None:
        await self.once()
        self._next_look = trio.current_time() + self._look
        while True:
            await self._wait()
            if self._pending or self._everything:
                await self._follow()
            elif due := self._due():
                await self.output.observe(due)
                await self._apply(due)
            else:
                await self._look_on()

    async def once(self) -> Sequence[Outcome]:
        """Look at everything and bring it in line."""
        self._look_wanted = False
        await self.output.observe(None)
        self._pending.clear()
        self._everything = False
        self._wake.clear()
        self._survey.clear()
        outcomes = await self._apply(None)
        if not self.adopted and isinstance(self.output, DataPlane):
            self.adopted = True
            self._progressed(None)
        self.adopted = True
        self.first_round.set()
        self.health.running()
        return outcomes

    async def _wait(self) -> None:
        """Until something is marked, a drain is due, or it is time for a look."""
        if self._pending or self._everything or self._survey or self._look_wanted:
            await trio.lowlevel.checkpoint()
            return
        moments = [self._next_look, *self._wake.values()]
        with trio.move_on_at(min(moments)):
            await self._woken.wait()
        self._woken = trio.Event()

    async def _follow(self) -> None:
        subjects: set[Subject] | None = None
        if not self._everything:
            subjects = self._pending
        self._pending = set()
        self._everything = False
        await self._apply(subjects)

    def _due(self) -> set[Subject]:
        now = trio.current_time()
        return {key for key, moment in self._wake.items() if moment <= now}

    async def _look_on(self) -> None:
        """Look at the next slice of the world; drift is repaired slice by slice."""
        if not self._survey:
            if trio.current_time() < self._next_look and not self._look_wanted:
                return
            self._look_wanted = False
            self._survey_began = trio.current_time()
            if not isinstance(self.output, Surveying):
                await self.output.observe(None)
                await self._apply(None)
                self._looked()
                return
            present = await self.output.survey()
            self._survey = list({*present, *self._desired.table})
        part = self._survey[-_SLICE:]
        del self._survey[-_SLICE:]
        if part:
            await self.output.observe(part)
            await self._apply(part)
        if not self._survey:
            self._looked()

    def _looked(self) -> None:
        self.looks += 1
        now = trio.current_time()
        self._next_look = now + max(self._look, _LOOK_SHARE * (now - self._survey_began))

    # --- one round ---------------------------------------------------------------------------

    async def _apply(self, subjects: Collection[Subject] | None) -> Sequence[Outcome]:
        plan = self.output.plan(self._desired, subjects, trio.current_time())
        self._note(subjects, plan)
        outcomes: Sequence[Outcome] = ()
        if plan.operations:
            outcomes = await self.output.carry_out(plan.operations)
            told, asked = count(each.operation for each in outcomes), count(plan.operations)
            if told != asked:
                raise RuntimeError(
                    f"{self.name}: {counted(told, 'outcome')} for {counted(asked, 'operation')}"
                )
            self._journal.record(self.name, outcomes, self.log, trio.current_time())
        self._judge(subjects, outcomes)
        # What failed is no progress: it must not make those who follow, us among them, try again.
        touched = {
            outcome.operation.subject
            for outcome in outcomes
            if not outcome.error and outcome.operation.subject is not None
        }
        if touched:
            self._progressed(touched)
        return outcomes

    def _note(self, subjects: Collection[Subject] | None, plan: Plan) -> None:
        """Take over the plan's moments and holds for these subjects."""
        if subjects is None:
            self._wake, self.held = dict(plan.wake), dict(plan.held)
            return
        for key in subjects:
            self._wake.pop(key, None)
            self.held.pop(key, None)
        self._wake.update(plan.wake)
        self.held.update(plan.held)

    def _judge(self, subjects: Collection[Subject] | None, outcomes: Sequence[Outcome]) -> None:
        """Report failures once, and have failed entries looked at and planned again."""
        failed: dict[Subject | None, Outcome] = {}
        for outcome in outcomes:
            if outcome.error:
                failed.setdefault(outcome.operation.subject, outcome)
        for key in list(self.failing):
            looked_at = subjects is None or key is None or key in subjects
            if looked_at and key not in failed:
                del self.failing[key]
                self.log.info("recovered entry=%s", key)
        now = trio.current_time()
        for key, outcome in failed.items():
            failing = self.failing.get(key)
            if failing is None or failing.error != outcome.error:
                operation: Operation = outcome.operation
                self.log.error(
                    "failed op=%r because=%r error=%r hint=%r",
                    operation.describe(),
                    operation.reason(),
                    outcome.error,
                    outcome.hint,
                )
                failing = self.failing.setdefault(key, Failing(outcome.error, outcome.hint))
                failing.error, failing.hint = outcome.error, outcome.hint
            if key is not None and outcome.retry:
                self._wake[key] = now + failing.back_off.delay()
