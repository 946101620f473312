"""What a drop-in may import: the promise, in one place.

The program has a Python of its own, where nothing can be installed. The frozen one is built with
all of this in it, whether clusterf itself needs it or not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

LIBRARIES = (
    "docker",
    "httpx2",
    "pluggy",
    "pydantic",
    "pyroute2",
    "rich",
    "shtab",
    "toml",
    "tomli",
    "trio",
    "watchfiles",
)
"""By the names of their distributions, which they are imported by, too. tests/meta holds the list
against the dependencies in pyproject.toml."""

OURS = ("clusterf.plugin", "clusterf.model", "clusterf.testing")
"""What of clusterf itself: the rest may change with every version."""


class Library(NamedTuple):
    """A library that is there; ``version`` is empty where its metadata is not."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()


def libraries() -> Sequence[Library]:
    """All of them, with the versions that this program has."""
    return [Library(name, _version(name)) for name in LIBRARIES]


def python() -> str:
    """Version of Python: ``3.11.2``."""
    return sys.version.split()[0]


def promise() -> str:
    """The hint for whoever imports what is not there."""
    listed = ", ".join(map(str, libraries()))
    return (
        f"this program has its own Python {python()}; it provides the standard library, "
        f"{', '.join(OURS)}, {listed}; vendor pure-Python code beside the plugin"
    )


def _version(name: str) -> str:
    from importlib import metadata  # noqa: PLC0415 - costs more than a small plugin, seldom needed

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
