"""The table of an output of type ``addresses``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from clusterf.plugin import (
    Code,
    Fault,
    Settings,
    TunnelSettings,
    raise_faults,
    shown,
    value_error,
)
from clusterf_addresses.tunnels.mss import LARGEST, LEAST, Mss
from clusterf_addresses.tunnels.receiving import Underlay

_NAME = re.compile(r"[^\s/:%\0]{1,15}")
"""As the kernel has it (dev_valid_name), without the patterns that it would fill in itself."""


def _interface(value: Any) -> str:
    if not isinstance(value, str):
        raise value_error(f"must be a string, not {shown(value)}", code=Code.WRONG_TYPE)
    if value in {".", "..", "all", "default"} or not _NAME.fullmatch(value):
        raise value_error(
            f"{shown(value)} is not the name of an interface",
            hint="1 to 15 characters without spaces, slashes and colons",
        )
    return value


def _mss(value: Any) -> Any:
    if isinstance(value, str) and value in {"auto", "off"}:
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise value_error(
            f'must be "auto", "off" or a number of bytes, not {shown(value)}',
            code=Code.WRONG_TYPE if not isinstance(value, str) else Code.UNKNOWN_CHOICE,
        )
    if not LEAST <= value <= LARGEST:
        raise value_error(
            f"{value} is not a segment size: from {LEAST} to {LARGEST}", code=Code.OUT_OF_RANGE
        )
    return value


class AddressesSettings(Settings):
    """Table ``[outputs.NAME]`` with ``type = "addresses"``."""

    interface: Annotated[
        str,
        BeforeValidator(_interface, json_schema_input_type=str),
        Field(description="interface that holds the VIPs: lo, or a dummy device"),
    ] = "lo"
    create: Annotated[
        bool, Field(description="make the interface, a dummy device, if it is missing")
    ] = False
    sysctls: Annotated[
        Literal["check", "set"],
        Field(description="tell what a sysctl should be, or set it too"),
    ] = "check"
    arp: Annotated[
        Literal["auto", "silent", "answer"],
        Field(
            description="whether other hosts of the segment have the same VIPs, so that this one "
            "must not answer for them; auto: where a destination is reached by droute or tunnel"
        ),
    ] = "auto"
    tunnels: Annotated[
        list[TunnelSettings],
        Field(description="tunnels in which a first tier sends packets to this host"),
    ] = []  # noqa: RUF012 - pydantic copies defaults
    underlay: Annotated[
        Underlay, Field(description="address families of the packets around those in the tunnels")
    ] = "both"
    mss: Annotated[
        Mss,
        BeforeValidator(_mss, json_schema_input_type=str | int),
        Field(
            description="largest TCP segments that VIPs ask for: a number of bytes for IPv4, 20"
            " less for IPv6; auto: what fits through the tunnels; off: what the real servers say"
        ),
    ] = "auto"

    @model_validator(mode="after")
    def _check(self) -> AddressesSettings:
        if self.create and self.interface == "lo":
            fault = Fault(
                ("create",),
                "is for dummy devices: lo is always there",
                'name one, as interface = "vips0"',
                Code.CONTRADICTION,
            )
            raise_faults("addresses", [fault])
        if faults := list(self._twice()):
            raise_faults("addresses", faults)
        return self

    def _twice(self) -> Iterator[Fault]:
        first: dict[str, int] = {}
        for index, tunnel in enumerate(self.tunnels):
            if first.setdefault(tunnel.type, index) != index:
                yield Fault(
                    ("tunnels", index),
                    f"{tunnel.type} is there already",
                    "each type comes one way",
                    Code.CONTRADICTION,
                )
