"""Typed settings: the model of a plugin's table in clusterf.toml is also its schema.

A plugin derives a class from `Settings`; its fields, defaults and descriptions give the
errors, the reference page and the sample. Unknown keys are errors.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from clusterf.model.address import Address, Network
from clusterf.model.table import WEIGHT_MAX

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
    raise ValueError(f'{value!r} is not a duration such as "5s", "1m30s" or a number of seconds')


def _address(value: Any) -> Address:
    if isinstance(value, Address):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not an IP address")  # noqa: TRY004 - pydantic wants ValueError
    return Address.parse(value)


def _network(value: Any) -> Network:
    if isinstance(value, Network):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a prefix")  # noqa: TRY004 - pydantic wants ValueError
    return Network.parse(value)


def _path(value: Any) -> Path:
    if not isinstance(value, (str, Path)) or "\0" in str(value) or not str(value):
        raise ValueError(f"{value!r} is not a path")
    return Path(value)


Duration = Annotated[float, BeforeValidator(_duration, json_schema_input_type=str | float)]
"""Seconds. Written as a number or with units: "250ms", "5s", "1m30s", "2h", "1d"."""

IPAddress = Annotated[Address, BeforeValidator(_address, json_schema_input_type=str)]
"""An IPv4 or IPv6 address."""

IPNetwork = Annotated[Network, BeforeValidator(_network, json_schema_input_type=str)]
"""A prefix; a bare address stands for its full length."""

PathName = Annotated[Path, BeforeValidator(_path, json_schema_input_type=str)]
"""A path; relative ones are relative to the folder of the configuration (`Context.path`)."""

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
