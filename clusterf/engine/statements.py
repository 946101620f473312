"""What the sources say, for outputs that publish it: merged, with orders, before the policies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from clusterf.engine.board import Board
from clusterf.model.service import Route, Service
from clusterf.pipeline.merge import merge
from clusterf.pipeline.override import Drained, override


class BoardStatements:
    """Implements `clusterf.plugin.Statements` over the live board."""

    def __init__(self, board: Board, drained: Callable[[], Mapping[Drained, str]]) -> None:
        self._board = board
        self._drained = drained

    def services(self, among: Callable[[str], bool]) -> Collection[str]:
        """Names of the services that these sources know anything of."""
        slots = self._board.slots.items()
        return {name for source, slot in slots if among(source) for name in slot.services}

    def service(self, name: str, among: Callable[[str], bool]) -> Service | None:
        """What these sources say of one service; None: nothing."""
        service = merge(name, self._board.contributions(name, among))
        return None if service is None else override(service, self._drained())

    def routes(self, among: Callable[[str], bool]) -> Sequence[Route]:
        """Their routes; of two with one name the earlier source's."""
        return self._board.routes_of(among)

    def unspoken(self, among: Callable[[str], bool]) -> Sequence[str]:
        """Which of them have not spoken yet."""
        return [name for name in self._board.unsynced() if among(name)]
