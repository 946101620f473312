"""Changes: what several verdicts about a container come to, taken together."""

from __future__ import annotations

from clusterf.model.provenance import Refusal
from clusterf_docker.changes import Changes
from clusterf_docker.records import Verdict
from tests.strategies import backend

ONE, OTHER = backend("one"), backend("other")
HEAVY = ONE._replace(weight=7)
NO = Refusal("container one", "no", "not today")


def test_a_difference_is_noted_and_nothing_else() -> None:
    changes = Changes()
    changes.note("one", Verdict((ONE, OTHER)), Verdict((HEAVY, OTHER)))
    assert changes == Changes(puts={ONE.ref: HEAVY})


def test_the_last_verdict_counts() -> None:
    changes = Changes()
    changes.note("one", Verdict(), Verdict((ONE,)))
    changes.note("one", Verdict((ONE,)), Verdict())
    assert changes == Changes(drops={ONE.ref: ONE})
    changes.note("one", Verdict(), Verdict((HEAVY,)))
    assert changes == Changes(puts={ONE.ref: HEAVY})


def test_a_refusal_is_told_once_and_taken_back() -> None:
    changes = Changes()
    changes.note("one", Verdict(), Verdict(refusals={"port": NO}))
    assert changes.refusals == {"one port": NO}
    again = Changes()
    again.note("one", Verdict(refusals={"port": NO}), Verdict(refusals={"port": NO}))
    assert again == Changes()
    again.note("one", Verdict(refusals={"port": NO}), Verdict())
    assert again.refusals == {"one port": None}
