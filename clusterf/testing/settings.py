"""Settings of a plugin out of TOML text, with the problems as ``clusterf check`` shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from clusterf.config.load import checked_settings
from clusterf.config.rendering import as_text
from clusterf.config.settings import OutputKeys
from clusterf.model.problem import Problem
from clusterf.plugin.document import Document, DocumentError
from clusterf.plugin.settings import Settings

S = TypeVar("S", bound=Settings)

NAME = "clusterf.toml"
"""What the problems call the text."""


class BadSettings(Exception):
    """The text is at fault; ``str()`` is what ``check`` prints of it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(as_text(problems))
        self.problems = problems


def settings_from(model: type[S], toml: str) -> S:
    """The settings that the keys of one table make: ``settings_from(Mine, 'label = "x"')``.

    Keys that the core owns (``type``, ``enabled``, ``startup_error``, ``look``) may be there.

    Raises:
        BadSettings: they make none.
    """
    try:
        document = Document.parse(NAME, toml.encode())
    except DocumentError as error:
        raise BadSettings([error.problem]) from error
    core = set(OutputKeys.model_fields)  # those of sources and policies are among them
    table = {key: value for key, value in document.data.items() if key not in core}
    settings, faults = checked_settings(model, table, core)
    if settings is None:
        raise BadSettings(document.problems(faults))
    return settings
