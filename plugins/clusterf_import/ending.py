"""How an import ends where it cannot be done: the exit code for what is wrong."""

from __future__ import annotations

from clusterf.model.errors import ClusterfError


class Refused(ClusterfError):
    """The result is not written, for something is there already."""

    exit_code = 1


class NothingToImport(ClusterfError):
    """There is nothing in the file for clusterf, or nothing that can be understood."""

    exit_code = 65  # EX_DATAERR


class NotReadable(ClusterfError):
    """The file cannot be read."""

    exit_code = 66  # EX_NOINPUT


class NotWritable(ClusterfError):
    """The result cannot be written where it shall be."""

    exit_code = 73  # EX_CANTCREAT
