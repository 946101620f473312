"""Output ``ipvs``: virtual services and destinations in the kernel of this host, over netlink."""

from __future__ import annotations

from collections.abc import Iterable

from clusterf.plugin import Configured, Context, Examination, Output, OutputType, hookimpl
from clusterf_ipvs.settings import IpvsSettings

CLUSTERF_API = "1.0"


def _create(settings: IpvsSettings, context: Context) -> Output:
    from clusterf_ipvs.output import IpvsOutput  # noqa: PLC0415 - Trio and the like, for who runs it

    return IpvsOutput(settings, context)


@hookimpl
def clusterf_register_outputs() -> list[OutputType[IpvsSettings]]:
    """Register the type ``ipvs``."""
    return [
        OutputType(
            name="ipvs",
            settings=IpvsSettings,
            create=_create,
            summary="virtual services and destinations in this host's kernel",
            alone=True,
        )
    ]


@hookimpl
def clusterf_doctor(configuration: Configured | None) -> Iterable[Examination]:
    """Look at the modules, sysctls and tables of the kernel."""
    from clusterf_ipvs.doctor import examinations  # noqa: PLC0415 - as above

    return examinations(configuration)
