"""Labels of a container: what it asks for, and what of that is refused. Pure.

Two prefixes with one shape: ``clusterf.`` and the original's ``net.qmsk.clusterf.``. Behind
the prefix stands ``service``, ``network``, ``weight``, ``backend.PROTOCOL``,
``backend:SERVICE.PROTOCOL`` or ``backend:SERVICE.weight``; nothing else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple

from clusterf.model.table import WEIGHT_MAX, Protocol

SHORT = "clusterf."
LONG = "net.qmsk.clusterf."

_PROTOCOLS = tuple(protocol.value for protocol in Protocol)
_GENERAL = ("service", "network", "weight", *(f"backend.{name}" for name in _PROTOCOLS))
_SPECIFIC = (*_PROTOCOLS, "weight")
_NAME_LENGTH = 128


class Objection(NamedTuple):
    """What is wrong with one label. ``label`` is its whole key."""

    label: str
    reason: str
    detail: str
    hint: str = ""


class Label(NamedTuple):
    """The value of a label, and its whole key."""

    label: str
    value: str


class PortLabel(NamedTuple):
    """A port of the container, and the label that names it."""

    label: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """One service that a container joins. ``objected``: a port label of it was refused."""

    service: str
    ports: Mapping[Protocol, PortLabel]
    weight: int | None = None
    objected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """All that a container's labels ask for."""

    joinings: Sequence[Joining] = ()
    network: Label | None = None
    objections: Sequence[Objection] = ()


@dataclass(slots=True)
class _Reading:
    """The labels behind both prefixes, by what follows the prefix."""

    values: dict[str, Label] = field(default_factory=dict)
    objections: list[Objection] = field(default_factory=list)

    def object(self, label: Label, reason: str, detail: str, hint: str = "") -> None:
        self.objections.append(Objection(label.label, reason, detail, hint))


def concerns(labels: Iterable[object]) -> bool:
    """Whether any of these label keys is ours."""
    return any(isinstance(key, str) and key.startswith((SHORT, LONG)) for key in labels)


def read(labels: Mapping[str, str], allowed: Sequence[str] | None) -> Request:
    """What the labels ask for; ``allowed`` are patterns of services that may be joined."""
    reading = _gather(labels)
    services = _services(reading, allowed)
    weight = _weight(reading, "weight")
    ports, spoiled = _ports(reading, "backend.")
    joinings = []
    for service in services:
        own_ports, own_spoiled = _ports(reading, f"backend:{service}.")
        # A label that is there but wrong must not let the general one speak for the service:
        # that would send clients to a port that was not meant for them.
        general = {p: label for p, label in ports.items() if p not in own_spoiled}
        own_weight = _weight(reading, f"backend:{service}.weight")
        joinings.append(
            Joining(
                service=service,
                ports=general | own_ports,
                weight=weight if own_weight is None else own_weight,
                objected=bool(own_spoiled or spoiled - own_ports.keys()),
            )
        )
    _unused(reading, services)
    network = reading.values.get("network")
    if network is not None and not network.value:
        reading.object(network, "bad_label", "names no network")
        network = None
    return Request(joinings=tuple(joinings), network=network, objections=tuple(reading.objections))


def _gather(labels: Mapping[str, str]) -> _Reading:
    """Sort labels by what follows the prefix; the short prefix wins."""
    reading = _Reading()
    for prefix, other in ((SHORT, LONG), (LONG, SHORT)):
        for key in sorted(key for key in labels if key.startswith(prefix)):
            rest = key.removeprefix(prefix)
            label = Label(key, labels[key].strip())
            if not _known(rest):
                reading.object(label, "unknown_label", "is not known", _suggestion(prefix, rest))
            elif rest not in reading.values:
                reading.values[rest] = label
            elif reading.values[rest].value != label.value:
                reading.object(
                    label,
                    "label_conflict",
                    f"says {shown(label.value)} where {other}{rest} says "
                    f"{shown(reading.values[rest].value)}, which counts",
                    "remove one of the two",
                )
    return reading


def _known(rest: str) -> bool:
    if rest in _GENERAL:
        return True
    head, _, attribute = rest.rpartition(".")
    return head.startswith("backend:") and len(head) > 8 and attribute in _SPECIFIC


def _suggestion(prefix: str, rest: str) -> str:
    if rest.startswith("backend:"):
        head, _, attribute = rest.rpartition(".")
        if head == "backend:":
            return "between the colon and the last dot stands the name of a service"
        close = difflib.get_close_matches(attribute, _SPECIFIC, 1)
        if head and close:
            return f"did you mean {shown(f'{prefix}{head}.{close[0]}')}"
        return f"after the service comes one of .{', .'.join(_SPECIFIC)}"
    close = difflib.get_close_matches(rest, _GENERAL, 1)
    if close:
        return f"did you mean {prefix}{close[0]}"
    return f"known are {', '.join(_GENERAL)} and backend:SERVICE.{'|'.join(_SPECIFIC)}"


def _services(reading: _Reading, allowed: Sequence[str] | None) -> list[str]:
    label = reading.values.get("service")
    if label is None:
        return []
    names = []
    for name in dict.fromkeys(label.value.split()):
        if len(name) > _NAME_LENGTH or not name.isprintable() or "/" in name:
            reading.object(label, "bad_label", f"{shown(name)} is not the name of a service")
        elif allowed is not None and not any(fnmatchcase(name, one) for one in allowed):
            reading.object(
                label,
                "service_not_allowed",
                f"service {shown(name)} may not be joined by label",
                "the setting services says which may",
            )
        else:
            names.append(name)
    return names


def _ports(reading: _Reading, start: str) -> tuple[dict[Protocol, PortLabel], frozenset[Protocol]]:
    """Ports that the labels ``start``PROTOCOL name, and the protocols of those refused."""
    ports = {}
    spoiled = set()
    for protocol in Protocol:
        label = reading.values.get(f"{start}{protocol}")
        if label is None:
            continue
        port = _number(label.value, 65535)
        if port:
            ports[protocol] = PortLabel(label.label, port)
            continue
        spoiled.add(protocol)
        bare = label.value.removesuffix(f"/{protocol}")
        hint = f"write {bare}" if bare != label.value and _number(bare, 65535) else ""
        reading.object(label, "bad_label", f"{shown(label.value)} is not a port", hint)
    return ports, frozenset(spoiled)


def _weight(reading: _Reading, rest: str) -> int | None:
    label = reading.values.get(rest)
    if label is None:
        return None
    weight = _number(label.value, WEIGHT_MAX)
    if weight is None:
        reading.object(
            label,
            "bad_label",
            f"{shown(label.value)} is not a weight",
            f"weights go from 0 to {WEIGHT_MAX}; without a valid label the default counts",
        )
    return weight


def _unused(reading: _Reading, services: Sequence[str]) -> None:
    """Object to labels for a service that the container does not join."""
    asked = reading.values.get("service")
    if asked is None:
        # An image may well bring the labels of its ports and be run outside of any service.
        return
    joined = set(asked.value.split())
    for rest, label in reading.values.items():
        if not rest.startswith("backend:"):
            continue
        service = rest[len("backend:") :].rpartition(".")[0]
        if service not in joined:
            close = difflib.get_close_matches(service, services, 1)
            reading.object(
                label,
                "unknown_label",
                f"is for service {shown(service)}, which the container does not join",
                f"did you mean {shown(close[0])}"
                if close
                else f"{asked.label} names what it joins",
            )


def _number(text: str, largest: int) -> int | None:
    """A decimal number from 0 to ``largest``, without sign and leading zeros."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 10:
        return None
    value = int(text)
    return value if value <= largest and str(value) == text else None


def shown(text: str) -> str:
    """Foreign text, quoted and bounded, fit for a log line."""
    return repr(text if len(text) <= 64 else f"{text[:61]}...")
