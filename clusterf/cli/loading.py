"""From a path to a checked configuration, for the commands that need one."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from clusterf.config.check import problems_of_plugins
from clusterf.config.configuration import Configuration
from clusterf.config.load import load_configuration, read_plugin_choice
from clusterf.config.rendering import as_text
from clusterf.model.errors import ClusterfError
from clusterf.model.problem import Problem, Severity
from clusterf.plugin.loader import Registry, load_plugins

log = logging.getLogger("clusterf.configuration")


class BadConfiguration(ClusterfError):
    """The configuration is at fault; the message has all its problems."""

    exit_code = 78


def registry_for(path: Path, *, bundled_only: bool) -> Registry:
    """All plugins that this configuration can use."""
    folders, disabled = read_plugin_choice(path)
    return load_plugins(None if bundled_only else folders, disabled=disabled)


def read(
    path: Path, *, bundled_only: bool, registry: Registry | None = None
) -> tuple[Configuration | None, Sequence[Problem]]:
    """Load plugins and configuration; None when there are errors in it. Touches nothing else.

    A plugin that failed to load is a problem as well, but ends nothing unless it is asked for.
    ``registry``: plugins that are loaded already, instead of those that the configuration names.
    """
    if registry is None:
        registry = registry_for(path, bundled_only=bundled_only)
    configuration, problems = load_configuration(path, registry)
    return configuration, [*problems, *problems_of_plugins(registry)]


def read_or_raise(
    arguments: argparse.Namespace, registry: Registry | None = None
) -> tuple[Configuration, Sequence[Problem]]:
    """Load the configuration that the command line names; with it what is no obstacle.

    ``registry`` as in `read`.

    Raises:
        BadConfiguration: it has errors.
    """
    configuration, problems = read(
        arguments.config, bundled_only=arguments.bundled_only, registry=registry
    )
    if configuration is None:
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        raise BadConfiguration("\n" + as_text(errors).rstrip())
    return configuration, problems


def tell(problems: Sequence[Problem]) -> None:
    """Log what is no obstacle."""
    for problem in problems:
        hint = f" (hint: {problem.hint})" if problem.hint else ""
        log.warning("configuration %s%s", problem, hint)
