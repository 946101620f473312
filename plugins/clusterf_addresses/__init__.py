"""Output ``addresses``: VIPs on an interface of this host, and the sysctls that they need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clusterf.plugin import (
    Code,
    Configured,
    Context,
    Document,
    Examination,
    Fault,
    Output,
    OutputType,
    Problem,
    hookimpl,
)
from clusterf_addresses.settings import AddressesSettings

CLUSTERF_API = "1.0"

_TYPE = "addresses"


def _create(settings: AddressesSettings, context: Context) -> Output:
    from clusterf_addresses.output import AddressesOutput  # noqa: PLC0415 - Trio and the like, for who runs it

    return AddressesOutput(settings, context)


@hookimpl
def clusterf_register_outputs() -> Iterable[OutputType[Any]]:
    """Register the type ``addresses``."""
    return [
        OutputType(
            name=_TYPE,
            settings=AddressesSettings,
            create=_create,
            summary="VIPs on an interface of this host, and the sysctls that they need",
            follows=True,
            alone=True,
        )
    ]


@hookimpl
def clusterf_check(configuration: Configured, document: Document) -> Iterable[Problem]:
    """Two outputs of this type would move each other's VIPs to and fro."""
    mine = [instance for instance in configuration.outputs.values() if instance.type.name == _TYPE]
    for instance in mine[1:]:
        kind, _, name = instance.name.partition(".")
        fault = Fault(
            (kind, name),
            f"{mine[0].name} is of type {_TYPE} already",
            "one of them holds all VIPs of this host",
            Code.CONTRADICTION,
            on_key=True,
        )
        yield document.problem(fault)


@hookimpl
def clusterf_doctor(configuration: Configured | None) -> Iterable[Examination]:
    """Look at the sysctls of the network, and at what tunnels need."""
    from clusterf_addresses.doctor import examinations  # noqa: PLC0415 - as above

    return examinations(configuration)
