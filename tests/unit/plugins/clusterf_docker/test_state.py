"""Folding, step by step and in every order that hypothesis finds."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from clusterf.model.service import BackendRef
from clusterf_docker import event
from clusterf_docker.changes import Changes
from clusterf_docker.event import Event, Meaning
from clusterf_docker.records import Decider
from clusterf_docker.settings import DockerSettings
from clusterf_docker.state import Answer, Failed, Inspection, Missing, State
from tests.unit.plugins.clusterf_docker.fake_docker import JSON, described, identifier

LABELS = {"clusterf.service": "web", "clusterf.backend.tcp": "80"}
ONE, TWO = identifier(1), identifier(2)
ENDED = Event(ONE, Meaning.ENDED, ours=True)
CHANGED = Event(ONE, Meaning.CHANGED, ours=True)
STARTED = Event(ONE, Meaning.CHANGED, ours=True, starts=True)
PAUSED = Event(ONE, Meaning.PAUSED, ours=True)
TERM = Event(ONE, Meaning.SIGNALLED, ours=True, signal="15")
HUP = Event(ONE, Meaning.SIGNALLED, ours=True, signal="1")


def web(number: int = 1, **changes: Any) -> Answer:
    return Answer(described(f"web{number}", number, labels=LABELS, **changes))


class Engine:
    """A state, driven by hand; ``now`` is the clock."""

    def __init__(self, **values: Any) -> None:
        self.state = State(Decider(DockerSettings.model_validate(values), "sources.docker"))
        self.now = 100.0

    def tell(self, *events: Event) -> None:
        for one in events:
            self.state.happened(one, self.now)

    def list(self, *ids: str) -> None:
        self.state.listed(ids, self.now)

    def take(self) -> tuple[str, int]:
        taken = self.state.take()
        assert taken is not None
        return taken

    def inspect(self, result: Inspection) -> None:
        """Inspect whichever container is next."""
        self.state.inspected(*self.take(), result, self.now)

    def idle(self) -> bool:
        return self.state.take() is None

    def pass_to(self, moment: float) -> None:
        self.now = moment
        self.state.passed(moment)

    def states(self) -> dict[str, str | None]:
        return {one.id: one.quiesced for one in self.state.records()}


def serving(**values: Any) -> Engine:
    """One container that was listed, inspected and published."""
    engine = Engine(**values)
    engine.list(ONE)
    engine.inspect(web())
    engine.state.changes()
    return engine


def test_a_list_decides_nothing_before_all_was_inspected() -> None:
    engine = Engine()
    assert engine.state.settled()
    engine.list(ONE, TWO)
    assert not engine.state.settled()
    first = engine.take()
    assert engine.take()[0] == TWO
    engine.state.inspected(*first, web(), engine.now)
    assert not engine.state.settled()
    assert engine.states() == {ONE: None}


def test_changes_tell_each_thing_once() -> None:
    engine = Engine()
    engine.list(ONE)
    engine.inspect(web())
    assert list(engine.state.changes().puts) == [BackendRef("web", ONE)]
    engine.list(ONE)
    engine.inspect(web())
    assert engine.state.changes() == Changes()
    engine.tell(ENDED)
    changes = engine.state.changes()
    assert (list(changes.puts), list(changes.drops)) == ([], [BackendRef("web", ONE)])


def test_of_two_changes_only_the_last_is_told() -> None:
    engine = serving()
    engine.tell(ENDED, STARTED)
    engine.inspect(web())
    changes = engine.state.changes()
    assert (list(changes.puts), list(changes.drops)) == ([BackendRef("web", ONE)], [])
    engine.tell(PAUSED, ENDED)
    changes = engine.state.changes()
    assert (list(changes.puts), list(changes.drops)) == ([], [BackendRef("web", ONE)])


def test_a_change_of_services_drops_the_old_and_puts_the_new() -> None:
    engine = serving()
    engine.tell(CHANGED)
    moved = {**LABELS, "clusterf.service": "api"}
    engine.inspect(Answer(described("web1", 1, labels=moved)))
    changes = engine.state.changes()
    assert list(changes.drops) == [BackendRef("web", ONE)]
    assert list(changes.puts) == [BackendRef("api", ONE)]


@pytest.mark.parametrize("result", [Missing(), web(State__Status="exited")])
def test_what_a_list_lacks_is_inspected_and_then_dropped(result: Inspection) -> None:
    engine = serving()
    engine.list()
    assert engine.states() == {ONE: None}
    engine.inspect(result)
    assert engine.states() == {}
    assert engine.state.settled()
    assert engine.idle()


def test_a_late_answer_is_thrown_away() -> None:
    engine = serving()
    engine.tell(CHANGED)
    late = engine.take()
    engine.tell(PAUSED)
    engine.state.inspected(*late, web(), engine.now)
    assert engine.states() == {ONE: "paused"}
    engine.inspect(web(State__Status="paused"))
    assert engine.states() == {ONE: "paused"}
    assert engine.idle()


def test_a_late_answer_about_an_earlier_life_is_thrown_away() -> None:
    engine = Engine()
    engine.list(ONE)
    late = engine.take()
    engine.tell(ENDED)
    engine.list(ONE)  # as it was before it ended
    engine.state.inspected(*late, web(), engine.now)
    assert engine.states() == {}
    engine.inspect(web(State__Status="exited"))
    assert engine.states() == {}
    assert engine.idle()


def test_one_container_is_never_inspected_twice_at_once() -> None:
    engine = serving()
    engine.tell(CHANGED)
    engine.take()
    engine.tell(CHANGED)
    assert engine.idle()


def test_events_come_before_the_routine_of_a_list() -> None:
    engine = Engine()
    engine.list(ONE, TWO)
    engine.tell(Event(TWO, Meaning.CHANGED))
    assert engine.take()[0] == TWO


def test_strangers_are_ignored() -> None:
    engine = Engine()
    for meaning in Meaning:
        engine.tell(Event(ONE, meaning, ours=False, starts=meaning is Meaning.CHANGED))
    assert engine.idle()


def test_a_signal_quiesces_at_once_and_another_does_not() -> None:
    engine = serving()
    engine.tell(HUP)
    assert engine.idle()
    assert engine.state.changes() == Changes()
    engine.tell(TERM)
    assert engine.states() == {ONE: "stopping"}
    assert engine.idle()


def test_a_signal_before_the_first_look_is_judged_after_it() -> None:
    for signal, expected in (("3", "stopping"), ("15", None)):
        engine = Engine()
        engine.tell(STARTED, TERM._replace(signal=signal))
        engine.inspect(web(Config__StopSignal="SIGQUIT"))
        assert engine.states() == {ONE: expected}


def test_a_look_during_the_stop_does_not_make_it_serve() -> None:
    engine = serving()
    engine.tell(TERM)
    engine.list(ONE)
    engine.inspect(web())
    assert engine.states() == {ONE: "stopping"}


def test_patience_with_a_container_that_was_told_to_stop() -> None:
    engine = serving(stop_patience=5.0)
    assert engine.state.deadline() is None
    engine.tell(TERM)
    assert engine.state.deadline() == 115.0
    engine.pass_to(114.9)
    assert engine.idle()
    engine.pass_to(115.0)
    # Only the engine's word that it lives makes it serve again.
    assert engine.states() == {ONE: "stopping"}
    engine.inspect(web())
    assert engine.states() == {ONE: None}
    assert engine.state.deadline() is None


def test_a_new_run_forgets_the_signal_even_if_its_start_was_lost() -> None:
    engine = serving()
    engine.tell(TERM)
    engine.list(ONE)
    engine.inspect(web(State__StartedAt="later"))
    assert engine.states() == {ONE: None}


def test_a_signal_to_a_new_run_counts() -> None:
    engine = serving()
    engine.tell(STARTED, TERM)
    engine.inspect(web(State__StartedAt="later"))
    assert engine.states() == {ONE: "stopping"}


def test_paused_and_unpaused() -> None:
    engine = serving()
    engine.tell(PAUSED)
    assert engine.states() == {ONE: "paused"}
    engine.tell(CHANGED)
    engine.inspect(Failed("no answer"))
    assert engine.states() == {ONE: "paused"}
    engine.tell(CHANGED)
    engine.inspect(web())
    assert engine.states() == {ONE: None}


@pytest.mark.parametrize("result", [Failed("no answer"), Answer([]), Answer({"Id": ONE})])
def test_no_usable_answer_keeps_what_was_known(result: Inspection) -> None:
    engine = serving()
    engine.list(ONE)
    engine.inspect(result)
    assert engine.states() == {ONE: None}
    assert engine.state.settled()
    [refusal] = engine.state.changes().refusals.values()
    assert refusal is not None
    assert refusal.subject == "container web1"
    engine.list(ONE)
    engine.inspect(web())
    assert list(engine.state.changes().refusals.values()) == [None]


def test_no_usable_answer_about_an_unknown_container_is_a_refusal_with_its_id() -> None:
    engine = Engine()
    engine.list(ONE)
    engine.inspect(Answer("nonsense"))
    [refusal] = engine.state.changes().refusals.values()
    assert refusal is not None
    assert (refusal.subject, refusal.reason) == (f"container {ONE[:12]}", "unreadable")


def test_refusals_go_with_their_container() -> None:
    engine = Engine()
    engine.list(ONE)
    engine.inspect(Answer(described("x", 1, labels={**LABELS, "clusterf.weight": "x"})))
    assert len(engine.state.changes().refusals) == 1
    engine.tell(ENDED)
    assert list(engine.state.changes().refusals.values()) == [None]


# --- the engine was away ----------------------------------------------------------------------


@pytest.mark.parametrize("result", [Missing(), web(State__Status="created")])
def test_what_is_not_back_is_kept_until_the_grace_period_ends(result: Inspection) -> None:
    engine = serving(grace=30.0)
    engine.state.lost()
    engine.state.connected()
    engine.now = 500.0
    engine.list()
    engine.inspect(result)
    assert engine.states() == {ONE: None}
    assert engine.state.kept() == 1
    assert engine.state.settled()
    engine.list()
    engine.inspect(result)
    assert engine.states() == {ONE: None}
    assert engine.state.deadline() == 530.0
    engine.pass_to(530.0)
    engine.inspect(result)
    assert engine.states() == {}
    assert engine.state.kept() == 0


@pytest.mark.parametrize("status", ["exited", "dead", "removing"])
def test_what_ended_is_not_kept(status: str) -> None:
    engine = serving()
    engine.state.lost()
    engine.state.connected()
    engine.list()
    engine.inspect(web(State__Status=status))
    assert engine.states() == {}


def test_what_dies_in_the_grace_period_is_not_kept() -> None:
    engine = serving()
    engine.state.lost()
    engine.state.connected()
    engine.list()
    engine.inspect(Missing())
    engine.tell(ENDED)
    assert engine.states() == {}


def test_an_inspection_of_the_connection_before_is_void() -> None:
    engine = serving()
    engine.tell(CHANGED)
    engine.take()
    engine.state.lost()
    engine.state.connected()
    engine.list(ONE)
    assert engine.take()[0] == ONE


def test_a_health_check_that_starts_anew_in_the_same_run_quiesces_nothing() -> None:
    healthy, starting = {"Status": "healthy"}, {"Status": "starting"}
    engine = Engine()
    engine.list(ONE)
    engine.inspect(web(State__Health=starting))
    assert engine.states() == {ONE: "starting"}
    for health, run, expected in (
        (healthy, "first", None),
        (starting, "first", None),
        ({"Status": "unhealthy"}, "first", "unhealthy"),
        (starting, "second", "starting"),
    ):
        engine.tell(CHANGED)
        engine.inspect(web(State__Health=health, State__StartedAt=run))
        assert engine.states() == {ONE: expected}


# --- every order ------------------------------------------------------------------------------


class LossyEngine(RuleBasedStateMachine):
    """Containers that live and die, a stream that loses and repeats, answers that come late.

    Whatever happens: after the stream has gone quiet, one list and its inspections tell the truth.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.runs = 0
        self.world: dict[str, JSON] = {}
        self.stream: list[dict[str, Any]] = []
        self.answers: list[tuple[str, int, Inspection]] = []
        self.listed: list[str] | None = None
        self.board: dict[BackendRef, Any] = {}
        self.decider = Decider(DockerSettings(), "sources.docker")
        self.state = State(self.decider)

    numbers = st.integers(1, 3)

    def _tell(self, number: int, action: str, **attributes: str) -> None:
        actor = {"ID": identifier(number), "Attributes": {**LABELS, **attributes}}
        self.stream.append({"Type": "container", "Action": action, "Actor": actor})

    @rule(number=numbers)
    def start(self, number: int) -> None:
        one = self.world.setdefault(
            identifier(number), described(f"c{number}", number, labels=LABELS, State__Status="new")
        )
        if one["State"]["Status"] not in {"running", "paused"}:
            self.runs += 1
            one["State"] |= {"Status": "running", "StartedAt": str(self.runs)}
            self._tell(number, "start")

    @rule(number=numbers, action=st.sampled_from(["die", "pause", "unpause", "kill", "destroy"]))
    def act(self, number: int, action: str) -> None:
        one = self.world.get(identifier(number))
        status = one["State"]["Status"] if one is not None else ""
        before, after = {
            "die": ({"running", "paused"}, "exited"),
            "pause": ({"running"}, "paused"),
            "unpause": ({"paused"}, "running"),
            "kill": ({"running"}, "running"),
            "destroy": ({"exited"}, "removing"),
        }[action]
        if one is None or status not in before:
            return
        one["State"]["Status"] = after
        self._tell(number, action, signal="1")
        if action == "destroy":
            del self.world[identifier(number)]

    @precondition(lambda self: self.stream)
    @rule(lose=st.booleans(), repeat=st.booleans())
    def deliver(self, *, lose: bool, repeat: bool) -> None:
        answer = self.stream.pop(0)
        happened = event.read(answer)
        assert happened is not None
        if not lose:
            self.state.happened(happened, self.now)
        if repeat:
            self.state.happened(happened, self.now)

    @rule()
    def ask(self) -> None:
        if (taken := self.state.take()) is not None:
            found = copy.deepcopy(self.world.get(taken[0]))
            self.answers.append((*taken, Answer(found) if found is not None else Missing()))

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        self.state.inspected(
            *self.answers.pop(data.draw(st.integers(0, len(self.answers) - 1))), self.now
        )

    @rule()
    def ask_for_list(self) -> None:
        self.listed = self._running()

    @precondition(lambda self: self.listed is not None)
    @rule()
    def hear_of_list(self) -> None:
        self.state.listed(self.listed or [], self.now)
        self.listed = None

    @invariant()
    def the_board_follows_the_changes(self) -> None:
        changes = self.state.changes()
        assert not changes.puts.keys() & changes.drops.keys()
        for ref in changes.drops:
            # What came and went between two calls is dropped unseen: the board ignores that.
            self.board.pop(ref, None)
        self.board |= changes.puts
        assert self.board == {one.ref: one for one in self.state.records()}

    def _running(self) -> list[str]:
        return [
            one for one, it in self.world.items() if it["State"]["Status"] in {"running", "paused"}
        ]

    def teardown(self) -> None:
        while self.stream:
            self.deliver(lose=False, repeat=False)
        self.state.listed(self._running(), self.now)
        for _ in range(100):
            self.ask()
            if not self.answers:
                break
            self.state.inspected(*self.answers.pop(0), self.now)
        self.the_board_follows_the_changes()
        assert self.state.settled()
        states = {one: self.world[one]["State"]["Status"] for one in self._running()}
        assert {ref.id: backend.quiesced for ref, backend in self.board.items()} == {
            one: "paused" if status == "paused" else None for one, status in states.items()
        }


TestLossyEngine = LossyEngine.TestCase
TestLossyEngine.settings = hypothesis_settings(max_examples=100, stateful_step_count=40)
