"""Every hook of clusterf: the table of contents for plugin authors.

pluggy is synchronous and one raising implementation aborts a whole call, so hooks *register*
typed objects, once; the objects have the async methods. The order of implementations has
no meaning: the order of policies is the order in the configuration.
A further hook arrives together with a bundled plugin that uses it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from clusterf.plugin.api import OutputType, PolicyType, SourceType

PROJECT = "clusterf"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Decorator for the implementations in a plugin."""


@hookspec
def clusterf_register_sources() -> Iterable[SourceType[Any]]:  # type: ignore[empty-body]
    """Return the types of sources of this plugin. Called once, when the plugin is loaded.

    An exception makes this plugin fail to load; the others do not notice.

    .. versionadded:: 1.0
    """


@hookspec
def clusterf_register_policies() -> Iterable[PolicyType[Any]]:  # type: ignore[empty-body]
    """Return the types of policies of this plugin. Called once, when the plugin is loaded.

    .. versionadded:: 1.0
    """


@hookspec
def clusterf_register_outputs() -> Iterable[OutputType[Any]]:  # type: ignore[empty-body]
    """Return the types of outputs of this plugin. Called once, when the plugin is loaded.

    .. versionadded:: 1.0
    """
