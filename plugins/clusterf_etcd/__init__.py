"""Source and output ``etcd``: what a cluster of hosts tells one another of its backends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clusterf.plugin import (
    Command,
    Configured,
    Context,
    Document,
    Output,
    OutputType,
    Problem,
    Source,
    SourceType,
    hookimpl,
)
from clusterf_etcd.check import check_instances
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
    """What is published must come from somewhere, and not from etcd; and who reads back what."""
    return check_instances(configuration, document)
