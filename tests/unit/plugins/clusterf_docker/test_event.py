from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf_docker.event import Event, Meaning, NetworksChanged, NotAnEvent, filters, read
from tests.unit.plugins.clusterf_docker.fake_docker import identifier
from tests.unit.plugins.clusterf_docker.test_container import ANY_JSON

ONE = identifier(1)


def told(action: str, **attributes: object) -> dict[str, object]:
    return {"Type": "container", "Action": action, "Actor": {"ID": ONE, "Attributes": attributes}}


@pytest.mark.parametrize(
    ("action", "meaning"),
    [
        ("start", Meaning.CHANGED),
        ("restart", Meaning.CHANGED),
        ("unpause", Meaning.CHANGED),
        ("rename", Meaning.CHANGED),
        ("health_status: unhealthy", Meaning.CHANGED),
        ("pause", Meaning.PAUSED),
        ("die", Meaning.ENDED),
        ("destroy", Meaning.ENDED),
    ],
)
def test_meanings(action: str, meaning: Meaning) -> None:
    assert read(told(action)) == Event(ONE, meaning, starts=action == "start")


@pytest.mark.parametrize("action", ["oom", "create", "exec_start: sh", "stop", "top", "resize"])
def test_events_that_decide_nothing(action: str) -> None:
    assert read(told(action)) is None


def test_a_signal() -> None:
    assert read(told("kill", signal="15")) == Event(ONE, Meaning.SIGNALLED, signal="15")
    assert read(told("kill", signal=15)) == Event(ONE, Meaning.SIGNALLED, signal="")


def test_labels_make_an_event_ours() -> None:
    answer = told("start", **{"clusterf.service": "web"})
    assert read(answer) == Event(ONE, Meaning.CHANGED, ours=True, starts=True)


def test_a_container_in_another_network_is_another_container() -> None:
    actor = {"ID": "f" * 64, "Attributes": {"container": ONE, "name": "front"}}
    for action in ("connect", "disconnect"):
        answer = {"Type": "network", "Action": action, "Actor": actor}
        assert read(answer) == Event(ONE, Meaning.CHANGED)
    for kind, action in (("container", "connect"), ("volume", "destroy"), ("network", "prune")):
        assert read({"Type": kind, "Action": action, "Actor": actor}) is None


@pytest.mark.parametrize("action", ["create", "destroy"])
def test_networks_come_and_go(action: str) -> None:
    actor = {"ID": "f" * 64, "Attributes": {"name": "front", "type": "bridge"}}
    assert read({"Type": "network", "Action": action, "Actor": actor}) == NetworksChanged()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"Type": "container"},
        {"Type": "container", "Action": "die"},
        {"Type": "container", "Action": "die", "Actor": []},
        {"Type": "container", "Action": "die", "Actor": {"ID": "x", "Attributes": {}}},
        {"Type": "container", "Action": "die", "Actor": {"ID": ONE, "Attributes": None}},
        {"Type": "network", "Action": "connect", "Actor": {"ID": ONE, "Attributes": {}}},
    ],
)
def test_what_is_no_event(answer: object) -> None:
    with pytest.raises(NotAnEvent):
        read(answer)


@given(ANY_JSON | st.builds(lambda actor: {**told("die"), "Actor": actor}, ANY_JSON))
def test_no_json_breaks_the_reading(answer: object) -> None:
    try:
        read(answer)
    except NotAnEvent:
        pass
    else:
        assert isinstance(answer, dict)


def test_every_event_asked_for_has_a_meaning() -> None:
    for action in filters(networks=False)["event"]:
        kind = "network" if action in {"connect", "disconnect"} else "container"
        answer = {**told(action, container=ONE), "Type": kind}
        assert read(answer) is not None


def test_networks_are_asked_for_where_they_decide_something() -> None:
    few, more = filters(networks=False), filters(networks=True)
    assert few["type"] == more["type"] == ["container", "network"]
    assert set(more["event"]) - set(few["event"]) == {"create"}
