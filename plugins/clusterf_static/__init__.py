"""Source ``static``: services, backends and routes of TOML files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clusterf.plugin import (
    Configured,
    Context,
    Document,
    Foretold,
    Problem,
    Source,
    SourceType,
    hookimpl,
)
from clusterf_static.check import foretell
from clusterf_static.settings import StaticSettings

CLUSTERF_API = "1.0"


def _create(settings: StaticSettings, context: Context) -> Source:
    from clusterf_static.source import StaticSource  # noqa: PLC0415 - Trio and the like, for who runs it

    return StaticSource(settings, context)


@hookimpl
def clusterf_register_sources() -> Iterable[SourceType[Any]]:
    """Register the type ``static``."""
    return [
        SourceType(
            name="static",
            settings=StaticSettings,
            create=_create,
            summary="services, backends and routes of TOML files, watched",
        )
    ]


@hookimpl
def clusterf_foretell(
    configuration: Configured, document: Document
) -> Iterable[Foretold | Problem]:
    """Read every file of every source of this type."""
    return foretell(configuration, document)
