"""The table of an output of type ``addresses``."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from clusterf.plugin import Code, Fault, Settings, raise_faults, shown, value_error

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
        return self
