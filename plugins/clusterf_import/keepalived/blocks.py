"""The tree of a keepalived.conf: statements, some of them with a block of further ones. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from clusterf_import.keepalived.lines import Line, Unclosed, Word, words
from clusterf_import.places import Findings, Place

DEPTH_MAX = 16

ROOTS = frozenset({"global_defs", "virtual_server", "virtual_server_group", "vrrp_instance"})
"""Blocks that are never within another: where one is, a brace is missing before it."""


@dataclass(slots=True)
class Statement:
    """A keyword with its arguments, and what is in its braces (None: it has none)."""

    words: list[Word]
    block: list[Statement] | None = None

    @property
    def keyword(self) -> str:
        """First word."""
        return self.words[0].text

    @property
    def arguments(self) -> list[str]:
        """Other words."""
        return [word.text for word in self.words[1:]]

    @property
    def place(self) -> Place:
        """Place of the keyword."""
        return self.words[0].place

    def argument(self, index: int) -> Place:
        """Place of an argument, counted from 0; of the keyword where it is missing."""
        return self.words[min(index + 1, len(self.words) - 1)].place

    @property
    def all_words(self) -> Place:
        """Place of the whole statement, without its block."""
        first, last = self.words[0].place, self.words[-1].place
        if last[:2] != first[:2] or last.column < first.column:
            return first
        return first._replace(length=last.column + last.length - first.column)

    def __str__(self) -> str:
        return " ".join(_written(word) for word in self.words)


def _written(word: Word) -> str:
    plain = word.text and not any(char in ' \t"{}#!' for char in word.text)
    return word.text if plain else f'"{word.text}"'


@dataclass(slots=True)
class _Open:
    """A block that is being read."""

    statement: Statement | None
    inside: list[Statement]
    brace: Place | None = None


@dataclass(slots=True)
class Tree:
    """What was read. ``broken``: braces or quotes do not match, so nothing can be relied upon."""

    statements: list[Statement] = field(default_factory=list)
    broken: bool = False


def tree(lines: Iterable[Line], findings: Findings) -> Tree:
    """Read all lines. A statement ends with its line, and its block may begin in the next one."""
    return _Parser(findings).parse(lines)


class _Parser:
    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._tree = Tree()
        self._open = [_Open(None, self._tree.statements)]
        self._last: Statement | None = None

    def parse(self, lines: Iterable[Line]) -> Tree:
        for line in lines:
            self._line(line)
        for block in self._open[1:]:
            self._unclosed(block, "the file ends inside of it")
        return self._tree

    def _line(self, line: Line) -> None:
        try:
            found = words(line)
        except Unclosed as error:
            self._fault(error.place, "string is not closed", "it ends with its line")
            return
        statement: list[Word] = []
        for word in found:
            if word.opens or word.closes:
                self._end(statement)
                statement = []
                if word.opens:
                    self._begin_block(word)
                else:
                    self._end_block(word)
            else:
                statement.append(word)
        self._end(statement)

    def _end(self, found: list[Word]) -> None:
        if found and found[-1].text == "\\" and not found[-1].quoted:
            # What is left of a definition that goes on in the next line.
            found = found[:-1]
        if not found:
            return
        self._last = Statement(found)
        if len(self._open) > 1 and found[0].text in ROOTS and not found[0].quoted:
            hint = f"{found[0].text} begins in line {found[0].place.line}"
            while len(self._open) > 1:
                self._unclosed(self._open.pop(), hint)
        self._open[-1].inside.append(self._last)

    def _begin_block(self, brace: Word) -> None:
        statement = self._last
        if statement is None:
            self._fault(brace.place, "{ stands behind no keyword")
            # What is in it is read and belongs to nobody.
            statement = Statement([brace])
        elif len(self._open) > DEPTH_MAX:
            self._fault(brace.place, f"blocks are nested more than {DEPTH_MAX} deep")
        statement.block = []
        self._open.append(_Open(statement, statement.block, brace.place))
        self._last = None

    def _end_block(self, brace: Word) -> None:
        if len(self._open) == 1:
            self._fault(brace.place, "} closes nothing")
        else:
            self._open.pop()
        self._last = None

    def _unclosed(self, block: _Open, hint: str) -> None:
        if block.brace is not None and block.statement is not None:
            self._fault(block.brace, f"block of {block.statement.keyword} is not closed", hint)

    def _fault(self, place: Place, message: str, hint: str = "") -> None:
        self._tree.broken = True
        self._findings.error(place, message, hint)


def flattened(statement: Statement) -> str:
    """A statement in one line, ``HTTP_GET { url { path /; status_code 200 }; retry 3 }``."""
    return "".join(_flat(statement))


def _flat(statement: Statement, depth: int = 0) -> Iterator[str]:
    yield str(statement)
    if statement.block is None:
        return
    yield " {"
    for index, inner in enumerate(statement.block):
        yield "; " if index else " "
        if depth < DEPTH_MAX:
            yield from _flat(inner, depth + 1)
    yield " }"
