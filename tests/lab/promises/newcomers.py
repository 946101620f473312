"""New connections, one after the other: who is answered, and who is not."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from tests.lab.network import Namespace
from tests.lab.promises.background import Background
from tests.lab.promises.servers import ask_name


class Newcomers:
    """A client that comes back five times a second, each time over a new connection."""

    def __init__(self, place: Namespace, address: str, port: int) -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._began = time.monotonic()
        self._pause = threading.Event()

        def work(stopped: Callable[[], bool]) -> None:
            while not stopped():
                asked = time.monotonic()
                try:
                    self.answers[ask_name(place, address, port)] += 1
                except OSError as error:
                    self.failures.append(f"{asked - self._began:.2f} s: {error}")
                self._pause.wait(0.2)

        self._background = Background(work)

    def end(self) -> None:
        self._pause.set()
        self._background.end()
