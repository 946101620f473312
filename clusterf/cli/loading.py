"""From a path to a checked configuration, for the commands that need one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from clusterf.config.configuration import Configuration
from clusterf.config.load import load_configuration, read_plugin_dirs
from clusterf.config.rendering import as_text
from clusterf.model.errors import ClusterfError
from clusterf.model.problem import Problem, Severity
from clusterf.plugin.loader import Registry, load_plugins


class BadConfiguration(ClusterfError):
    """The configuration is at fault; the message has all its problems."""

    exit_code = 78


def registry_for(path: Path, *, bundled_only: bool) -> Registry:
    """All plugins that this configuration can use."""
    return load_plugins(() if bundled_only else read_plugin_dirs(path))


def read(path: Path, *, bundled_only: bool) -> tuple[Configuration | None, Sequence[Problem]]:
    """Load plugins and configuration; None when there are errors. Touches nothing else."""
    return load_configuration(path, registry_for(path, bundled_only=bundled_only))


def read_or_raise(arguments: argparse.Namespace) -> Configuration:
    """Load the configuration that the command line names.

    Raises:
        BadConfiguration: it has errors.
    """
    configuration, problems = read(arguments.config, bundled_only=arguments.bundled_only)
    if configuration is None:
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        raise BadConfiguration("\n" + as_text(errors).rstrip())
    return configuration
