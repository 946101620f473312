"""Where a fact came from, and reasoned refusals: values that travel beside the facts."""

from __future__ import annotations

from typing import NamedTuple


class Provenance(NamedTuple):
    """The source instance (``sources.local-docker``) and the place in it that a fact came from."""

    source: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.source} {self.place}".rstrip()


class Refusal(NamedTuple):
    """A reasoned "no" about one object. A value, never an exception.

    ``reason`` is one of a fixed set of words (``duplicate_vip``), fit for a metric's label;
    ``detail`` is the sentence for people, lower case and without a full stop.
    """

    subject: str
    reason: str
    detail: str
    provenance: Provenance | None = None
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.subject}: {self.detail}"
        if self.hint:
            text += f" (hint: {self.hint})"
        if self.provenance is not None:
            text += f" [{self.provenance}]"
        return text
