"""Whether a value that a person wrote may go into the tree: as readers see it, and stricter. Pure.

Readers ignore what they do not know, so that there can be other versions. A person who writes
something unknown has misspelt it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from clusterf.model.provenance import Refusal
from clusterf.model.service import (
    NO_PORTS,
    Backend,
    BackendRef,
    Frontend,
    Record,
    Ref,
    RouteRef,
    ServiceSpec,
)
from clusterf.plugin import Settings, did_you_mean, shown
from clusterf_etcd.commands.ending import Refused
from clusterf_etcd.decoding import Object, ValueFault, decode, folded
from clusterf_etcd.reading import old_names, read
from clusterf_etcd.shape import BackendValue, FrontendEntry, FrontendValue, RouteValue

_NOW = {"Prefix4": "its name is Prefix", "Gateway4": "its name is Gateway"}


def model_of(ref: Ref) -> type[Settings]:
    """What the value of a record's key is read as."""
    if isinstance(ref, BackendRef):
        return BackendValue
    return RouteValue if isinstance(ref, RouteRef) else FrontendValue


def field_names(model: type[Settings]) -> dict[str, str]:
    """Right names of the fields of a value, by their folded ones."""
    names = (field.alias or name for name, field in model.model_fields.items())
    return {folded(name): name for name in names}


def check_names(ref: Ref, value: bytes) -> None:
    """Look for what readers would ignore, or older ones would.

    Raises:
        Refused: there is such a field, or the value is no object.
    """
    for place, name, names in _unknown(ref, fields_in(value)):
        raise Refused(f"{place}unknown field {shown(name)}", hint=did_you_mean(name, names))
    for old in old_names(value):
        raise Refused(f"{old} is what the original called it up to 0.4", hint=_NOW[old])


def check_value(key: str, value: bytes, prefix: str) -> Record:
    """Read it as readers will.

    Raises:
        Refused: as they would, with their reason.
    """
    item = read(key, value, prefix, "etcd")
    if isinstance(item, Refusal):
        raise Refused(f"{item.subject}: {item.detail}", hint=item.hint)
    return item


def remark(record: Record) -> str:
    """What is right and hardly meant, or nothing."""
    if isinstance(record, ServiceSpec):
        if not any(_serves(frontend) for frontend in record.frontends or ()):
            return "clients reach nothing there: that takes a VIP and a port, or a firewall mark"
    elif isinstance(record, Backend):
        if record.ipv4 is None and record.ipv6 is None:
            return "nothing is sent there: that takes an address"
    elif record.method is None:
        return "it has no method, so the backends in it are left out"
    return ""


def _serves(frontend: Frontend) -> bool:
    vips = (frontend.ipv4, frontend.ipv6) != (None, None)
    return frontend.fwmark is not None or (vips and frontend.ports != NO_PORTS)


def fields_in(value: bytes) -> Object:
    """The fields of a value.

    Raises:
        Refused: it is no object.
    """
    try:
        return decode(value)
    except ValueFault as fault:
        raise Refused(f"the value {fault}", hint=fault.hint) from None
    except RecursionError:
        raise Refused("the value is nested too deeply") from None


def shortened(value: bytes) -> bytes:
    """The same value without spaces."""
    try:
        return compact(decode(value))
    except (ValueError, RecursionError):
        # Something that nobody reads, such as 1e999 within a health check.
        return value.strip()


def merged(value: bytes, changes: Mapping[str, Any]) -> bytes:
    """A value with other fields in it; what they do not name is kept. None takes a field out.

    Raises:
        Refused: nobody can read the value.
    """
    replaced = {folded(name) for name in changes}
    kept = {name: one for name, one in fields_in(value).pairs if folded(name) not in replaced}
    return compact(kept | {name: one for name, one in changes.items() if one is not None})


def compact(value: Mapping[str, Any]) -> bytes:
    """JSON without spaces, in the order in which it was given.

    Raises:
        ValueError: it has a number that JSON has not.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def _unknown(ref: Ref, found: Object) -> Iterator[tuple[str, str, Collection[str]]]:
    """Fields that no reader knows: where, what, and what there is."""
    model = model_of(ref)
    yield from _within("", found, model)
    further = (value for name, value in found.pairs if folded(name) == "frontends")
    for value in further if model is FrontendValue else ():
        for number, one in enumerate(value if isinstance(value, list) else ()):
            if isinstance(one, Object):
                yield from _within(f"frontends[{number}]: ", one, FrontendEntry)


def _within(
    place: str, found: Object, model: type[Settings]
) -> Iterator[tuple[str, str, Collection[str]]]:
    names = field_names(model)
    for name, _ in found.pairs:
        if folded(name) not in names:
            yield place, name, names.values()
