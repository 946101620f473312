"""A thread of a test: it ends when it is told to, and its failure is the test's failure."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Runs ``work``, which is given a way to ask whether it shall end."""

    def __init__(self, work: Callable[[Callable[[], bool]], None]) -> None:
        self._stop = threading.Event()
        self._failure: BaseException | None = None

        def run() -> None:
            try:
                work(self._stop.is_set)
            except BaseException as error:  # noqa: BLE001 - raised in `end`
                self._failure = error

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(30)
        if self._failure is not None:
            raise self._failure
