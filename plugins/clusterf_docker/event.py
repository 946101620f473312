"""Events of the engine: the JSON of one event in, what it means out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from clusterf_docker.answer import ID
from clusterf_docker.labels import concerns

# What is asked of the stream. Health checks are execs, each with three events: not asking
# for those keeps a host with many health checks quiet. Where "health_status" is among them
# the engine compares prefixes (moby daemon/events/filter.go), which fits these.
_ASKED = (
    *("start", "restart", "unpause", "rename", "health_status", "connect", "disconnect"),
    *("kill", "pause", "die", "destroy"),
)
# Not "stop": it says no more than the "die" before it, and the engine may tell it after the
# "start" of somebody who could not wait. Not "oom": the container may live on.
# Labels are no part of it: the engine joins several label filters by AND, and ours have two
# prefixes.


def filters(*, networks: bool) -> dict[str, list[str]]:
    """What to ask of the stream; ``networks``: also how networks come and go."""
    # Containers are created as well, which decides nothing.
    asked = (*_ASKED, "create") if networks else _ASKED
    return {"type": ["container", "network"], "event": list(asked)}


class Meaning(Enum):
    """What an event says about its container."""

    CHANGED = auto()
    """Something about it may be different: it has to be inspected."""
    SIGNALLED = auto()
    """It was sent a signal."""
    PAUSED = auto()
    """It is frozen."""
    ENDED = auto()
    """It does not run any more."""


_MEANINGS = {
    "start": Meaning.CHANGED,
    "restart": Meaning.CHANGED,
    "unpause": Meaning.CHANGED,
    "rename": Meaning.CHANGED,
    "health_status": Meaning.CHANGED,
    "connect": Meaning.CHANGED,
    "disconnect": Meaning.CHANGED,
    "kill": Meaning.SIGNALLED,
    "pause": Meaning.PAUSED,
    "die": Meaning.ENDED,
    "destroy": Meaning.ENDED,
}


class Event(NamedTuple):
    """One event about one container.

    ``ours``: its labels concern this program. False for network events, which have no labels.
    ``starts``: a new run of the container begins.
    """

    id: str
    meaning: Meaning
    ours: bool = False
    signal: str = ""
    starts: bool = False


@dataclass(frozen=True, slots=True)
class NetworksChanged:
    """A network was created or destroyed: they have to be listed again."""


class NotAnEvent(Exception):
    """The stream carries something else than events."""


def read(answer: object) -> Event | NetworksChanged | None:
    """Read one element of the stream; None for an event that decides nothing.

    Raises:
        NotAnEvent: the stream cannot be trusted any more.
    """
    if not isinstance(answer, dict):
        raise NotAnEvent("an event is not an object")
    kind, action = answer.get("Type"), answer.get("Action")
    if not isinstance(kind, str) or not isinstance(action, str):
        raise NotAnEvent("an event without type or action")
    if kind == "network" and action in {"create", "destroy"}:
        return NetworksChanged()
    meaning = _MEANINGS.get(action.partition(":")[0])
    if kind not in {"container", "network"} or meaning is None:
        return None
    if (kind == "network") is not (action in {"connect", "disconnect"}):
        return None
    actor = answer.get("Actor")
    attributes = actor.get("Attributes") if isinstance(actor, dict) else None
    if not isinstance(actor, dict) or not isinstance(attributes, dict):
        raise NotAnEvent(f"an event {action[:40]!r} without an actor")
    identifier = attributes.get("container") if kind == "network" else actor.get("ID")
    if not isinstance(identifier, str) or not ID.fullmatch(identifier):
        raise NotAnEvent(f"an event {action[:40]!r} without the id of a container")
    signal = attributes.get("signal")
    return Event(
        identifier,
        meaning,
        ours=kind == "container" and concerns(attributes),
        signal=signal if isinstance(signal, str) else "",
        starts=action == "start",
    )
