"""Types of the fields of a value: those of static files, and what the original has in its way.

What it writes where nothing is said (an empty string, port 0) says nothing here as well.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from clusterf.model.address import Address, Network
from clusterf.plugin import Code, IPAddress, IPv4, IPv6, MethodName, shown, value_error

TEXT_MAX = 255
"""Characters of a text for people."""

ENTRIES_MAX = 256
"""Entries of an array. More are a mistake, and would have to be told of one by one."""


def is_text(text: str) -> bool:
    """Whether a text can stand in a value and then in a log: some characters, all printable."""
    return 0 < len(text) <= TEXT_MAX and text.isprintable()


def _nothing_if_empty(value: Any) -> Any:
    return None if value == "" else value


def _nothing_if_zero(value: Any) -> Any:
    return None if type(value) is int and value == 0 else value


def _few(value: Any) -> Any:
    if isinstance(value, list) and len(value) > ENTRIES_MAX:
        raise value_error(f"must have at most {ENTRIES_MAX} entries", code=Code.OUT_OF_RANGE)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise value_error(f"must be a string, not {shown(value)}", code=Code.WRONG_TYPE)
    if not is_text(value):
        raise value_error(
            f"{shown(value)} is not a text of at most {TEXT_MAX} printable characters"
        )
    return value


def _table(value: Any) -> Any:
    if not isinstance(value, dict):
        raise value_error(f"must be a table, not {shown(value)}", code=Code.WRONG_TYPE)
    return value


def _unicast(of: str, address: Address) -> Address:
    if not address.is_unicast:
        raise value_error(f"{address} is no address of a {of}")
    return address


def _prefix(value: Any) -> Network:
    """As Go's net.ParseCIDR: with a length always, and host bits are cleared."""
    if not isinstance(value, str):
        raise value_error(f"must be a prefix, not {shown(value)}", code=Code.WRONG_TYPE)
    if "/" in value:
        try:
            return Network.parse(value, masked=True)
        except ValueError:
            pass
    raise value_error(f"{shown(value)} is not a prefix", hint='"192.0.2.0/24"')


Few = BeforeValidator(_few)
"""For arrays."""

Table = Annotated[Any, BeforeValidator(_table)]
"""Any table."""

_EMPTY = BeforeValidator(_nothing_if_empty)
_OF_BACKEND = AfterValidator(partial(_unicast, "backend"))
_OF_GATEWAY = AfterValidator(partial(_unicast, "gateway"))

Port = Annotated[Annotated[int, Field(ge=0, le=65535)] | None, BeforeValidator(_nothing_if_zero)]
"""A port as the original knows them, to whom 0 is none."""

AnyPort = Annotated[int, Field(ge=0, le=65535)] | None
"""A port where the original does not look; 0 stands for all ports, and needs persistence."""

VIP4 = Annotated[IPv4 | None, _EMPTY]
VIP6 = Annotated[IPv6 | None, _EMPTY]
Backend4 = Annotated[Annotated[IPv4, _OF_BACKEND] | None, _EMPTY]
Backend6 = Annotated[Annotated[IPv6, _OF_BACKEND] | None, _EMPTY]
Gateway = Annotated[Annotated[IPAddress, _OF_GATEWAY] | None, _EMPTY]
Prefix = Annotated[Annotated[Network, BeforeValidator(_prefix)] | None, _EMPTY]
Method = Annotated[MethodName | None, _EMPTY]

Text = Annotated[Annotated[str, BeforeValidator(_text)] | None, _EMPTY]
"""What `is_text`."""
