"""Scanner: finds the positions of the keys and values in a TOML text.

tomllib keeps no positions, so this scanner runs over the same text, and only when there is an
error to show. It expects a text that tomllib has accepted; over one that it has refused it goes
as far as it can, which tells where the fault began.
"""

from __future__ import annotations

import re
import tomllib

from clusterf.plugin.positions import Entry, KeyPath, Positions, Span

_DEEPEST = 60
"""Nesting below which single values have no position of their own; it bounds the recursion."""

_BLANK = re.compile(r"[ \t]*")
_SPACE = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d[^\s,\]}#]*")
_BARE_VALUE = re.compile(r"[^\s,\]}#=]+")
_END_BASIC = re.compile(r'\\.|"""', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]|\"\"\"|'''|\"|'|#[^\n]*")


class Stopped(ValueError):
    """The text is not TOML; ``opened``: where the innermost unclosed bracket or quote stands."""

    def __init__(self, offset: int, opened: int | None) -> None:
        super().__init__(f"stopped at offset {offset}")
        self.offset = offset
        self.opened = opened


def scan(text: str) -> Positions:
    """Positions of every key and value.

    Raises:
        Stopped: the text is not TOML; `scan_until_fault` gives what was found up to there.
    """
    scanner = _Scanner(text)
    scanner.run()
    return scanner.found


def scan_until_fault(text: str) -> tuple[Positions, Stopped | None]:
    """Like `scan`, for a text that may be broken."""
    scanner = _Scanner(text)
    try:
        scanner.run()
    except Stopped as stopped:
        return scanner.found, stopped
    return scanner.found, None


class _Scanner:
    """Recursive descent over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found = Positions()
        self._open: list[int] = []
        # Number of elements so far of each array of tables.
        self._lengths: dict[KeyPath, int] = {}

    def run(self) -> None:
        table: KeyPath = ()
        offset = self._skip(_SPACE, 0)
        while offset < len(self.text):
            if self.text[offset] == "[":
                table, offset = self._header(offset)
            else:
                offset = self._pair(table, offset, 0)
            offset = self._end_of_statement(offset)

    def _skip(self, pattern: re.Pattern[str], offset: int) -> int:
        match = pattern.match(self.text, offset)
        return match.end() if match else offset

    def _stop(self, offset: int) -> Stopped:
        return Stopped(offset, self._open[-1] if self._open else None)

    def _end_of_statement(self, offset: int) -> int:
        offset = self._skip(_BLANK, offset)
        if offset < len(self.text) and self.text[offset] not in "\n#":
            raise self._stop(offset)
        return self._skip(_SPACE, offset)

    def _expect(self, token: str, offset: int) -> int:
        if not self.text.startswith(token, offset):
            raise self._stop(offset)
        return offset + len(token)

    # --- keys ------------------------------------------------------------------------------

    def _key(self, offset: int) -> tuple[list[tuple[str, Span]], int]:
        """A dotted key: its parts with their places, and where the next token begins."""
        parts: list[tuple[str, Span]] = []
        while True:
            offset = self._skip(_BLANK, offset)
            for pattern in (_BARE_KEY, _BASIC, _LITERAL):
                if match := pattern.match(self.text, offset):
                    break
            else:
                raise self._stop(offset)
            parts.append((_unquoted(match[0]), Span(*match.span())))
            offset = self._skip(_BLANK, match.end())
            if not self.text.startswith(".", offset):
                return parts, offset
            offset += 1

    def _header(self, start: int) -> tuple[KeyPath, int]:
        array = self.text.startswith("[[", start)
        parts, offset = self._key(start + (2 if array else 1))
        end = self._expect("]]" if array else "]", offset)
        path: KeyPath = ()
        for index, (name, span) in enumerate(parts):
            path = (*path, name)
            last = index == len(parts) - 1
            if not last:
                self.found.keys.setdefault(path, span)
            elif not array:
                self.found.keys[path] = span
                self.found.values[path] = Span(start, end)
            if last and array:
                self.found.keys.setdefault(path, span)
                self.found.values.setdefault(path, Span(start, end))
                self._lengths[path] = self._lengths.get(path, 0) + 1
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        if array:
            self.found.keys[path] = parts[-1][1]
            self.found.values[path] = Span(start, end)
        self.found.entries.append(Entry(path, parts[-1][1], offset))
        return path, end

    def _pair(self, table: KeyPath, offset: int, depth: int) -> int:
        parts, offset = self._key(offset)
        offset = self._skip(_BLANK, self._expect("=", offset))
        path = table
        for name, span in parts:
            path = (*path, name)
            self.found.keys.setdefault(path, span)
        end = self._value(path, offset, depth)
        self.found.values[path] = Span(offset, end)
        self.found.entries.append(Entry(path, parts[-1][1], end))
        return end

    # --- values ----------------------------------------------------------------------------

    def _value(self, path: KeyPath, offset: int, depth: int) -> int:
        """Where the value that begins here ends; records what is inside of it."""
        opening = self.text[offset : offset + 1]
        if opening and opening in "\"'":
            return self._string(offset)
        if opening and opening in "[{":
            self._open.append(offset)
            if depth >= _DEEPEST:
                end = self._skip_nested(offset)
            elif opening == "[":
                end = self._array(path, offset, depth + 1)
            else:
                end = self._inline_table(path, offset, depth + 1)
            self._open.pop()
            return end
        match = _DATE_TIME.match(self.text, offset) or _BARE_VALUE.match(self.text, offset)
        if match is None:
            raise self._stop(offset)
        return match.end()

    def _string(self, offset: int) -> int:
        self._open.append(offset)
        quotes = self.text[offset : offset + 3]
        if quotes in {'"""', "'''"}:
            end = self._long_string(quotes, offset + 3)
        else:
            match = (_BASIC if quotes[0] == '"' else _LITERAL).match(self.text, offset)
            if match is None:
                raise self._stop(offset)
            end = match.end()
        self._open.pop()
        return end

    def _long_string(self, quotes: str, offset: int) -> int:
        if quotes == "'''":
            end = self.text.find(quotes, offset)
        else:
            end = -1
            for match in _END_BASIC.finditer(self.text, offset):
                if match[0] == quotes:
                    end = match.start()
                    break
        if end < 0:
            raise self._stop(len(self.text))
        end += 3
        # Up to two quotes of the content may stand directly before the closing three.
        for _ in range(2):
            if self.text.startswith(quotes[0], end):
                end += 1
        return end

    def _array(self, path: KeyPath, start: int, depth: int) -> int:
        index = 0
        offset = self._skip(_SPACE, start + 1)
        while not self.text.startswith("]", offset):
            end = self._value((*path, index), offset, depth)
            self.found.values[(*path, index)] = Span(offset, end)
            index += 1
            offset = self._skip(_SPACE, end)
            if self.text.startswith(",", offset):
                offset = self._skip(_SPACE, offset + 1)
            elif not self.text.startswith("]", offset):
                raise self._stop(offset)
        return offset + 1

    def _inline_table(self, path: KeyPath, start: int, depth: int) -> int:
        offset = self._skip(_BLANK, start + 1)
        while not self.text.startswith("}", offset):
            offset = self._skip(_BLANK, self._pair(path, offset, depth))
            if self.text.startswith(",", offset):
                offset = self._skip(_BLANK, offset + 1)
            elif not self.text.startswith("}", offset):
                raise self._stop(offset)
        return offset + 1

    def _skip_nested(self, offset: int) -> int:
        """Past the bracket that closes the one here, without recursion."""
        depth = 0
        while match := _BRACKET.search(self.text, offset):
            mark, offset = match[0], match.end()
            if mark[0] in "\"'":
                offset = self._string(match.start())
            elif mark in "[{":
                depth += 1
            elif mark in "]}":
                depth -= 1
                if depth == 0:
                    return offset
        raise self._stop(len(self.text))


def _unquoted(text: str) -> str:
    if text[0] == "'":
        return text[1:-1]
    if text[0] != '"':
        return text
    try:
        value = tomllib.loads(f"key = {text}")["key"]
    except tomllib.TOMLDecodeError:
        return text[1:-1]  # only in a text that is broken anyway
    return str(value)
