"""``clusterf config``: the files that are read, or the whole configuration with every default."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from clusterf import __version__
from clusterf.cli.drawing import write
from clusterf.cli.loading import BadConfiguration, read_or_raise, registry_for
from clusterf.config.check import foretell
from clusterf.config.files import files_of
from clusterf.config.load import Reading, read_configuration
from clusterf.config.rendering import as_text
from clusterf.plugin.document import Document, DocumentError
from clusterf.plugin.loader import Registry


class File(NamedTuple):
    """A file that is read: its path, and by whom."""

    path: str
    of: str


def main(arguments: argparse.Namespace) -> int:
    """Print one of the two. 0, or 78 if the configuration is at fault."""
    registry = registry_for(arguments.config, bundled_only=arguments.bundled_only)
    as_json = arguments.output_format == "json"
    if arguments.effective:
        from clusterf.config.effective import effective  # noqa: PLC0415 - a library for this only
        from clusterf.config.writing import write_toml  # noqa: PLC0415 - same

        read_or_raise(arguments, registry)
        values = effective(Document.read(arguments.config).data, registry)
        head = (
            f"# {arguments.config}, with every default of clusterf {__version__}.\n"
            "# Options that have no value are left out.\n\n"
        )
        write(json.dumps(values, indent=2) + "\n" if as_json else head + write_toml(values))
        return 0
    try:
        reading = read_configuration(arguments.config, registry)
    except DocumentError as error:
        raise BadConfiguration("\n" + as_text([error.problem]).rstrip()) from error
    files = list(dict.fromkeys(_files(reading, registry)))
    if as_json:
        rows = [{"path": one.path, "of": one.of, "exists": _exists(one)} for one in files]
        write(json.dumps(rows, indent=2) + "\n")
    else:
        width = max(len(one.path) for one in files)
        write("".join(f"{_line(one, width)}\n" for one in files))
    return 0


def _files(reading: Reading, registry: Registry) -> Iterator[File]:
    """Everything that is read at the start: plugins, clusterf.toml, and what it names."""
    yield File(str(reading.configuration.path), "the configuration")
    for plugin in registry.plugins:
        if plugin.origin != "bundled":
            yield File(plugin.origin, f"plugin {plugin.name}")
    for failure in registry.failures:
        yield File(failure.origin, f"plugin, not loaded: {failure.message}")
    foretold, problems = foretell(reading, registry)
    spoken = {one.source for one in foretold}
    for one in foretold:
        if one.document is not reading.document:
            yield File(one.document.name, one.source)
    known = {one.document.name for one in foretold} | {reading.document.name}
    for problem in problems:
        if problem.file not in known:
            yield File(problem.file, f"not read: {problem.message}")
    for key, path in files_of(reading.configuration):
        if key.removesuffix(".path") not in spoken:
            yield File(str(path), key)


def _exists(file: File) -> bool:
    return Path(file.path).exists()


def _line(file: File, width: int) -> str:
    missing = "" if _exists(file) else "  (is not there)"
    return f"{file.path:<{width}}  {file.of}{missing}"
