"""Ask every instance whether its world is there: the part of ``check`` that is not offline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import trio

from clusterf.config.check import failed
from clusterf.config.configuration import Configuration, Instance
from clusterf.config.load import Reading
from clusterf.engine.context import InstanceContext
from clusterf.model.problem import Code, Problem, Severity
from clusterf.plugin import ClusterfError, Probe, ProbeResult
from clusterf.plugin.document import Fault
from clusterf.plugin.positions import KeyPath

DEADLINE = 5.0
"""Seconds that one probe may wait for its world.

What this process computes meanwhile does not count: a plugin may import a large library first,
which takes seconds on a small machine and says nothing of the world.
"""

_LONGEST = 6
"""Deadlines after which a probe is left whatever it does."""


def probe(reading: Reading, deadline: float = DEADLINE) -> list[Problem]:
    """Problems of the environment, in the order of the instances. Changes nothing anywhere."""
    found = trio.run(probe_each, reading, deadline)
    return [problem for problems in found.values() for problem in problems or ()]


async def probe_each(reading: Reading, deadline: float) -> dict[str, list[Problem] | None]:
    """The same by the names of the instances; None where one has no probe."""
    found: dict[str, list[Problem] | None] = {}

    async def one(instance: Instance[Any], scope: trio.CancelScope) -> None:
        prober = _Prober(reading, instance)
        found[instance.name] = await prober.problems(scope, deadline)

    async with trio.open_nursery() as clocks:
        async with trio.open_nursery() as nursery:
            for instance in _instances(reading.configuration):
                found[instance.name] = []
                scope = trio.CancelScope()
                clocks.start_soon(end_waiting, scope, deadline)
                nursery.start_soon(one, instance, scope)
        clocks.cancel_scope.cancel()
    return found


def _instances(configuration: Configuration) -> Iterator[Instance[Any]]:
    yield from configuration.sources.values()
    yield from configuration.policies
    yield from configuration.outputs.values()


async def end_waiting(
    scope: trio.CancelScope, deadline: float, cpu: Callable[[], float] = time.process_time
) -> None:
    """Cancel when this process has waited for so many seconds. ``cpu``: what it has computed."""
    began, computed = trio.current_time(), cpu()
    while True:
        passed = trio.current_time() - began
        waited = passed - (cpu() - computed)
        left = min(deadline - waited, _LONGEST * deadline - passed)
        if left <= 0:
            break
        await trio.sleep(left)
    scope.cancel()


class _Prober:
    """One instance: made, asked and forgotten."""

    def __init__(self, reading: Reading, instance: Instance[Any]) -> None:
        self._reading = reading
        self._instance = instance

    async def problems(self, scope: trio.CancelScope, deadline: float) -> list[Problem] | None:
        """Everything it says of its world before the scope is cancelled at the deadline."""
        instance = self._instance
        try:
            with scope:
                results = await self._results()
                return None if results is None else [self._problem(one) for one in results]
        except ClusterfError as error:
            return [self._at(str(error.args[0]), error.hint, Code.PROBE_UNAVAILABLE)]
        except Exception as error:  # noqa: BLE001 - foreign code: its failure is the finding
            return [failed(instance.name, "probe", error, self._reading.document.name)]
        if not scope.cancelled_caught:
            return []
        message = f"gave no answer within {deadline:g} s"
        return [self._at(message, "", Code.PROBE_TIMEOUT)]

    async def _results(self) -> list[ProbeResult] | None:
        core = self._reading.configuration.core
        context = ProbeContext(
            self._instance.name,
            folder=self._reading.configuration.path.parent,
            managed=core.managed,
            managed_fwmarks=core.managed_fwmarks,
        )
        made = self._instance.type.create(self._instance.settings, context)
        return list(await made.probe()) if isinstance(made, Probe) else None

    def _problem(self, result: ProbeResult) -> Problem:
        return self._at(result.message, result.hint, Code.PROBE_FINDING, result.severity)

    def _at(self, message: str, hint: str, code: Code, severity: Severity | None = None) -> Problem:
        if severity is None:
            # What may come later is no fault of the configuration.
            fatal = self._instance.startup_error == "fail"
            severity = Severity.ERROR if fatal else Severity.WARNING
        fault = Fault(_path(self._instance.name), message, hint, code, severity)
        return self._reading.document.problem(fault)


def _path(name: str) -> KeyPath:
    """``sources.local-docker`` and ``policies[0]`` as ways into the document."""
    section, _, index = name.rstrip("]").partition("[")
    if index:
        return section, int(index)
    return tuple(name.split(".", 1))


class ProbeContext(InstanceContext):
    """A context whose threads are left behind at the deadline: the program ends soon after."""

    async def run_blocking(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """As `InstanceContext.run_blocking`, without waiting for the thread's end."""
        return await trio.to_thread.run_sync(
            lambda: function(*args, **kwargs), abandon_on_cancel=True
        )
