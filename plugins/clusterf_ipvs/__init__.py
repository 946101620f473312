"""Output ``ipvs``: virtual services and destinations in the kernel of this host, over netlink."""

from __future__ import annotations

from collections.abc import Iterable

from clusterf.plugin import Configured, Examination, OutputType, hookimpl
from clusterf_ipvs.doctor import examinations
from clusterf_ipvs.output import IpvsOutput
from clusterf_ipvs.settings import IpvsSettings

CLUSTERF_API = "1.0"


@hookimpl
def clusterf_register_outputs() -> list[OutputType[IpvsSettings]]:
    """Register the type ``ipvs``."""
    return [
        OutputType(
            name="ipvs",
            settings=IpvsSettings,
            create=IpvsOutput,
            summary="virtual services and destinations in this host's kernel",
        )
    ]


@hookimpl
def clusterf_doctor(configuration: Configured | None) -> Iterable[Examination]:
    """Look at the modules, sysctls and tables of the kernel."""
    return examinations(configuration)
