"""``virtual_server_group``: the addresses and marks that virtual servers share. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from clusterf.model.address import Address, Family
from clusterf_import.keepalived.blocks import Statement
from clusterf_import.keepalived.servers import FWMARK_MAX
from clusterf_import.numbers import RANGE_MAX, addresses, number, port
from clusterf_import.places import Findings, Place


class Entry(NamedTuple):
    """An address with its port (0: all), or a mark with its family if it says so."""

    place: Place
    address: Address | None = None
    port: int = 0
    mark: int | None = None
    family: Family | None = None


@dataclass(slots=True)
class Group:
    """One group. ``used``: a virtual server named it."""

    name: str
    place: Place
    entries: list[Entry] = field(default_factory=list)
    used: bool = False

    @property
    def families(self) -> set[Family]:
        """Families of its addresses."""
        return {one.address.family for one in self.entries if one.address is not None}


def group(statement: Statement, findings: Findings) -> Group:
    """Read one; what is wrong in it is left out and told."""
    name = statement.arguments[0] if statement.arguments else ""
    found = Group(name, statement.all_words)
    subject = f"virtual_server_group {name}"
    for inner in statement.block or ():
        try:
            entries = _entries(inner)
        except ValueError as error:
            message = f"{error}; it is left out"
            findings.error(inner.all_words, message, subject=subject)
            continue
        if len(found.entries) + len(entries) > RANGE_MAX:
            message = f"has more than {RANGE_MAX} addresses; from here on they are left out"
            findings.error(inner.all_words, message, subject=subject)
            break
        found.entries += entries
    return found


def _entries(statement: Statement) -> list[Entry]:
    """What one line stands for.

    Raises:
        ValueError: with what is wrong.
    """
    match [statement.keyword, *statement.arguments]:
        case ["fwmark", given, *rest]:
            mark = number(given, 1, FWMARK_MAX)
            if mark is None:
                raise ValueError(f'"{given}" is not a firewall mark')
            family = rest[0] if rest else None
            if family is not None and family not in set(Family):
                raise ValueError(f'"{family}" is not an address family')
            named = None if family is None else Family(family)
            return [Entry(statement.all_words, mark=mark, family=named)]
        case [given, *rest]:
            number_of_port = port(rest[0] if rest else None)
            if number_of_port is None:
                raise ValueError(f'"{rest[0]}" is not a port')
            found = addresses(given)
            for one in found:
                if not one.is_unicast:
                    raise ValueError(f"{one} is no address of a virtual server")
            return [Entry(statement.all_words, one, number_of_port) for one in found]
    raise ValueError("is empty")
