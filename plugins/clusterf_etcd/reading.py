"""From a key and its value to a record, or to the reason why there is none.

Pure, and nothing that etcd can hold makes it raise: what is wrong is one refusal of that one key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from pydantic import ValidationError

from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import BackendRef, Record, Ref, ServiceRef
from clusterf.plugin import Fault, Settings, dotted, faults_of
from clusterf_etcd.decoding import Object, ValueFault, decode, fields
from clusterf_etcd.field_types import is_text
from clusterf_etcd.keys import SHAPE_HINT, KeyFault, plain_backend_names, ref_of, shown_key
from clusterf_etcd.plain import plain_agent, plain_backend, plain_service
from clusterf_etcd.shape import (
    OLD_NAMES,
    BackendValue,
    FrontendValue,
    RouteValue,
    table_of,
)

S = TypeVar("S", bound=Settings)

_as_provenance: Callable[[tuple[str, str]], Provenance] = partial(tuple.__new__, Provenance)

_TOLD = 3
"""Faults of one value that are told; more are told as a number."""

_DETAIL_MAX = 300
"""Characters of what is told, which may quote the value."""


def read(key: str, value: bytes, prefix: str, source: str) -> Record | Refusal:
    """Read one key. ``prefix`` has no slash at its end; ``source`` is the name of the instance."""
    names = plain_backend_names(key, prefix)
    if names is not None:
        service, identity = names
        found = plain_backend(service, identity, value, _as_provenance((source, key)))
        if found is not None:
            return found
    try:
        ref = ref_of(key, prefix)
    except KeyFault as fault:
        place = shown_key(key)
        where = Provenance(source, place)
        return Refusal(f"key {place}", "bad_key", str(fault), where, SHAPE_HINT)
    provenance = Provenance(source, key)
    return _read_plain(ref, value, provenance) or read_by_model(ref, value, provenance)


def _read_plain(ref: Ref, value: bytes, provenance: Provenance) -> Record | None:
    if isinstance(ref, BackendRef):
        return plain_backend(ref.service, ref.id, value, provenance)
    return plain_service(ref.name, value, provenance) if isinstance(ref, ServiceRef) else None


def read_by_model(ref: Ref, value: bytes, provenance: Provenance) -> Record | Refusal:
    """Read any value, plain or not; what `read` comes to."""
    try:
        return _record(ref, decode(value), provenance)
    except ValueFault as fault:
        return Refusal(_subject(ref), fault.reason, str(fault), provenance, fault.hint)
    except RecursionError:
        return Refusal(_subject(ref), "not_json", "is nested too deeply", provenance)


def agent_of(value: bytes) -> str:
    """Name of the agent that published a value; empty where nobody says, or says it badly."""
    plain = plain_agent(value)
    if plain is not None:
        return plain
    found = _decoded(value)
    agent = fields(found, {"agent": "agent"}).get("agent")
    return agent if isinstance(agent, str) and is_text(agent) else ""


def old_names(value: bytes) -> tuple[str, ...]:
    """Fields of a route that count and are called as the original called them up to 0.4.

    Its later versions ignore them: without its prefix a route holds for everything there.
    """
    table = table_of(_decoded(value), RouteValue)
    return tuple(old for old in OLD_NAMES if table.get(old))


def _decoded(value: bytes) -> Object:
    try:
        return decode(value)
    except (ValueFault, RecursionError):
        return Object()


def _record(ref: Ref, found: Object, provenance: Provenance) -> Record:
    if isinstance(ref, BackendRef):
        return _checked(BackendValue, found).record(ref, provenance)
    if isinstance(ref, ServiceRef):
        return _checked(FrontendValue, found).record(ref.name, provenance)
    return _checked(RouteValue, found).record(ref.name, provenance)


def _checked(model: type[S], found: Object) -> S:
    table = table_of(found, model)
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise _told(faults_of(error, model, table)) from None


def _told(faults: Sequence[Fault]) -> ValueFault:
    """All faults of one value in one sentence."""
    sentence = "; ".join(
        f"{dotted(one.at)}: {one.message}" if one.at else one.message for one in faults[:_TOLD]
    )
    if len(sentence) > _DETAIL_MAX:
        sentence = sentence[: _DETAIL_MAX - 1] + "…"
    if len(faults) > _TOLD:
        sentence += f"; and {len(faults) - _TOLD} more"
    return ValueFault("bad_value", sentence, next((one.hint for one in faults if one.hint), ""))


def _subject(ref: Ref) -> str:
    if isinstance(ref, BackendRef):
        return f"service {ref.service} backend {ref.id}"
    return f"service {ref.name}" if isinstance(ref, ServiceRef) else f"route {ref.name}"
