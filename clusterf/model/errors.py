"""The exceptions that cross the plugin boundary. Each one is caught somewhere.

A message has the object first, is in lower case and has no full stop; ``hint`` says what the
operator can do. Anything else that escapes a plugin is a bug of the plugin and is logged as one.
"""

from __future__ import annotations

import math


class ClusterfError(Exception):
    """Base class: ends a command with ``exit_code`` and one line, never with a traceback."""

    exit_code = 70  # EX_SOFTWARE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} (hint: {self.hint})" if self.hint else message


class Unavailable(ClusterfError):
    """The world of an instance is away.

    ``longest`` bounds the back-off, in seconds: how late it may be noticed that the world is back.
    """

    exit_code = 69  # EX_UNAVAILABLE

    def __init__(self, message: str, *, hint: str = "", longest: float = math.inf) -> None:
        super().__init__(message, hint=hint)
        self.longest = longest


class SourceUnavailable(Unavailable):
    """The world of a source is away: the engine keeps what is known and tries again."""


class OutputUnavailable(Unavailable):
    """The world of an output is away: no module, no permission, no peer."""


class OutputNotPermitted(OutputUnavailable):
    """The world of an output is there, and this process may not touch it."""

    exit_code = 77  # EX_NOPERM


class PluginLoadError(ClusterfError):
    """A plugin could not be loaded, or does not fit this version of the API."""

    exit_code = 78  # EX_CONFIG
