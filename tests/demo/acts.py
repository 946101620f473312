"""What happens in `make demo`. Each act does one thing under load, measures it, and checks it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.demo.container_acts import ContainerActs
from tests.demo.screen import span

if TYPE_CHECKING:
    from tests.demo.load import Load
    from tests.demo.one_host import OneHost


class Acts(ContainerActs):
    """Those of the containers, and what an operator does."""

    def __init__(self, stage: OneHost, load: Load) -> None:
        super().__init__(stage, load)
        self._clusterf = stage.clusterf

    def drain(self, name: str) -> None:
        """An operator takes one container out, and back in."""
        stage, clusterf = self._stage, self._clusterf
        identifier = str(self._placed[name].container.id)[:12]
        start = time.monotonic()
        clusterf.show("drain", "web", identifier)
        quiet = self._of(name, lambda weight: weight == 0, start, "at weight 0")
        stage.watch_for(2)
        window = self._window(start, time.monotonic())
        clusterf.show("status", "web")
        end = time.monotonic()
        self._none_after([name], quiet, end, why="its weight was 0")
        self._none_failed(window)
        self._row(
            f"{name} drained", window, f"{span(quiet - start)}, the command's own start included"
        )
        start = time.monotonic()
        clusterf.show("undrain", "web", identifier)
        weighed = self._of(name, bool, start, "with a weight")
        first = stage.until(lambda: self._first_answer(name, start), f"an answer of {name}")
        stage.watch_for(1)
        window = self._window(start, time.monotonic())
        self._claim(f"{name} answers again", first.answer == name)
        self._none_failed(window)
        self._row(f"{name} undrained", window, f"{span(weighed - start)}, the same")
