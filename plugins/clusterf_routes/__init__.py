"""Policy ``routes``: the prefix of a backend decides how it is reached, and through what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clusterf.plugin import Configured, Document, PolicyType, Problem, hookimpl
from clusterf_routes.check import check_policies
from clusterf_routes.policy import RoutesPolicy
from clusterf_routes.settings import RoutesSettings

CLUSTERF_API = "1.0"


@hookimpl
def clusterf_register_policies() -> Iterable[PolicyType[Any]]:
    """Register the type ``routes``."""
    return [
        PolicyType(
            name="routes",
            settings=RoutesSettings,
            create=RoutesPolicy,
            summary="forwarding method and gateway of backends, by their prefix",
        )
    ]


@hookimpl
def clusterf_check(configuration: Configured, document: Document) -> Iterable[Problem]:
    """Look for patterns that pick no source, and for routes that come too late."""
    return check_policies(configuration, document)
