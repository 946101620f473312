"""Typed settings: the model of a plugin's table in clusterf.toml is also its schema.

A plugin derives a class from `Settings`; its fields, defaults and descriptions give the
errors, the JSON Schema and ``clusterf config --effective``. Unknown keys are errors.

A type that reads values in a way of its own tells with ``json_schema_input_type`` what it takes,
and with a serializer for JSON how it is written in TOML.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    WithJsonSchema,
    model_validator,
)

from clusterf.model.address import Address, Network
from clusterf.model.table import WEIGHT_MAX
from clusterf.plugin.faults import shown

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


class Settings(BaseModel):
    """Base class of all tables of the configuration: frozen, strict about keys and types."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
    )


def _duration(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not 0 <= value <= 10**9:
            raise ValueError(f"{value} is not a duration: seconds must be from 0 to 10^9")
        return float(value)
    if isinstance(value, str):
        parts = _DURATION.findall(value)
        if parts and "".join(number + unit for number, unit in parts) == value:
            return sum(float(number) * _UNITS[unit] for number, unit in parts)
    raise ValueError(
        f'{shown(value)} is not a duration such as "5s", "1m30s" or a number of seconds'
    )


def duration_text(seconds: float) -> str | float:
    """A duration as people write it: 300.0 is "5m". Without a unit what no unit tells exactly."""
    for unit, factor in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= factor and seconds % factor == 0:
            return f"{int(seconds // factor)}{unit}"
    milliseconds = f"{round(seconds * 1000)}ms"
    return milliseconds if 0 < seconds == _duration(milliseconds) else seconds


def schema_type(schema: dict[str, Any]) -> Any:
    """A type that stands for a JSON Schema, for ``json_schema_input_type``."""
    return Annotated[Any, WithJsonSchema(schema)]


def _address(value: Any) -> Address:
    if isinstance(value, Address):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not an IP address")  # noqa: TRY004 - pydantic wants ValueError
    return Address.parse(value)


def _network(value: Any) -> Network:
    if isinstance(value, Network):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a prefix")  # noqa: TRY004 - pydantic wants ValueError
    return Network.parse(value)


def _path(value: Any) -> Path:
    if not isinstance(value, (str, Path)) or "\0" in str(value) or not str(value):
        raise ValueError(f"{shown(value)} is not a path")
    return Path(value)


_DURATION_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d))+$"},
        {"type": "number", "minimum": 0, "maximum": 10**9},
    ]
}
_ADDRESS_SCHEMA = {"type": "string", "pattern": "^[0-9A-Fa-f:.]+$"}
_NETWORK_SCHEMA = {"type": "string", "pattern": "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"}
_PATH_SCHEMA = {"type": "string", "minLength": 1}

as_string = PlainSerializer(str, when_used="json")
"""Annotation for types whose text is what is written in TOML."""

Duration = Annotated[
    float,
    BeforeValidator(_duration, json_schema_input_type=schema_type(_DURATION_SCHEMA)),
    PlainSerializer(duration_text, when_used="json"),
]
"""Seconds. Written as a number or with units: "250ms", "5s", "1m30s", "2h", "1d"."""

IPAddress = Annotated[
    Address,
    BeforeValidator(_address, json_schema_input_type=schema_type(_ADDRESS_SCHEMA)),
    as_string,
]
"""An IPv4 or IPv6 address."""

IPNetwork = Annotated[
    Network,
    BeforeValidator(_network, json_schema_input_type=schema_type(_NETWORK_SCHEMA)),
    as_string,
]
"""A prefix; a bare address stands for its full length."""

PathName = Annotated[Path, BeforeValidator(_path, json_schema_input_type=schema_type(_PATH_SCHEMA))]
"""A path; relative ones are relative to the folder of the configuration (`Context.path`)."""

Secret = SecretStr
"""A text that no message and no command prints. Better: the `PathName` of a file that holds it."""

PortNumber = Annotated[int, Field(ge=1, le=65535)]
"""A port."""

WeightNumber = Annotated[int, Field(ge=0, le=WEIGHT_MAX)]
"""A weight; 0 is quiesced."""


class TLSSettings(Settings):
    """Certificates for a connection; without ``ca`` the system's authorities count."""

    ca: PathName | None = Field(None, description="authority that the server's certificate is of")
    cert: PathName | None = Field(None, description="certificate that this client shows")
    key: PathName | None = Field(None, description="key of that certificate")

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together: give both or neither")
        return self
