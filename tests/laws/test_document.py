"""Laws of TOML documents: every value has its place, and no bytes at all end in a traceback."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clusterf.plugin.document import Document, DocumentError
from clusterf.plugin.positions import KeyPath, Span
from clusterf.plugin.scanner import scan

BARE = st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True)
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=0, max_size=6
)


def basic(text: str) -> str:
    escaped = "".join(
        char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in text
    )
    return f'"{escaped}"'


@st.composite
def keys(draw: st.DrawFn) -> tuple[str, str]:
    """A key, and how it is written."""
    if draw(st.booleans()):
        name = draw(BARE)
        return name, name
    name = draw(TEXT)
    return name, basic(name)


LITERALS = st.sampled_from(
    [
        "1", "-0", "0xff", "1_000", "1.5e3", "inf", "-nan", "true", "false",
        "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.999-07:00", "1979-05-27", "07:32:00",
        "'a ] # b'", '"x = [ \\" ]"', "''", '""', '"""a\n"b" \\""""', "'''x\n''y'''",
        '"""\n[no.header]\nkey = 1\n"""', "'''a''''", '"""a\\\n   b"""', '""""quoted"""""',
    ]
)  # fmt: skip
SPACE = st.sampled_from(["", " ", "\t", "  "])
BREAK = st.sampled_from(["", " ", "\n", " # ] } , = [x]\n", "\n\n\t"])


@st.composite
def values(draw: st.DrawFn, depth: int = 0) -> str:
    kind = draw(st.integers(0, 3 if depth < 3 else 1))
    if kind <= 1:
        return draw(LITERALS)
    if kind == 2:
        items = draw(st.lists(values(depth + 1), max_size=3))
        body = "".join(draw(BREAK) + item + draw(BREAK) + "," for item in items)
        if items and draw(st.booleans()):
            body = body[:-1]
        return "[" + body + draw(BREAK) + "]"
    pairs = draw(st.lists(st.tuples(keys(), values(depth + 1)), max_size=3))
    return "{" + ", ".join(f"{key[1]}{draw(SPACE)}={draw(SPACE)}{one}" for key, one in pairs) + "}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Texts of which most are TOML: tables, arrays of tables, dotted keys, everything nested."""
    lines: list[str] = []
    for _ in range(draw(st.integers(0, 6))):
        parts = draw(st.lists(keys(), min_size=1, max_size=3))
        dot = draw(SPACE) + "." + draw(SPACE)
        name = dot.join(part[1] for part in parts)
        kind = draw(st.integers(0, 4))
        if kind == 0:
            lines.append(f"[{name}]")
        elif kind == 1:
            lines.append(f"{draw(SPACE)}[[{draw(SPACE)}{name}{draw(SPACE)}]] # [x]")
        else:
            lines.append(f"{draw(SPACE)}{name}{draw(SPACE)}={draw(SPACE)}{draw(values())}")
        lines.extend(draw(st.lists(st.sampled_from(["", "# a = 1", "\t"]), max_size=1)))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


def value_at(text: str, span: Span) -> object:
    return tomllib.loads(f"v = {text[span.start : span.end]}")["v"]


@given(documents())
def test_every_leaf_has_its_place(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    text = text.replace("\r\n", "\n")
    positions = scan(text)
    for path, value in leaves(data):
        if not path:
            continue
        if isinstance(path[-1], str):
            key = positions.keys[path]
            written = text[key.start : key.end]
            assert list(tomllib.loads(f"{written} = 1")) == [path[-1]]
        if path in positions.values and not isinstance(value, dict):
            assert repr(value_at(text, positions.values[path])) == repr(value)
        else:
            # Only tables without a header or braces have no value of their own.
            assert isinstance(value, dict)
            assert positions.value(path) is not None


@given(documents(), st.integers(0, 400))
def test_a_document_cut_short_has_a_place_or_is_right(text: str, length: int) -> None:
    content = text.encode()[:length]
    try:
        Document.parse("a.toml", content)
    except DocumentError as error:
        _is_inside(error, content)


@given(st.binary(max_size=60))
def test_any_bytes_have_a_place_or_are_right(content: bytes) -> None:
    try:
        Document.parse("a.toml", content)
    except DocumentError as error:
        _is_inside(error, content)


@given(st.text(st.sampled_from("ab=.[]{},\"'\\#\n 1"), max_size=30))
def test_any_toml_like_text_has_a_place_or_is_right(text: str) -> None:
    try:
        Document.parse("a.toml", text.encode())
    except DocumentError as error:
        _is_inside(error, text.encode())


def _is_inside(error: DocumentError, content: bytes) -> None:
    problem = error.problem
    lines = content.decode(errors="replace").replace("\r\n", "\n").split("\n")
    assert 1 <= problem.line <= len(lines)
    assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    assert problem.length >= 1
    assert problem.message
