"""What all imports have in common: their options, and where the result and the report go."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from clusterf.model.counting import counted
from clusterf.plugin import Invocation
from clusterf_import.ending import NothingToImport, NotWritable, Refused
from clusterf_import.places import Findings
from clusterf_import.services import Imported
from clusterf_import.writing import text_of

EX_OK = 0
EX_STRICT = 1
EX_DATAERR = 65


EXIT_STATUS = (
    "Exit status: 0 done; 1 refused; 65 the file has errors, and what they are about is left out; "
    "66 it cannot be read; 73 the result cannot be written."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all imports have."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="write the configuration there instead of to standard output",
    )
    parser.add_argument("--force", action="store_true", help="also where that file is there")
    parser.add_argument(
        "--strict", action="store_true", help="exit status 1 if anything was not carried over"
    )


def refuse_to_overwrite(arguments: argparse.Namespace) -> None:
    """Look whether the result can go where it shall, before anything is read.

    Raises:
        Refused: something is there.
    """
    output: Path | None = arguments.output
    if output is not None and not arguments.force and os.path.lexists(output):
        raise Refused(f"{output} is there already", hint="--force replaces it")


def deliver(
    invocation: Invocation, imported: Imported | None, findings: Findings, kind: str, name: str
) -> int:
    """Write the configuration, then the report; 65 if something in the file could not be read.

    ``imported`` None: nothing could.

    Raises:
        NothingToImport: there is no service.
        ClusterfError: the result cannot be written.
    """
    if imported is None or not imported.services:
        invocation.tell(list(findings), imported.remarks if imported is not None else ())
        if imported is None:
            raise NothingToImport(f"{name}: nothing is imported", hint="mend the errors first")
        raise NothingToImport(f"{name}: there is no virtual server in it to import")
    text = text_of(imported, kind, name)
    arguments = invocation.arguments
    if arguments.output is None:
        invocation.write(text)
    else:
        _write(arguments.output, text, force=arguments.force)
    invocation.tell(list(findings), [_summary(imported, arguments.output)])
    if findings.errors:
        return EX_DATAERR
    return EX_STRICT if arguments.strict and len(findings) else EX_OK


def _summary(imported: Imported, output: Path | None) -> str:
    backends = sum(len(service.backends) for service in imported.services)
    services = counted(len(imported.services), "service")
    told = f"imported {services} with {counted(backends, 'backend')}"
    return f"{told} to {output}" if output is not None else told


def _write(path: Path, text: str, *, force: bool) -> None:
    """Write a whole file or none.

    Raises:
        Refused: it came to be in the meantime.
        NotWritable: it cannot be written.
    """
    try:
        if not force:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            return
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as beside:
            beside.write(text)
        made = Path(beside.name)
        made.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        made.replace(path)
    except FileExistsError as error:
        raise Refused(f"{path} is there already", hint="--force replaces it") from error
    except OSError as error:
        raise NotWritable(f"{path}: {(error.strerror or str(error)).lower()}") from error
