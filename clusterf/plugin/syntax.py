"""What tomllib refuses, said so that the person who wrote it finds it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clusterf.model.problem import Code
from clusterf.model.quoting import quoted
from clusterf.plugin.positions import Entry, KeyPath, Lines, Positions, Span
from clusterf.plugin.scanner import Stopped, scan_until_fault
from clusterf.plugin.slips import Slip, after_value, begins_anew, not_a_value, slip, statement

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_LONG_NUMBER = re.compile(r"[0-9][0-9_]{4000,}")
_WORD = re.compile(r"[A-Za-z0-9_./:+-]+")
_TWICE = ("Cannot overwrite", "Cannot declare", "Cannot redefine", "Cannot mutate", "Duplicate")
_TRUTHS = dict.fromkeys(("true", "yes", "on"), "true") | dict.fromkeys(
    ("false", "no", "off"), "false"
)
_DEEP = 50


@dataclass(frozen=True, slots=True)
class Flaw:
    """One syntax error: where in the text, and what to tell."""

    span: Span
    message: str
    hint: str = ""
    code: str = Code.SYNTAX
    path: KeyPath = ()


def explain(text: str, error: Exception) -> Flaw:
    """Tell what tomllib's exception means, and where the fault began."""
    if isinstance(error, RecursionError):
        return Flaw(_deepest(text), "is nested too deeply")
    told = _PLACE.search(str(error))
    if told is None:
        # int() refuses numbers of thousands of digits, with no place.
        number = _LONG_NUMBER.search(text)
        return Flaw(Span(*number.span()) if number else Span(0, 0), "number is out of range")
    message = str(error)[: told.start()]
    offset = _offset(text, told)
    found, stopped = scan_until_fault(text)
    if message.startswith(_TWICE):
        return _twice(text, found, offset, message)
    if opened := _unclosed(text, message, offset, stopped):
        return opened
    return _plain(text, offset, message)


def _offset(text: str, told: re.Match[str]) -> int:
    if told[1] is None:
        return len(text.rstrip())
    offset = 0
    for _ in range(int(told[1]) - 1):
        offset = text.index("\n", offset) + 1
    return offset + int(told[2]) - 1


def _twice(text: str, found: Positions, offset: int, message: str) -> Flaw:
    """The second definition, with the line of the first."""
    again = next((entry for entry in found.entries if entry.end == offset), None)
    if again is None:
        return _plain(text, offset, message)
    path = tuple(part for part in again.path if isinstance(part, str))
    for length in range(len(again.path), 0, -1):
        first = _defined_before(found, again, length)
        if first is None:
            continue
        line, _ = Lines(text).place(first.start)
        if length == len(again.path):
            return Flaw(
                again.key, "is defined twice", f"first in line {line}", Code.DEFINED_TWICE, path
            )
        return Flaw(
            again.key,
            "cannot be added to a table or an array that is complete",
            f"it was in line {line}",
            Code.DEFINED_TWICE,
            path,
        )
    return Flaw(again.key, _lower(message), code=Code.DEFINED_TWICE, path=path)


def _defined_before(found: Positions, again: Entry, length: int) -> Span | None:
    """An earlier definition of the first ``length`` parts of this path, or of what is below."""
    for entry in found.entries:
        if entry.path[:length] == again.path[:length] and entry.key.start < again.key.start:
            return entry.key
    return None


def _unclosed(text: str, message: str, offset: int, stopped: Stopped | None) -> Flaw | None:
    """An array, inline table or string whose end is missing: the fault is at its beginning."""
    if stopped is None or stopped.opened is None or offset < stopped.opened:
        return None
    opening = text[stopped.opened]
    ended = not text[stopped.offset :].strip() if stopped.offset < len(text) else True
    hint = "the file ends inside of it" if ended else ""
    if opening == "[" and message.startswith("Unclosed array") and not ended:
        return _array(text, stopped.opened, stopped.offset)
    if opening == "[" and ended:
        return Flaw(Span(stopped.opened, stopped.opened + 1), "array is not closed", hint)
    if found := slip(text, offset):
        return _flaw(found)
    if opening == "{" and (message.startswith("Unclosed inline") or ended):
        return Flaw(Span(stopped.opened, stopped.opened + 1), "inline table is not closed", hint)
    if opening == "{" and text[stopped.offset] == "\n":
        whole = Span(stopped.opened, stopped.offset)
        return Flaw(whole, "inline table is not closed on its line", "write it as [a.table]")
    if opening in "\"'" and ("Unterminated" in message or "'\\n'" in message or ended):
        size = 3 if text.startswith(opening * 3, stopped.opened) else 1
        return Flaw(Span(stopped.opened, stopped.opened + size), "string is not closed", hint)
    return None


def _array(text: str, opened: int, offset: int) -> Flaw:
    """An array with something in it where a comma or its end should be."""
    line, _ = Lines(text).place(opened)
    if begins_anew(text, offset):
        what = "a table or a setting begins before its end"
        return Flaw(Span(opened, opened + 1), "array is not closed", what)
    if found := slip(text, offset):
        return _flaw(found)
    span = Span(offset, offset + 1)
    return Flaw(span, 'there is no "," between two values', f"of the array in line {line}")


def _flaw(found: Slip) -> Flaw:
    return Flaw(found.span, found.message, found.hint)


def _plain(text: str, offset: int, message: str) -> Flaw:
    if message.startswith("Unescaped"):
        # tomllib stands behind the character that follows the backslash.
        offset -= 2
        return Flaw(
            Span(offset, offset + 2),
            f"{text[offset : offset + 2]} is not an escape sequence",
            "write \\\\, or put the string in single quotes",
        )
    word = _WORD.match(text, offset)
    span = Span(offset, word.end() if word else offset + 1)
    if text.startswith("\ufeff"):
        return Flaw(Span(0, 1), "file begins with a byte order mark", "save it without one")
    if found := slip(text, offset):
        return _flaw(found)
    if message == "Invalid value":
        if word is None:
            return Flaw(span, "value is missing or malformed")
        return _flaw(_boolean(span, word[0]) or not_a_value(span, word[0]))
    if message.startswith("Expected newline or end of document"):
        return _flaw(after_value(text, offset))
    if message.startswith("Expected '=' after a key"):
        return Flaw(span, 'a key and its value are written with "=" between them')
    if message == "Invalid statement":
        return _flaw(statement(text, offset))
    return Flaw(span, _lower(message))


def _boolean(span: Span, word: str) -> Slip | None:
    """A truth value in the words of YAML, Python or an INI file."""
    meant = _TRUTHS.get(word.lower())
    return Slip(span, f"{quoted(word)} is not a value", f"did you mean {meant}?") if meant else None


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _deepest(text: str) -> Span:
    """Where the nesting becomes absurd; strings and comments are not looked at that closely."""
    depth = 0
    for match in re.finditer(r"[\[\]{}]", text):
        depth += 1 if match[0] in "[{" else -1
        if depth > _DEEP:
            return Span(*match.span())
    return Span(0, 1)
