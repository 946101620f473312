"""What the hooks of ``clusterf check`` are given, and what they foretell of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from clusterf.model.address import Network
from clusterf.model.defaults import Defaults
from clusterf.model.service import Record, Ref
from clusterf.model.table import ServiceKey
from clusterf.plugin.api import AnyType
from clusterf.plugin.document import Document
from clusterf.plugin.positions import KeyPath
from clusterf.plugin.settings import Settings


class ConfiguredInstance(Protocol):
    """One instance of a type. ``name`` is its path in clusterf.toml: ``sources.local-docker``."""

    @property
    def name(self) -> str:
        """Name of the instance."""
        ...

    @property
    def type(self) -> AnyType:
        """What registered it."""
        ...

    @property
    def settings(self) -> Settings:
        """Its checked settings."""
        ...


class Owned(Protocol):
    """What clusterf owns. All prefixes, where the configuration does not say it readably."""

    @property
    def managed(self) -> Sequence[Network]:
        """VIP prefixes."""
        ...

    @property
    def managed_fwmarks(self) -> Collection[int]:
        """Firewall marks."""
        ...


class Configured(Protocol):
    """A checked configuration; sources and outputs by the name of the instance, in file order."""

    @property
    def path(self) -> Path:
        """The file. Relative paths in it are relative to its folder."""
        ...

    @property
    def core(self) -> Owned:
        """The table ``[clusterf]``."""
        ...

    @property
    def defaults(self) -> Defaults:
        """What holds for services that do not say otherwise."""
        ...

    @property
    def sources(self) -> Mapping[str, ConfiguredInstance]:
        """Sources."""
        ...

    @property
    def policies(self) -> Sequence[ConfiguredInstance]:
        """Policies, in the order in which they are applied."""
        ...

    @property
    def outputs(self) -> Mapping[str, ConfiguredInstance]:
        """Outputs."""
        ...


_OF_POLICY = re.compile(r"policies\[(\d+)\]")


def place_of(instance: ConfiguredInstance) -> KeyPath:
    """Where the table of an instance stands in clusterf.toml; the whole file for "services"."""
    if found := _OF_POLICY.fullmatch(instance.name):
        return ("policies", int(found[1]))
    section, dot, name = instance.name.partition(".")
    return (section, name) if dot else ()


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a source will publish, where that stands in files: the records of one document.

    ``source`` is the name of the instance. ``place`` leads to a record in the document: to the
    whole of it, or to what asks for an entry of the table, or to one of its fields. A source may
    have several documents; one of which anything is unknown foretells nothing at all.
    """

    source: str
    document: Document
    records: Sequence[Record]
    place: Callable[[Ref, ServiceKey | str | None], KeyPath]
