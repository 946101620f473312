"""``clusterf check``: all problems of all files, and of the world unless ``--offline``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from clusterf.cli.drawing import write
from clusterf.cli.loading import registry_for
from clusterf.config.check import check_offline
from clusterf.config.rendering import as_json, as_text
from clusterf.model.problem import Code, Problem, has_errors
from clusterf.plugin.loader import Registry

EX_OK = 0
EX_CONFIG = 78


def main(arguments: argparse.Namespace) -> int:
    """Check what the command line names, or explain a code."""
    if arguments.explain is not None:
        from clusterf.config.explaining import as_text as explained  # noqa: PLC0415 - the rare way
        from clusterf.config.explaining import find  # noqa: PLC0415 - same

        write(explained(find(arguments.explain)))
        return EX_OK
    return run(
        arguments.config,
        offline=arguments.offline,
        output_format=arguments.output_format,
        strict=arguments.strict,
        registry=registry_for(arguments.config, bundled_only=arguments.bundled_only),
    )


def run(
    path: Path,
    *,
    offline: bool,
    output_format: str,
    strict: bool,
    registry: Registry | None = None,
) -> int:
    """Print the problems; 78 if the configuration is at fault, else 0. Changes nothing.

    ``registry`` stands in for the plugins that the configuration asks for.
    """
    if registry is None:
        registry = registry_for(path, bundled_only=False)
    reading, problems = check_offline(path, registry)
    if reading is not None and not offline:
        from clusterf.cli.probing import probe  # noqa: PLC0415 - offline needs no Trio

        problems += probe(reading)
    write(as_json(problems) if output_format == "json" else as_text(problems) + _more(problems))
    return EX_CONFIG if has_errors(problems, strict=strict) else EX_OK


def _more(problems: Sequence[Problem]) -> str:
    """Where to read on, with a code that was printed."""
    for problem in problems:
        if problem.code in set(Code):
            return f"clusterf check --explain {problem.code} tells more of such a problem\n"
    return ""
