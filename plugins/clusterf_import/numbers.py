"""Numbers, addresses, ranges of them and netmasks, as others read them. Pure."""

from __future__ import annotations

import ipaddress

from clusterf.model.address import Address, Family

RANGE_MAX = 65_536
"""Addresses of one range of a group; each is an entry of the kernel's table."""


def number(text: str, least: int, most: int) -> int | None:
    """A decimal number within bounds, or None."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    value = int(text)
    return value if least <= value <= most else None


def address(text: str) -> Address | None:
    """An address; a mask or the end of a range behind it says nothing, as in keepalived."""
    for sign in "/-":
        text = text.partition(sign)[0]
    try:
        return Address.parse(text)
    except ValueError:
        return None


def port(text: str | None) -> int | None:
    """A port; 0 where there is none, None where it is none."""
    if text is None or not text.strip("0"):
        return 0
    return number(text, 1, 65535)


def addresses(text: str) -> list[Address]:
    """All addresses of ``A``, ``A-5``, ``A-B`` or ``A/29``, both ends included.

    The end of a range is the last byte of an IPv4 address, or the last 16 bits of an IPv6
    address, in hexadecimal; or it is an address of its own.

    Raises:
        ValueError: with what is wrong.
    """
    start, dash, end = text.partition("-")
    if dash:
        first = _parsed(start)
        last = _parsed(end) if "." in end or ":" in end else _end(first, end)
    elif "/" in text:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f'"{text}" is not a range of addresses') from None
        first, last = Address(network[0].packed), Address(network[-1].packed)
    else:
        return [_parsed(text)]
    low, high = int.from_bytes(first), int.from_bytes(last)
    if len(first) != len(last) or high < low:
        raise ValueError(f'"{text}" ends before it begins')
    if high - low >= RANGE_MAX:
        raise ValueError(f'"{text}" has more than {RANGE_MAX} addresses')
    return [Address(value.to_bytes(len(first))) for value in range(low, high + 1)]


def _parsed(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError:
        raise ValueError(f'"{text}" is not an IP address') from None


def _end(first: Address, text: str) -> Address:
    size = 1 if len(first) == 4 else 2
    if not text.isascii() or not text.isalnum():
        raise ValueError(f'"{text}" is not the end of a range')
    try:
        last = int(text, 10 if size == 1 else 16).to_bytes(size)
    except (ValueError, OverflowError):
        raise ValueError(f'"{text}" is not the end of a range') from None
    return Address(first[:-size] + last)


def prefix(text: str, family: Family) -> int | None:
    """Length of ``persistence_granularity``: a netmask of IPv4, a length for IPv6. Or None."""
    if family is Family.INET6:
        return number(text, 1, 128)
    try:
        mask = Address.parse(text)
    except ValueError:
        return None
    inverted = int.from_bytes(mask) ^ 0xFFFFFFFF if len(mask) == 4 else -1
    if inverted < 0 or inverted & (inverted + 1) or inverted == 0xFFFFFFFF:
        return None
    return 32 - inverted.bit_length()
