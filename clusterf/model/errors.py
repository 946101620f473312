"""The exceptions that cross the plugin boundary. Each one is caught somewhere.

A message has the object first, is in lower case and has no full stop; ``hint`` says what the
operator can do. Anything else that escapes a plugin is a bug of the plugin and is logged as one.
"""

from __future__ import annotations


class ClusterfError(Exception):
    """Base class: ends a command with ``exit_code`` and one line, never with a traceback."""

    exit_code = 70  # EX_SOFTWARE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} (hint: {self.hint})" if self.hint else message


class SourceUnavailable(ClusterfError):
    """The world of a source is away: the engine keeps what is known and tries again."""

    exit_code = 69


class OutputUnavailable(ClusterfError):
    """The world of an output is away: no module, no permission, no peer."""

    exit_code = 69  # EX_UNAVAILABLE


class PluginLoadError(ClusterfError):
    """A plugin could not be loaded, or does not fit this version of the API."""

    exit_code = 78  # EX_CONFIG
