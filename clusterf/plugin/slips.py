"""Slips: what people often leave in a file that is no TOML, told by its name.

tomllib says where it stopped, and in the words of its grammar why. Whoever pasted from a web page,
or left a merge undone, knows at once what to do when the thing itself is named.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from clusterf.model.quoting import quoted
from clusterf.plugin.positions import Span


class Slip(NamedTuple):
    """What stands there, and what to do about it."""

    span: Span
    message: str
    hint: str = ""


_CONTROLS = {
    "\0": ("zero byte", "was the file cut off, or is it not text?"),
    "\r": ("carriage return without a line feed", "lines end with LF, or with CR and LF"),
    "\x1b": ("escape character", "colours of a terminal, copied along?"),
}
_QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u00b4`"
_CONFLICT = re.compile(r"(<{7}|={7}|>{7}|\|{7})(?= |$)", re.MULTILINE)
_COMMENT = re.compile(r"//|/\*|--|;|!")
_FENCE = re.compile(r"```\w*|~~~\w*")
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\$\{\w+\}|<%.*?%>")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9_]+")
_NUMBER = "+-0123456789_"
_SETTING = re.compile(r"[A-Za-z0-9_.\"'-]+[ \t]*=")
_HEADER = re.compile(r"\[{1,2}[ \t]*[A-Za-z0-9_.\"' \t-]+\]{1,2}[ \t]*(#|$)", re.MULTILINE)
_BARE = re.compile(r"[A-Za-z0-9_.:/+-]+")
_WORD = re.compile(r"[^\s,\[\]{}#=\"']+")


def slip(text: str, offset: int) -> Slip | None:
    """What a person knows by name at the offset where the reader of TOML stopped, if anything."""
    return next((found for look in _LOOKS if (found := look(text, offset)) is not None), None)


def begins_anew(text: str, offset: int) -> bool:
    """Whether a setting or a table begins here, so that what was open before was never closed."""
    return bool(_SETTING.match(text, offset) or _at_line_start(_HEADER, text, offset))


def after_value(text: str, offset: int) -> Slip:
    """What stands behind a value where its line should end."""
    if text.startswith(",", offset):
        hint = "commas stand between the values of arrays and inline tables only"
        return Slip(Span(offset, offset + 1), 'unexpected "," after the value', hint)
    if (bare := _unquoted(text, offset)) is not None:
        return bare
    word = _WORD.match(text, offset)
    span = Span(offset, word.end() if word else offset + 1)
    hint = "one setting on each line" if _SETTING.match(text, offset) else ""
    return Slip(span, f"unexpected {quoted(text[span.start : span.end])} after the value", hint)


def not_a_value(span: Span, word: str) -> Slip:
    """A word where a value should be."""
    return Slip(span, f"{quoted(word)} is not a value", f"strings need quotes: {quoted(word)}")


def _unquoted(text: str, offset: int) -> Slip | None:
    """A string without quotes that begins like a number: 30s, 192.0.2.1."""
    start = offset
    while start > 0 and _BARE.match(text, start - 1):
        start -= 1
    match = _BARE.match(text, start)
    if start == offset or match is None or match.end() <= offset:
        return None
    return not_a_value(Span(*match.span()), match[0])


def statement(text: str, offset: int) -> Slip:
    """A line that begins like neither a setting nor a table."""
    word = _WORD.match(text, offset)
    span = Span(offset, word.end() if word else offset + 1)
    what = quoted(text[span.start : span.end])
    return Slip(span, f"{what} begins no setting and no table", "NAME = VALUE, or [TABLE]")


def _odd_character(text: str, offset: int) -> Slip | None:
    character = text[offset : offset + 1]
    span = Span(offset, offset + 1)
    if not character or character in "\t\n":
        return None
    if unicodedata.category(character) == "Cc":
        what, hint = _CONTROLS.get(character, ("control character", ""))
        return Slip(span, f"U+{ord(character):04X}, {what}, cannot stand here", hint)
    if character in _QUOTES and not text.startswith("```", offset):
        return Slip(span, f"{character} is no quote of TOML", "write \" or '")
    if character.isascii():
        return None
    name = unicodedata.name(character, "without a name").lower()
    invisible = unicodedata.category(character)[0] in "ZC"
    hint = "it looks like a space, or like nothing: write a plain one" if invisible else ""
    return Slip(span, f"U+{ord(character):04X}, {name}, cannot stand outside of quotes", hint)


def _conflict(text: str, offset: int) -> Slip | None:
    match = _at_line_start(_CONFLICT, text, offset)
    if match is None:
        return None
    return Slip(Span(*match.span()), "a merge conflict of git was left here", "keep one side of it")


def _comment(text: str, offset: int) -> Slip | None:
    match = _COMMENT.match(text, offset)
    if match is None:
        return None
    return Slip(Span(*match.span()), f"{match[0]} begins no comment", "write # in front of it")


def _fence(text: str, offset: int) -> Slip | None:
    match = _at_line_start(_FENCE, text, offset)
    if match is None:
        return None
    return Slip(Span(*match.span()), f"{match[0]} is of Markdown, around the text", "remove it")


def _template(text: str, offset: int) -> Slip | None:
    match = _TEMPLATE.match(text, offset) or _TEMPLATE.match(text, max(0, offset - 1))
    if match is None:
        return None
    return Slip(Span(*match.span()), f"{match[0]} is of a template that was not filled in")


def _leading_zero(text: str, offset: int) -> Slip | None:
    start = offset
    while start > 0 and text[start - 1] in _NUMBER:
        start -= 1
    match = _LEADING_ZERO.match(text, start)
    if match is None or _WORD.match(text, match.end()):
        return None
    number = re.sub(r"^([+-]?)[0_]+(?=[0-9])", r"\1", match[0])
    message = f"{match[0]} has a zero in front, as no number can"
    return Slip(Span(*match.span()), message, f"write {number}")


def _last_comma(text: str, offset: int) -> Slip | None:
    before = text[:offset].rstrip(" \t\n")
    if not text.startswith("}", offset) or not before.endswith(","):
        return None
    span = Span(len(before) - 1, len(before))
    return Slip(span, "an inline table has no comma behind its last value", "remove it")


def _at_line_start(pattern: re.Pattern[str], text: str, offset: int) -> re.Match[str] | None:
    begin = text.rfind("\n", 0, offset) + 1
    return pattern.match(text, offset) if not text[begin:offset].strip() else None


_LOOKS: tuple[Callable[[str, int], Slip | None], ...] = (
    _conflict,
    _fence,
    _template,
    _odd_character,
    _comment,
    _leading_zero,
    _last_comma,
)
