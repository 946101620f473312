"""What is known of each labelled container: lists, events and inspections folded in order. Pure.

Only an inspection makes a record, and only where no event came while it was under way; events
take away at once. So a lost, repeated or early event costs one look and nothing else.
Moments are seconds on the caller's clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from clusterf.model.service import Backend
from clusterf_docker import container as containers
from clusterf_docker import records, stop_signal
from clusterf_docker.answer import Unreadable
from clusterf_docker.changes import Changes
from clusterf_docker.container import Container
from clusterf_docker.event import Event, Meaning
from clusterf_docker.labels import Objection
from clusterf_docker.records import Decider, Verdict


@dataclass(frozen=True, slots=True)
class Missing:
    """Result of an inspection: the engine knows no such container."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Result of an inspection: no usable answer about this container, though the engine lives."""

    detail: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Result of an inspection: parsed JSON."""

    json: object


Inspection = Answer | Missing | Failed

_DOUBT = "doubt"
_NOT_BACK = Objection("", "not_back", "is not back since the engine was away; kept for now")


@dataclass(slots=True)
class _Known:
    """One container. ``turn`` counts events, so that an inspection knows that it is late."""

    turn: int = 0
    container: Container | None = None
    told_to_stop: dict[str, float] = field(default_factory=dict)  # signal: moment
    frozen: bool = False
    healthy_run: str | None = None
    doubt: Objection | None = None
    ended: bool = False
    verdict: Verdict = field(default_factory=Verdict)


class State:
    """All labelled containers of an engine, and what they contribute."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self._settings = decider.settings
        self._known: dict[str, _Known] = {}
        self._wanted: dict[str, None] = {}  # because of an event: first
        self._routine: dict[str, None] = {}  # because of a list
        self._under_way: set[str] = set()
        self._unsettled: set[str] = set()
        self._turns = 0
        self._grace_until: float | None = None
        self._away = False
        self._changes = Changes()

    # --- what the world says -----------------------------------------------------------------

    def connected(self) -> None:
        """A new connection: inspections that were under way are void."""
        self._under_way.clear()
        self._wanted.clear()
        self._routine.clear()

    def lost(self) -> None:
        """The engine is away: what is known stays, and gets a grace period at its return."""
        self._away = True

    def listed(self, ids: Iterable[str], now: float) -> None:
        """The containers of ours that run, as of some moment since the last call.

        All of them and all that were known are inspected; the list itself decides nothing.
        """
        if self._away:
            self._away = False
            self._grace_until = now + self._settings.grace
        for identifier in ids:
            if identifier not in self._known:
                self._known[identifier] = _Known(turn=self._turn())
        self._unsettled = set(self._known)
        self._routine.update(dict.fromkeys(self._known))

    def happened(self, event: Event, now: float) -> None:
        """Fold one event, in the order of the stream."""
        known = self._known.get(event.id)
        if known is None:
            if not event.ours or event.meaning is Meaning.ENDED:
                return
            known = self._known[event.id] = _Known()
        elif event.meaning is Meaning.SIGNALLED and not self._stops(known, event.signal):
            return
        known.turn = self._turn()
        if event.meaning is Meaning.ENDED:
            known.ended = True
        elif event.meaning is Meaning.SIGNALLED:
            known.told_to_stop[event.signal] = now
        elif event.meaning is Meaning.PAUSED:
            known.frozen = True
        if event.starts:
            # What was seen before belongs to an earlier run.
            known.container = None
            known.told_to_stop.clear()
        self._judge(event.id, known)
        if known.ended:
            self._forget(event.id)
        elif event.meaning is Meaning.CHANGED or known.container is None:
            self._want(event.id)

    def inspected(self, identifier: str, turn: int, result: Inspection, now: float) -> None:
        """Fold the result of an inspection that `take` handed out."""
        self._under_way.discard(identifier)
        known = self._known.get(identifier)
        if known is None:
            return
        if known.turn != turn:
            # What it says may be older than what the events said since.
            self._want(identifier)
            return
        known.doubt = None
        if isinstance(result, Answer):
            self._look(known, identifier, result, now)
        elif isinstance(result, Failed):
            known.doubt = Objection("", "unanswered", result.detail)
        elif self._restoring(known, now):
            known.doubt = _NOT_BACK
        else:
            known.ended = True
        self._judge(identifier, known)
        self._unsettled.discard(identifier)
        if known.ended:
            self._forget(identifier)

    def passed(self, now: float) -> None:
        """Time went by: whatever has waited long enough is looked at again."""
        if self._grace_until is not None and self._grace_until <= now:
            self._grace_until = None
            for identifier, known in self._known.items():
                if known.doubt is not None:
                    self._want(identifier)
        for identifier, known in self._known.items():
            if known.told_to_stop and self._patience_ends(known) <= now:
                # It took the signal and lives on: it serves again, if the engine agrees.
                known.told_to_stop.clear()
                known.turn = self._turn()
                self._want(identifier)

    # --- what there is to do ------------------------------------------------------------------

    def take(self) -> tuple[str, int] | None:
        """Next container to inspect, with the turn to hand in with the result."""
        for queue in (self._wanted, self._routine):
            for identifier in queue:
                if identifier not in self._under_way:
                    del queue[identifier]
                    self._under_way.add(identifier)
                    return identifier, self._known[identifier].turn
        return None

    def settled(self) -> bool:
        """Whether everything of the last list has been looked at."""
        return not self._unsettled

    def deadline(self) -> float | None:
        """When `passed` has to be called at the latest."""
        moments = [
            self._patience_ends(known) for known in self._known.values() if known.told_to_stop
        ]
        if self._grace_until is not None:
            moments.append(self._grace_until)
        return min(moments, default=None)

    def changes(self) -> Changes:
        """What changed since the last call."""
        changes, self._changes = self._changes, Changes()
        return changes

    def records(self) -> Collection[Backend]:
        """All backends there are."""
        return [one for known in self._known.values() for one in known.verdict.backends]

    def kept(self) -> int:
        """How many containers keep their last known state because the engine says nothing."""
        return sum(
            known.doubt is not None and bool(known.verdict.backends)
            for known in self._known.values()
        )

    # --- folding ------------------------------------------------------------------------------

    def _look(self, known: _Known, identifier: str, answer: Answer, now: float) -> None:
        try:
            seen = containers.read(answer.json, identifier)
        except Unreadable as error:
            known.doubt = Objection("", "unreadable", f"the engine's answer is unreadable: {error}")
            return
        if not (seen.runs or seen.ended) and self._restoring(known, now):
            known.doubt = _NOT_BACK
            return
        if seen.health == "healthy":
            known.healthy_run = seen.run
        if known.container is not None and known.container.run != seen.run:
            known.told_to_stop.clear()
        for signal in list(known.told_to_stop):
            if not stop_signal.stops(signal, seen.stop_signal):
                del known.told_to_stop[signal]
        known.frozen = False
        known.container = seen
        known.ended = not seen.runs

    def _judge(self, identifier: str, known: _Known) -> None:
        """Decide afresh what a container contributes, and note the difference."""
        verdict = Verdict()
        if known.container is not None and not known.ended:
            verdict = self._decider.decide(known.container, self._quiesced(known, known.container))
        elif not known.ended:
            # Not looked at in this run: what was said of the run before holds until then.
            verdict = Verdict(known.verdict.backends, dict(known.verdict.refusals))
            verdict.refusals.pop(_DOUBT, None)
        if known.doubt is not None and not known.ended:
            name = known.container.name if known.container is not None else identifier[:12]
            verdict.refusals[_DOUBT] = self._decider.refusal(identifier, name, known.doubt)
        self._changes.note(identifier, known.verdict, verdict)
        known.verdict = verdict

    def _quiesced(self, known: _Known, seen: Container) -> str | None:
        if known.frozen and not known.told_to_stop:
            return "paused"
        # An engine that restarts around a living container starts its health check anew:
        # what was healthy in this very run is not starting.
        health = self._settings.health and not (
            seen.health == "starting" and known.healthy_run == seen.run
        )
        return records.quiesced(seen, stopping=bool(known.told_to_stop), health=health)

    def _restoring(self, known: _Known, now: float) -> bool:
        """Whether an engine that is just back may not have found this container's processes yet."""
        in_grace = self._grace_until is not None and now < self._grace_until
        return in_grace and known.container is not None

    def _stops(self, known: _Known, signal: str) -> bool:
        """Whether a signal ends the container. Before the first look nobody knows: perhaps."""
        return known.container is None or stop_signal.stops(signal, known.container.stop_signal)

    def _patience_ends(self, known: _Known) -> float:
        timeout = containers.DEFAULT_STOP_TIMEOUT
        if known.container is not None:
            timeout = known.container.stop_timeout
        return max(known.told_to_stop.values()) + timeout + self._settings.stop_patience

    def _turn(self) -> int:
        self._turns += 1
        return self._turns

    def _want(self, identifier: str) -> None:
        self._routine.pop(identifier, None)
        self._wanted[identifier] = None

    def _forget(self, identifier: str) -> None:
        del self._known[identifier]
        self._wanted.pop(identifier, None)
        self._routine.pop(identifier, None)
        self._unsettled.discard(identifier)
