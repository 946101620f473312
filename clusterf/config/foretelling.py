"""What `clusterf.config.topology` needs before anything runs: policies, and how much is known."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from clusterf.config.configuration import Configuration
from clusterf.config.judging import Certainty
from clusterf.config.load import Reading
from clusterf.model.address import Network
from clusterf.model.problem import Code, Problem, Severity
from clusterf.pipeline.decide import NamedPolicy
from clusterf.plugin.checking import Foretold


def make_policies(
    configuration: Configuration,
) -> tuple[list[NamedPolicy], dict[str, Exception]]:
    """The configured policies, which are pure and can be had without running; what failed."""
    made: list[NamedPolicy] = []
    failures: dict[str, Exception] = {}
    core = configuration.core
    for instance in configuration.policies:
        context = OfflineContext(
            instance.name, configuration.folder, core.managed, core.managed_fwmarks
        )
        try:
            policy = instance.type.create(instance.settings, context)
        except Exception as error:  # noqa: BLE001 - foreign code: its failure is the finding
            failures[instance.name] = error
        else:
            made.append(NamedPolicy(instance.name, policy))
    return made, failures


def certainty(
    reading: Reading, foretold: Iterable[Foretold], problems: Iterable[Problem]
) -> Certainty:
    """How much of what will be is known from files. ``problems``: those of the hooks."""
    spoken = {one.source for one in foretold}
    all_spoken = spoken.issuperset(reading.configuration.sources)
    readable = not any(
        problem.severity is Severity.ERROR or problem.code == Code.UNREADABLE
        for problem in [*reading.problems, *problems]
    )
    complete = all_spoken and readable
    straight = not reading.document.data.get("policies") and not any(
        problem.path.startswith("defaults") and problem.severity is Severity.ERROR
        for problem in reading.problems
    )
    return Certainty(complete, complete or straight)


@dataclass(slots=True)
class OfflineContext:
    """Implements `clusterf.plugin.Context` where nothing runs."""

    name: str
    folder: Path
    managed: Sequence[Network] = ()
    managed_fwmarks: Collection[int] = ()
    log: logging.Logger = field(init=False)

    def __post_init__(self) -> None:
        self.log = logging.getLogger(f"clusterf.{self.name}")

    def clock(self) -> float:
        """Time stands still."""
        return 0.0

    def path(self, path: Path) -> Path:
        """Resolve against the folder of the configuration."""
        return path if path.is_absolute() else self.folder / path

    async def run_blocking(
        self, function: Callable[..., Any], *_: object, **__: object
    ) -> NoReturn:
        """Nothing runs."""
        raise RuntimeError(f"an offline check does not run {function}")

    async def run_blocking_until_closed(
        self, function: Callable[[], Any], close: Callable[[], None]
    ) -> NoReturn:
        """Nothing runs."""
        raise RuntimeError(f"an offline check runs neither {function} nor {close}")
