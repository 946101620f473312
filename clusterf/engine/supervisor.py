"""Supervision: one task's failure stays its own, is told, and is tried again with back-off."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

import trio

from clusterf.model.errors import ClusterfError, Unavailable

FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
QUIET_SPELL = 60.0
"""A run that lasted this long counts as healthy: its next failure starts at the first delay."""


class PluginFault(ClusterfError):
    """A plugin breaks its word without an exception of its own: told as its bug."""


class State(StrEnum):
    """Health of an instance."""

    STARTING = "starting"
    RUNNING = "running"
    DOWN = "down"
    FINISHED = "finished"


@dataclass(slots=True)
class Health:
    """How an instance is. ``retry_at`` is on Trio's clock; ``bug`` marks a plugin's fault.

    ``tried`` is set once it runs, or has failed, for the first time.
    """

    state: State = State.STARTING
    reason: str = ""
    hint: str = ""
    since: float = 0.0
    retry_at: float | None = None
    failures: int = 0
    bug: bool = False
    tried: trio.Event = field(default_factory=trio.Event, compare=False, repr=False)

    def running(self) -> None:
        """All is well."""
        self.tried.set()
        if self.state is not State.RUNNING:
            self.state, self.since = State.RUNNING, trio.current_time()
            self.reason = self.hint = ""
            self.retry_at, self.bug = None, False


class BackOff:
    """Delays 0.5, 1, 2 ... 60 s with a fifth of jitter, so that a fleet does not march in step."""

    def __init__(self) -> None:
        self._next = FIRST_DELAY

    def reset(self) -> None:
        """The next failure starts anew."""
        self._next = FIRST_DELAY

    def delay(self, longest: float = LONGEST_DELAY) -> float:
        """The delay before the next try, about ``longest`` seconds at most."""
        delay = min(self._next, longest) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing
        self._next = min(self._next * 2, LONGEST_DELAY)
        return delay


async def supervise(
    run: Callable[[], Awaitable[None]],
    health: Health,
    log: logging.Logger,
    *,
    fail_at_start: Callable[[], bool],
) -> None:
    """Run a task until it returns or is cancelled, again and again while it fails.

    ``fail_at_start()`` tells, after a failure, whether it has to end the program instead.

    Raises:
        ClusterfError: only if ``fail_at_start()``.
    """
    back_off = BackOff()
    while True:
        began = trio.current_time()
        try:
            await run()
        except Exception as error:
            failure = expected(error)
            if fail_at_start():
                raise failure or ClusterfError(f"{type(error).__name__}: {error}") from error
            if trio.current_time() - began > QUIET_SPELL:
                back_off.reset()
            longest = failure.longest if isinstance(failure, Unavailable) else LONGEST_DELAY
            await _wait(back_off.delay(longest), failure or error, health, log)
        except BaseExceptionGroup as group:
            # From a nursery of the plugin: it failed in the moment in which it was ended.
            ended, failed = group.split(trio.Cancelled)
            if ended is None or not (failed is None or isinstance(failed, Exception)):
                raise
            log.debug("failed at its end", exc_info=failed)
            raise ended from None
        else:
            health.state, health.since = State.FINISHED, trio.current_time()
            log.debug("finished")
            return


async def _wait(delay: float, failure: Exception, health: Health, log: logging.Logger) -> None:
    now = trio.current_time()
    if health.state is not State.DOWN:
        health.state, health.since = State.DOWN, now
    health.failures += 1
    health.tried.set()
    health.retry_at = now + delay
    if isinstance(failure, ClusterfError):
        repeated = health.reason == failure.args[0]
        health.reason, health.hint = failure.args[0], failure.hint
        health.bug = isinstance(failure, PluginFault)
        log.log(
            logging.DEBUG if repeated else logging.WARNING,
            "unavailable reason=%r retry_in=%.1fs",
            str(failure),
            delay,
        )
    else:
        health.reason, health.hint = f"{type(failure).__name__}: {failure}", "a bug in the plugin"
        health.bug = True
        log.error("failed bug=true retry_in=%.1fs", delay, exc_info=failure)
    await trio.sleep(delay)


def expected(error: BaseException) -> ClusterfError | None:
    """The declared failure in an exception, also when a nursery has wrapped it in a group."""
    if isinstance(error, (Unavailable, PluginFault)):
        return error
    if isinstance(error, BaseExceptionGroup):
        found = [expected(inner) for inner in error.exceptions]
        if found and all(one is not None for one in found):
            return found[0]
    return None
