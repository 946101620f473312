"""Policy ``local``: the second tier keeps the backends of this host and leaves out the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clusterf.plugin import Configured, Document, PolicyType, Problem, hookimpl
from clusterf_local.check import check_policies
from clusterf_local.policy import LocalPolicy
from clusterf_local.settings import LocalSettings

CLUSTERF_API = "1.0"


@hookimpl
def clusterf_register_policies() -> Iterable[PolicyType[Any]]:
    """Register the type ``local``."""
    return [
        PolicyType(
            name="local",
            settings=LocalSettings,
            create=LocalPolicy,
            summary="backends of this host at their own address, the others left out",
        )
    ]


@hookimpl
def clusterf_check(configuration: Configured, document: Document) -> Iterable[Problem]:
    """Look for patterns that pick no source, and for a wrong order."""
    return check_policies(configuration, document)
