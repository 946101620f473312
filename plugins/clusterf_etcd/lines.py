"""Lines out of a stream of bytes, in time that grows with the bytes and not with their square."""

from __future__ import annotations


class LineTooLong(Exception):
    """A line has more bytes than a line may have."""


class Lines:
    """Collects pieces and gives complete lines; ``limit`` is the largest line in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Lines that end in this piece, without their ends.

        Raises:
            LineTooLong: nothing can be fed any more.
        """
        head, *rest = piece.split(b"\n")
        self._add(head)
        if not rest:
            return []
        lines = [self.rest(), *rest[:-1]]
        self._add(rest[-1])
        return lines

    def rest(self) -> bytes:
        """Take what came after the last line end."""
        line = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return line

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise LineTooLong
        self._pieces.append(piece)
