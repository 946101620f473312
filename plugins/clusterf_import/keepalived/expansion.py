"""From files to the lines that keepalived sees: conditions, definitions, repeats and includes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from clusterf_import.files import Unreadable
from clusterf_import.keepalived.definitions import (
    Definition,
    Replaced,
    TooMuch,
    continued,
    defined,
    replace,
)
from clusterf_import.keepalived.lines import Line, Source, lines
from clusterf_import.keepalived.repeating import Malformed, Repeated, repeated
from clusterf_import.places import Findings, Place

LINES_MAX = 200_000
"""Lines of all files with everything put in. More is a definition that contains itself."""

DEPTH_MAX = 40
"""Files, definitions and repeats within one another."""

_CONDITION = re.compile(r"@(\^?)([^ \t]*)[ \t]*")
_INCLUDE = re.compile(r'include[rmwba]?[ \t]+(?P<name>"[^"]*"|[^ \t"]+)')
"""Taken before braces are looked for: a pattern may have some."""


Find = Callable[[str, str], Iterable[Source]]
"""Files that a pattern means, seen from a folder; raises `Unreadable` where there is none."""


@dataclass(slots=True)
class Expansion:
    """One reading of a configuration. ``identity`` is keepalived's ``--config-id``."""

    identity: str
    find: Find
    findings: Findings
    broken: bool = False
    _definitions: dict[str, Definition] = field(default_factory=dict)
    _left: int = LINES_MAX
    _skipped: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name, text in (("_INSTANCE", self.identity), ("_HASH", "#"), ("_BANG", "!")):
            self._define(name, text)
        # A random number says nothing of virtual servers; it must not look like a block.
        self._define("_RANDOM", "0")

    def _define(self, name: str, text: str) -> None:
        self._definitions[name] = Definition((Line(text, "", 0, text, -1),))

    def read(self, source: Source) -> Iterator[Line]:
        """All lines of a file and of those that it includes."""
        yield from self._file(source, 0)

    def _file(self, source: Source, depth: int) -> Iterator[Line]:
        folder = self._definitions.get("_PWD")
        self._define("_PWD", source.folder)
        gathered: tuple[str, list[Line]] | None = None
        for line in lines(source):
            if gathered is not None:
                gathered = self._gather(*gathered, line)
            elif line.text:
                for one in self._expanded(line, source, depth):
                    opened = self._opened(one)
                    if opened is None:
                        yield one
                    else:
                        gathered = opened
        if folder is not None:
            self._definitions["_PWD"] = folder

    # --- definitions of several lines ------------------------------------------------------------

    def _opened(self, line: Line) -> tuple[str, list[Line]] | None:
        """The beginning of a definition that goes on in the next line."""
        definition = defined(line)
        if definition is None:
            return None
        name, value = definition
        first = continued(value.text)
        self._definitions[name] = Definition(
            tuple(self._kept([value._replace(text=first or "")])), many=True
        )
        return name, list(self._definitions[name].lines)

    def _gather(self, name: str, so_far: list[Line], line: Line) -> tuple[str, list[Line]] | None:
        text = continued(line.text)
        so_far += self._kept([line if text is None else line._replace(text=text)])
        # As in keepalived, an empty line ends it as well.
        self._definitions[name] = Definition(tuple(so_far), many=True)
        return None if text is None else (name, so_far)

    @staticmethod
    def _kept(given: list[Line]) -> list[Line]:
        return [line for line in given if line.text]

    # --- one line --------------------------------------------------------------------------------

    def _expanded(self, line: Line, source: Source, depth: int) -> Iterator[Line]:
        """Lines that one line stands for; a definition that goes on in the next is given back."""
        if depth > DEPTH_MAX and self._left > 0:
            self._stop(line.place(), f"nested more than {DEPTH_MAX} deep")
        current: Line | None = line
        while current is not None and not self._spent(current):
            if current.text.startswith("@"):
                current = self._condition(current)
            elif (definition := defined(current)) is not None:
                yield from self._definition(current, *definition)
                return
            elif (found := self._repeated(current)) is not None:
                yield from self._rounds(current, found, source, depth)
                return
            else:
                replaced = self._replaced(current)
                if replaced.further:
                    for one in (replaced.line, *replaced.further):
                        yield from self._expanded(one, source, depth + 1)
                    return
                if replaced.line.text == current.text:
                    yield from self._plain(current, source, depth)
                    return
                current = replaced.line

    def _definition(self, line: Line, name: str, value: Line) -> Iterator[Line]:
        if continued(value.text) is not None:
            yield line
        else:
            self._definitions[name] = Definition((value,))

    def _replaced(self, line: Line) -> Replaced:
        try:
            return replace(line, self._definitions)
        except TooMuch as error:
            self._stop(line.place(), str(error))
            return Replaced(line)

    def _spent(self, line: Line) -> bool:
        self._left -= 1
        if self._left == 0:
            self._stop(line.place(), f"all in all there are more than {LINES_MAX} lines")
        return self._left <= 0

    def _stop(self, place: Place, message: str) -> None:
        self.broken = True
        self._left = 0
        self.findings.error(place, message, "does something contain itself?")

    def _condition(self, line: Line) -> Line | None:
        """What is behind ``@id`` or ``@^id``, or None where it is for somebody else."""
        match = _CONDITION.match(line.text)
        if match is None or match.end() == len(line.text):
            return None
        if (match[2] == self.identity) is not (match[1] == "^"):
            return line.after(match.end())
        if match[2] not in self._skipped:
            self._skipped.add(match[2])
            others = "all but " if match[1] else ""
            self.findings.warning(
                line.place(0, len(match[0].rstrip())),
                f"lines for {others}{match[2]} are left out: this is {self.identity}",
                "--config-id NAME, as keepalived was given it",
            )
        return None

    def _repeated(self, line: Line) -> Repeated | None:
        try:
            return repeated(self._parameters(line.text))
        except Malformed as error:
            self.findings.error(line.place(), f"{error}; the line is left out")
            return Repeated((), (), "")

    def _rounds(self, line: Line, found: Repeated, source: Source, depth: int) -> Iterator[Line]:
        for values in found.rounds:
            if self._left <= 0:
                break
            for name, value in zip(found.names, values, strict=True):
                self._define(name, value)
            yield from self._expanded(line.replaced(found.rest), source, depth + 1)

    def _parameters(self, text: str) -> str:
        """Put definitions into the parentheses, and leave the rest for each round."""
        head, bracket, rest = text.partition(")")
        inside = Line(head, "", 0, head, -1)
        try:
            return replace(inside, self._definitions).line.text + bracket + rest
        except TooMuch:
            return text

    def _plain(self, line: Line, source: Source, depth: int) -> Iterator[Line]:
        """A line that stands for itself, or for a file."""
        match = _INCLUDE.fullmatch(line.text)
        if match is None:
            if line.text:
                yield line
            return
        pattern = match["name"].strip('"')
        try:
            for one in self.find(pattern, source.folder):
                yield from self._file(one, depth + 1)
        except Unreadable as error:
            place = line.place(*match.span("name"))
            if any(sign in pattern for sign in "*?["):
                # A folder of files that may be there is usual; keepalived goes on, too.
                self.findings.warning(place, str(error))
            else:
                self.findings.error(place, str(error), "what is in it is not imported")
