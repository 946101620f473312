"""Source and output ``etcd``: what a cluster of hosts tells one another of its backends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from clusterf.plugin import (
    Among,
    Code,
    Command,
    Configured,
    Context,
    Document,
    Fault,
    Output,
    OutputType,
    Problem,
    Severity,
    Source,
    SourceType,
    hookimpl,
)
from clusterf_etcd.commands import COMMAND
from clusterf_etcd.settings import EtcdOutputSettings, EtcdSourceSettings

CLUSTERF_API = "1.0"

_TYPE = "etcd"


def _create_source(settings: EtcdSourceSettings, context: Context) -> Source:
    from clusterf_etcd.source import EtcdSource  # noqa: PLC0415 - Trio and the like, for who runs it

    return EtcdSource(settings, context)


def _create_output(settings: EtcdOutputSettings, context: Context) -> Output[Any]:
    from clusterf_etcd.output import EtcdOutput  # noqa: PLC0415 - as above

    return EtcdOutput(settings, context)


@hookimpl
def clusterf_register_sources() -> Iterable[SourceType[Any]]:
    """Register the source type ``etcd``."""
    return [
        SourceType(
            name=_TYPE,
            settings=EtcdSourceSettings,
            create=_create_source,
            summary="services, backends and routes of the whole cluster, from etcd",
        )
    ]


@hookimpl
def clusterf_register_outputs() -> Iterable[OutputType[Any]]:
    """Register the output type ``etcd``."""
    return [
        OutputType(
            name=_TYPE,
            settings=EtcdOutputSettings,
            create=_create_output,
            summary="backends of this host, for the whole cluster, to etcd",
            publishes=True,
        )
    ]


@hookimpl
def clusterf_register_commands() -> Iterable[Command]:
    """Register the command ``clusterf etcd``."""
    return [COMMAND]


@hookimpl
def clusterf_check(configuration: Configured, document: Document) -> Iterable[Problem]:
    """What is published must come from somewhere, and not from etcd."""
    for output in configuration.outputs.values():
        if isinstance(output.settings, EtcdOutputSettings):
            kind, _, name = output.name.partition(".")
            for fault, severity in _patterns(output.settings, configuration):
                problem = document.problem(fault.below((kind, name, "sources")))
                yield replace(problem, severity=severity)


def _patterns(
    settings: EtcdOutputSettings, configuration: Configured
) -> Iterator[tuple[Fault, Severity]]:
    for index, pattern in enumerate(settings.sources):
        among = Among([pattern])
        picked = [one for one in configuration.sources.values() if among(one.name)]
        if not picked:
            known = ", ".join(configuration.sources) or "none"
            fault = Fault((index,), "picks no source", f"there are: {known}", Code.CONTRADICTION)
            yield fault, Severity.WARNING
        for source in picked:
            if source.type.name == _TYPE:
                message = f"picks {source.name}, and what comes from etcd is not published to it"
                hint = 'name the sources of this host, as sources = ["local-docker"]'
                yield Fault((index,), message, hint, Code.CONTRADICTION), Severity.ERROR
