"""What people leave in files that are no TOML, each by its name and at its place."""

from __future__ import annotations

import pytest

from clusterf.plugin.document import Document, DocumentError


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        # copied along
        ("a\u00a0= 1", 1, 2, "U+00A0, no-break space, cannot stand outside of quotes", "plain"),
        ("a = 1\u200b", 1, 6, "U+200B, zero width space, cannot", "like nothing"),
        ("a = “x”", 1, 5, "“ is no quote of TOML", "write"),
        ("a = `x`", 1, 5, "` is no quote of TOML", "write"),
        ("\x1b[1ma = 1", 1, 1, "U+001B, escape character, cannot stand here", "terminal"),
        ("```toml\na = 1\n```", 1, 1, "```toml is of Markdown", "remove"),
        # left behind
        ("a = 1\n<<<<<<< HEAD\n", 2, 1, "a merge conflict of git was left here", "one side"),
        ("a = 1\n=======\n", 2, 1, "a merge conflict of git was left here", "one side"),
        ("a = 1\n:wq\n", 2, 1, '":wq" begins no setting and no table', "NAME = VALUE"),
        ("a = ${B}", 1, 5, "${B} is of a template that was not filled in", ""),
        ("a = {{ b }}", 1, 5, "{{ b }} is of a template that was not filled in", ""),
        ("{% if b %}", 1, 1, "{% if b %} is of a template that was not filled in", ""),
        ("a = 1\n\0\0", 2, 1, "U+0000, zero byte, cannot stand here", "cut off"),
        ("a = 1\rb = 2", 1, 6, "U+000D, carriage return without a line feed", "LF"),
        ("a = 1\n\x07", 2, 1, "U+0007, control character, cannot stand here", ""),
        # by habit, of another language
        ("// why", 1, 1, "// begins no comment", "#"),
        ("; why", 1, 1, "; begins no comment", "#"),
        ("! why", 1, 1, "! begins no comment", "#"),
        ("a = 1,\nb = 2", 1, 6, 'unexpected "," after the value', "commas"),
        ("a = 1 b = 2", 1, 7, 'unexpected "b" after the value', "one setting on each line"),
        ("a = 1 b", 1, 7, 'unexpected "b" after the value', ""),
        ("a = 30s", 1, 5, '"30s" is not a value', 'strings need quotes: "30s"'),
        ("a = 192.0.2.1", 1, 5, '"192.0.2.1" is not a value', "quotes"),
        ("a = 0080", 1, 5, "0080 has a zero in front", "write 80"),
        ("a = { b = 010 }", 1, 11, "010 has a zero in front", "write 10"),
        ("a = { b = 1, }", 1, 12, "an inline table has no comma behind its last value", "remove"),
        # between the values of an array
        ('a = [\n "b",\n "c"\n "d",\n]', 4, 2, 'there is no "," between two values', "line 1"),
        ("a = [[1] [2]]", 1, 10, 'there is no "," between two values', "line 1"),
        ("a = [1 // two\n, 2]", 1, 8, "// begins no comment", "#"),
        ("a = [1\nb = 2", 1, 5, "array is not closed", "a table or a setting"),
        ("a = [1\n[b]", 1, 5, "array is not closed", "a table or a setting"),
        ("a = [1\n[[b.c]] # d", 1, 5, "array is not closed", "a table or a setting"),
        # the first of two
        ("a = „b“\nc = [", 1, 5, "„ is no quote of TOML", "write"),
    ],
)
def test_what_is_told(text: str, line: int, column: int, message: str, hint: str) -> None:
    with pytest.raises(DocumentError) as caught:
        Document.parse("a.toml", text.encode())
    problem = caught.value.problem
    assert (problem.line, problem.column) == (line, column)
    assert problem.message.startswith(message)
    assert hint in problem.hint
    assert bool(problem.hint) == bool(hint)


@pytest.mark.parametrize(
    "text",
    ['a = "// “ ; <<<<<<< ${B} \u00a0"', "a = 0", "a = -0.5", "a = 0x0F", "a = [1, # ; why\n]"],
)
def test_what_looks_like_one_and_is_none(text: str) -> None:
    assert "a" in Document.parse("a.toml", text.encode()).data
