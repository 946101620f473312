"""The table of a policy of type ``local``."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field, model_validator

from clusterf.model.table import Method
from clusterf.plugin import (
    Code,
    Fault,
    IPNetwork,
    MethodName,
    Settings,
    SourcePatterns,
    raise_faults,
)


class LocalSettings(Settings):
    """Which backends are of this host, how they are reached, and what becomes of the others."""

    sources: Annotated[
        SourcePatterns,
        Field(description="patterns of the sources whose backends are of this host"),
    ] = []  # noqa: RUF012 - pydantic copies defaults
    prefixes: Annotated[
        list[IPNetwork],
        Field(description="backends whose own address is in one of them are of this host"),
    ] = []  # noqa: RUF012 - pydantic copies defaults
    method: Annotated[
        MethodName,
        Field(description="forwarding method of the backends of this host, whatever routes say"),
    ] = Method.MASQ
    others: Annotated[
        Literal["drop", "keep"],
        Field(description="backends of other hosts are left out, or stay, at VIPs only"),
    ] = "drop"
    services: Annotated[
        list[Annotated[str, Field(min_length=1)]] | None,
        Field(description="patterns of the services that this is about; without it all"),
    ] = None

    def concerns(self, service: str) -> bool:
        """Whether the policy is about a service."""
        return self.services is None or any(fnmatchcase(service, one) for one in self.services)

    @model_validator(mode="after")
    def _check(self) -> LocalSettings:
        if not self.sources and not self.prefixes:
            fault = Fault(
                (),
                'missing key "sources" or "prefixes"',
                "they say which backends are of this host",
                Code.MISSING_KEY,
                missing="sources",
            )
            raise_faults("local", [fault])
        return self
