"""``clusterf run``: the daemon in the foreground, or one application of the configuration."""

from __future__ import annotations

import argparse
import faulthandler
import gc
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import trio

from clusterf.cli import logs
from clusterf.cli.loading import read, read_or_raise, tell
from clusterf.config.configuration import Configuration
from clusterf.config.rendering import as_text
from clusterf.control.daemon import Daemon
from clusterf.control.notify import ServiceManager
from clusterf.engine.single import SingleEngine
from clusterf.model.operation import count

log = logging.getLogger("clusterf.run")


def main(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM, or once."""
    configuration, problems = read_or_raise(arguments)
    logs.start(configuration.core.log_level, configuration.core.log_format)
    tell(problems)
    if arguments.once:
        return trio.run(_once, configuration)

    def load() -> tuple[Configuration | None, Sequence[str]]:
        fresh, problems = read(arguments.config, bundled_only=arguments.bundled_only)
        if fresh is None:
            return None, [as_text(problems).rstrip()]
        tell(problems)
        return fresh, []

    # A watchdog ends us by SIGABRT: the log then tells where the loop was. Of its thread only: to
    # walk over the others while one of them ends is a segmentation fault (seen with Python 3.11).
    if not faulthandler.is_enabled():
        faulthandler.enable(2, all_threads=False)
    daemon = Daemon(configuration, load, ServiceManager.taken_from(os.environ))
    trio.run(_to_the_end, daemon, configuration.folder / configuration.core.control)
    return 0


async def _to_the_end(daemon: Daemon, socket: Path) -> None:
    await daemon.run(socket)
    # A service manager may signal each process of the executable, and one passes it on: what comes
    # for the second time must not make a bad end of a good one.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


async def _once(configuration: Configuration) -> int:
    """Apply and end: 0 when the world matches, 75 when something was left undone."""
    # It ends before there is garbage worth a search, and the interpreter would search at its end.
    gc.disable()
    engine = SingleEngine(configuration)
    outcomes, complete = await engine.once()
    failed = [outcome for outcome in outcomes if outcome.error]
    log.info(
        "applied operations=%d failed=%d complete=%s",
        count(outcome.operation for outcome in outcomes),
        len(failed),
        str(complete).lower(),
    )
    gc.freeze()
    return 75 if failed or not complete else 0
