"""Where a fact came from, and reasoned refusals: values that travel beside the facts."""

from __future__ import annotations

from typing import NamedTuple

from clusterf.model.table import ServiceKey


class Provenance(NamedTuple):
    """The source instance (``sources.local-docker``) and the place in it that a fact came from."""

    source: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.source} {self.place}".rstrip()


class Refusal(NamedTuple):
    """A reasoned "no" about one object. A value, never an exception.

    ``reason`` is one of a fixed set of words (``duplicate_vip``), fit for a metric's label;
    ``detail`` is the sentence for people, lower case and without a full stop. ``about`` leads to
    the place in the subject: the entry of the table that it is about, or a field of the record.
    """

    subject: str
    reason: str
    detail: str
    provenance: Provenance | None = None
    hint: str = ""
    about: ServiceKey | str | None = None

    def __str__(self) -> str:
        text = f"{self.subject}: {self.detail}"
        if self.hint:
            text += f" (hint: {self.hint})"
        if self.provenance is not None:
            text += f" [{self.provenance}]"
        return text
