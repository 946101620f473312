"""``clusterf check``: all problems of all files, and of the world unless ``--offline``."""

from __future__ import annotations

import sys
from pathlib import Path

from clusterf.config.check import check_offline
from clusterf.config.load import read_plugin_dirs
from clusterf.config.rendering import as_json, render
from clusterf.model.problem import has_errors
from clusterf.plugin.loader import Registry, load_plugins

EX_OK = 0
EX_CONFIG = 78


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
        registry = load_plugins(read_plugin_dirs(path))
    reading, problems = check_offline(path, registry)
    if reading is not None and not offline:
        from clusterf.cli.probing import probe  # noqa: PLC0415 - offline needs no Trio

        problems += probe(reading)
    text = as_json(problems) if output_format == "json" else render(problems)
    # A terminal of another encoding, or a file name that is not UTF-8, must not end in a traceback.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    return EX_CONFIG if has_errors(problems, strict=strict) else EX_OK
