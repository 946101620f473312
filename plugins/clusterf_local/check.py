"""``clusterf check`` for this plugin: a misspelt source would leave out every backend there is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clusterf.plugin import Among, Code, Configured, Document, Fault, Problem, did_you_mean
from clusterf_local.settings import LocalSettings

_PLACE = re.compile(r"policies\[(\d+)\]")


def check_sources(configuration: Configured, document: Document) -> Iterator[Problem]:
    """Patterns of ``sources`` that pick none of the configured ones."""
    names = tuple(configuration.sources)
    for policy in configuration.policies:
        place = _PLACE.fullmatch(policy.name)
        if place is None or not isinstance(policy.settings, LocalSettings):
            continue
        for index, pattern in enumerate(policy.settings.sources):
            if any(map(Among([pattern]), names)):
                continue
            # No error: one configuration may be for hosts of several kinds.
            fault = Fault(
                ("policies", int(place[1]), "sources", index),
                f'picks no source: none is called "{pattern}"',
                did_you_mean(pattern, (name.removeprefix("sources.") for name in names)),
                Code.UNKNOWN_CHOICE,
            )
            yield document.problem(fault.as_warning())
