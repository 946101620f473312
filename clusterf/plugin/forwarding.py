"""Types of settings that say how packets are forwarded: the words of ipvsadm(8), checked.

Used by ``[defaults]`` and by every plugin in whose settings these words occur.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, ValidationError

from clusterf.model.address import Address
from clusterf.model.problem import Code
from clusterf.model.service import StickyClients
from clusterf.model.table import (
    SCHEDULERS,
    SERVICE_FLAGS,
    Method,
    Tunnel,
    TunnelType,
)
from clusterf.plugin.document import Fault
from clusterf.plugin.faults import did_you_mean, faults_of, raise_faults, shown, value_error
from clusterf.plugin.settings import Duration, Settings, as_string, duration_text, schema_type

S = TypeVar("S", bound=Settings)

THRESHOLD_MAX = 2**32 - 1
PERSISTENCE_MAX = 31 * 86400
"""Seconds; ipvsadm's own limit."""

_ALL_FLAGS = frozenset().union(SERVICE_FLAGS, *SCHEDULERS.values())
_OTHER_WORDS = {
    "nat": "masq",
    "masquerade": "masq",
    "masquerading": "masq",
    "dr": "droute",
    "direct": "droute",
    "gatewaying": "droute",
    "gate": "droute",
    "tun": "tunnel",
    "ipip": "tunnel",
    "gue": "tunnel",
    "gre": "tunnel",
}


def _scheduler(value: Any) -> str:
    if not isinstance(value, str):
        raise value_error(f"must be a string, not {shown(value)}", code=Code.WRONG_TYPE)
    if value not in SCHEDULERS:
        raise value_error(
            f"unknown scheduler {shown(value)}",
            hint=did_you_mean(value, SCHEDULERS) or "one of " + ", ".join(sorted(SCHEDULERS)),
            code=Code.UNKNOWN_CHOICE,
        )
    return value


def _flags(value: Any) -> frozenset[str]:
    if isinstance(value, frozenset):
        return value
    if not isinstance(value, list):
        raise value_error(f"must be an array of strings, not {shown(value)}", code=Code.WRONG_TYPE)
    faults = [
        Fault(
            (index,),
            f"unknown flag {shown(flag)}",
            did_you_mean(flag, _ALL_FLAGS),
            Code.UNKNOWN_CHOICE,
        )
        for index, flag in enumerate(value)
        if not isinstance(flag, str) or flag not in _ALL_FLAGS
    ]
    if faults:
        raise_faults("flags", faults)
    return frozenset(value)


def misfits(scheduler: str, flags: Collection[str]) -> list[str]:
    """Flags that a scheduler does not know."""
    return sorted(set(flags) - SCHEDULERS[scheduler] - SERVICE_FLAGS)


def _method(value: Any) -> Method:
    if isinstance(value, str):
        try:
            return Method(value)
        except ValueError:
            pass
        other = _OTHER_WORDS.get(value.lower())
        hint = f'did you mean "{other}"?' if other else did_you_mean(value, Method)
        raise value_error(
            f"unknown forwarding method {shown(value)}", hint=hint, code=Code.UNKNOWN_CHOICE
        )
    raise value_error(f"must be a string, not {shown(value)}", code=Code.WRONG_TYPE)


def _ipv4(value: Any) -> Address:
    return _address(value, 4, "an IPv4 address")


def _ipv6(value: Any) -> Address:
    return _address(value, 16, "an IPv6 address")


def _address(value: Any, size: int, wanted: str) -> Address:
    if isinstance(value, Address):
        return value
    if not isinstance(value, str):
        raise value_error(f"must be {wanted}, not {shown(value)}", code=Code.WRONG_TYPE)
    try:
        address = Address.parse(value)
    except ValueError:
        raise value_error(f"{shown(value)} is not {wanted}") from None
    if len(address) != size:
        raise value_error(f"{shown(value)} is not {wanted}", code=Code.FAMILY_MISMATCH)
    return address


class _PersistenceTable(Settings):
    timeout: Duration
    netmask: Annotated[
        Any, BeforeValidator(lambda value: value, json_schema_input_type=int | str)
    ] = 32
    netmask6: Annotated[int, Field(ge=1, le=128)] = 128


def _sticky(value: Any) -> StickyClients:
    if isinstance(value, StickyClients):
        return value
    short = not isinstance(value, dict)
    table = _table(_PersistenceTable, {"timeout": value} if short else value, short=short)
    seconds = table.timeout
    if not 1 <= seconds <= PERSISTENCE_MAX or seconds != int(seconds):
        fault = Fault(
            () if short else ("timeout",),
            "must be whole seconds, from 1s to 31d",
            code=Code.OUT_OF_RANGE,
        )
        raise_faults("persistence", [fault])
    return StickyClients(int(seconds), _netmask(table.netmask), table.netmask6)


def _table(model: type[S], data: Any, *, short: bool) -> S:
    """Validate a table, or (``short``) the one value that stands for it."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = faults_of(error, model, data)
        raise_faults(
            model.__name__, [replace(fault, at=()) for fault in faults] if short else faults
        )


def _netmask(value: Any) -> int:
    """Length of an IPv4 netmask: 24 or "255.255.255.0"."""
    length = value if isinstance(value, int) and not isinstance(value, bool) else 0
    if isinstance(value, str):
        try:
            bits = int.from_bytes(_ipv4(value))
        except ValueError:
            bits = 0
        inverted = bits ^ 0xFFFFFFFF
        length = 32 - inverted.bit_length() if inverted & (inverted + 1) == 0 else 0
    if not 1 <= length <= 32:
        fault = Fault(
            ("netmask",), f"{shown(value)} is not an IPv4 netmask", '24 or "255.255.255.0"'
        )
        raise_faults("persistence", [fault])
    return length


class _TunnelTable(Settings):
    type: str = "ipip"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    flags: str = "nocsum"


_TUNNEL_FLAGS = {
    TunnelType.IPIP: ("nocsum",),
    TunnelType.GRE: ("nocsum", "csum"),
    TunnelType.GUE: ("nocsum", "csum", "remcsum"),
}


def _tunnel(value: Any) -> Tunnel:
    if isinstance(value, Tunnel):
        return value
    short = isinstance(value, str)
    table = _table(_TunnelTable, {"type": value} if short else value, short=short)
    faults = list(_tunnel_faults(table))
    if faults:
        raise_faults("tunnel", [replace(fault, at=()) for fault in faults] if short else faults)
    return Tunnel(TunnelType(table.type), table.port, table.flags)


def _tunnel_faults(table: _TunnelTable) -> Iterator[Fault]:
    if table.type not in set(TunnelType):
        yield Fault(
            ("type",),
            f"unknown tunnel type {shown(table.type)}",
            did_you_mean(table.type, TunnelType),
            Code.UNKNOWN_CHOICE,
        )
        return
    kind = TunnelType(table.type)
    if kind is TunnelType.GUE and table.port == 0:
        yield Fault(
            (), 'missing key "port"', "GUE needs a UDP port", Code.MISSING_KEY, missing="port"
        )
    if kind is not TunnelType.GUE and table.port:
        yield Fault(("port",), f"type {kind} has no port", "only gue has one", Code.CONTRADICTION)
    if table.flags not in _TUNNEL_FLAGS[kind]:
        yield Fault(
            ("flags",),
            f"type {kind} has no flag {shown(table.flags)}",
            did_you_mean(table.flags, _TUNNEL_FLAGS[kind]),
            Code.UNKNOWN_CHOICE,
        )


def forwarding_faults(table: BaseModel) -> Iterator[Fault]:
    """Contradictions between fields that go by the usual names; unset ones say nothing."""
    given: dict[str, Any] = {name: getattr(table, name, None) for name in _RELATED}
    if given["scheduler"] is not None and given["flags"]:
        for flag in misfits(given["scheduler"], given["flags"]):
            yield Fault(
                ("flags",),
                f"scheduler {given['scheduler']} has no flag {flag}",
                _owner_of(flag),
                Code.FLAG_WITHOUT_SCHEDULER,
            )
    upper, lower = given["upper_threshold"], given["lower_threshold"]
    if upper is not None and lower is not None and lower > upper:
        yield Fault(
            ("lower_threshold",),
            f"{lower} is above the upper threshold, {upper}",
            code=Code.THRESHOLDS,
        )


_RELATED = ("scheduler", "flags", "upper_threshold", "lower_threshold")


def _written_sticky(value: StickyClients) -> dict[str, Any]:
    return {
        "timeout": duration_text(value.timeout),
        "netmask": value.prefix4,
        "netmask6": value.prefix6,
    }


def _written_tunnel(value: Tunnel) -> dict[str, Any]:
    return {"type": str(value.type), "port": value.port, "flags": value.flags}


def _owner_of(flag: str) -> str:
    owners = [name for name, flags in SCHEDULERS.items() if flag in flags]
    return f"{flag} is of scheduler {' and '.join(owners)}" if owners else ""


SchedulerName = Annotated[
    str,
    BeforeValidator(_scheduler, json_schema_input_type=schema_type({"enum": sorted(SCHEDULERS)})),
]
"""A scheduler of the kernel."""

FlagNames = Annotated[
    frozenset[str],
    BeforeValidator(
        _flags,
        json_schema_input_type=schema_type(
            {"type": "array", "items": {"enum": sorted(_ALL_FLAGS)}}
        ),
    ),
    PlainSerializer(sorted, when_used="json"),
]
"""Flags of schedulers, and ``ops``."""

MethodName = Annotated[
    Method,
    BeforeValidator(_method, json_schema_input_type=schema_type({"enum": list(map(str, Method))})),
]
"""A forwarding method: "masq", "droute" or "tunnel"."""

IPv4 = Annotated[
    Address,
    BeforeValidator(
        _ipv4,
        json_schema_input_type=schema_type(
            {"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$"}
        ),
    ),
    as_string,
]
"""An IPv4 address."""

IPv6 = Annotated[
    Address,
    BeforeValidator(
        _ipv6,
        json_schema_input_type=schema_type(
            {"type": "string", "pattern": "^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$"}
        ),
    ),
    as_string,
]
"""An IPv6 address."""

Sticky = Annotated[
    StickyClients,
    BeforeValidator(_sticky, json_schema_input_type=Duration | _PersistenceTable),
    PlainSerializer(_written_sticky, when_used="json"),
]
"""Persistence: a timeout, or a table of ``timeout``, ``netmask`` (IPv4) and ``netmask6``."""

TunnelSettings = Annotated[
    Tunnel,
    BeforeValidator(
        _tunnel,
        json_schema_input_type=schema_type({"enum": list(map(str, TunnelType))}) | _TunnelTable,
    ),
    PlainSerializer(_written_tunnel, when_used="json"),
]
"""Encapsulation: a type, or a table of ``type``, ``port`` and ``flags``."""

ThresholdNumber = Annotated[int, Field(ge=0, le=THRESHOLD_MAX)]
"""Connections of a destination."""
