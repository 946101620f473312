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
    from clusterf.model.problem import Problem
    from clusterf.plugin.api import OutputType, PolicyType, SourceType
    from clusterf.plugin.checking import Configured, Foretold
    from clusterf.plugin.commands import Command
    from clusterf.plugin.document import Document
    from clusterf.plugin.examining import Examination

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


@hookspec
def clusterf_register_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Return the commands that this plugin brings to the command line: ``clusterf NAME ...``.

    Called once, when the plugin is loaded; for the command line that is only where the first word
    is no command of the core, and for ``clusterf --help``. A name that another plugin or the core
    has makes this plugin fail to load.

    .. versionadded:: 1.0
    """


@hookspec
def clusterf_check(configuration: Configured, document: Document) -> Iterable[Problem]:  # type: ignore[empty-body]
    """Return what is wrong with the configuration as a whole, and in files that it names.

    Called by ``clusterf check`` with what could be read of the configuration, and with
    clusterf.toml itself, for places in it. Reads files and nothing else, changes nothing.
    An exception becomes a problem that names the plugin.

    .. versionadded:: 1.0
    """


@hookspec
def clusterf_foretell(  # type: ignore[empty-body]
    configuration: Configured, document: Document
) -> Iterable[Foretold | Problem]:
    """Return what sources of this plugin will publish, as far as it stands in files already.

    Called by ``clusterf check``, which takes it through merge, the policies and resolve as it is
    done at run time, and by ``clusterf config``, which lists the files. Reads files and nothing
    else; what is wrong in them it returns as problems, so that they are read only once.
    An exception becomes a problem that names the plugin.

    .. versionadded:: 1.0
    """


@hookspec
def clusterf_doctor(configuration: Configured | None) -> Iterable[Examination]:  # type: ignore[empty-body]
    """Return what ``clusterf doctor`` shall look at on this host for the types of this plugin.

    Called by ``clusterf doctor``, with what could be read of the configuration, or with None where
    there is none: then look at what a usual one would need. Of instances in the configuration the
    probes are asked anyway. An exception becomes a finding that names the plugin.

    .. versionadded:: 1.0
    """
