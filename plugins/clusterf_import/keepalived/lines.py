"""The lines of a keepalived.conf, without comments, and the words of a line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from clusterf_import.places import Place

BLANK = " \t\f\r\v"
"""What separates words: isspace(3) in the C locale. A no-break space does not."""

_PIECE = re.compile(
    r"""[ \t\f\r\v\n]+ | "(?P<quoted>[^"]*)" | '(?P<single>[^']*)'(?=[\s{}]|$)
    | (?P<brace>[{}]) | (?P<plain>[^ \t\f\r\v\n"{}]+) | (?P<open>")""",
    re.VERBOSE,
)


class Unclosed(ValueError):
    """A string does not end in its line; ``place`` is that of its quote."""

    def __init__(self, place: Place) -> None:
        super().__init__(f"{place}: string is not closed")
        self.place = place


class Source(NamedTuple):
    """A file: what messages call it, the folder that its relative includes begin at, its text."""

    name: str
    folder: str
    text: str


class Line(NamedTuple):
    """A line without comment and surrounding blanks.

    ``text`` is what counts, ``source`` the line as it is in the file. ``offset`` is where ``text``
    begins in it, or -1 where something has been put in, so that columns cannot be told.
    """

    text: str
    file: str
    number: int
    source: str
    offset: int

    def replaced(self, text: str) -> Line:
        """The same line with another text."""
        return self if text == self.text else self._replace(text=text, offset=-1)

    def after(self, start: int) -> Line:
        """The same line without its first characters and the blanks behind them."""
        rest = self.text[start:].lstrip(BLANK)
        if self.offset < 0:
            return self._replace(text=rest)
        return self._replace(text=rest, offset=self.offset + len(self.text) - len(rest))

    def place(self, start: int = 0, end: int = -1) -> Place:
        """The place of a part of the text; of the whole line where it cannot be told."""
        if self.offset < 0:
            shown = self.source.strip(BLANK)
            start, end = self.source.find(shown), self.source.find(shown) + len(shown)
        else:
            start, end = start + self.offset, (len(self.text) if end < 0 else end) + self.offset
        return Place(self.file, self.number, start + 1, max(1, end - start), self.source)


class Word(NamedTuple):
    """A word of a line, without its quotes."""

    text: str
    place: Place
    quoted: bool = False

    @property
    def opens(self) -> bool:
        """Whether a block begins here."""
        return self.text == "{" and not self.quoted

    @property
    def closes(self) -> bool:
        """Whether a block ends here."""
        return self.text == "}" and not self.quoted


def lines(source: Source) -> Iterator[Line]:
    """All lines, the empty ones too: they end definitions."""
    for number, whole in enumerate(source.text.split("\n"), 1):
        text = whole[: _comment(whole)].strip(BLANK)
        offset = len(whole) - len(whole.lstrip(BLANK))
        yield Line(text, source.name, number, whole.rstrip("\r"), offset)


def _comment(text: str) -> int:
    """Where a comment begins: # or ! outside of double quotes."""
    quoted = False
    for index, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char in "#!" and not quoted:
            return index
    return len(text)


def words(line: Line) -> list[Word]:
    """Words and braces of a line.

    Raises:
        Unclosed: a string is not closed.
    """
    found = []
    for piece in _PIECE.finditer(line.text):
        kind = piece.lastgroup
        if kind is None:
            continue
        place = line.place(*piece.span())
        if kind == "open":
            raise Unclosed(place)
        found.append(Word(piece[kind], place, quoted=kind in {"quoted", "single"}))
    return found
