"""Single sentences; the golden files show them whole."""

from __future__ import annotations

import pytest

from clusterf.model.quoting import quoted
from clusterf.plugin.document import Document, DocumentError


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a = 1\na = 2", 2, 1, "is defined twice"),
        ("a.b = 1\na = 2", 2, 1, "is defined twice"),
        ("a = [\n 1,\n]\nb = 2\na = [\n 1,\n]\n", 5, 1, "is defined twice"),
        ("[[a]]\n[a]", 2, 2, "is defined twice"),
        ("a = []\n[[a]]", 2, 3, "cannot be added to a table or an array"),
        ("[a]\nb.c = 1\n[a.b.d]\n[a.b]", 4, 4, "is defined twice"),
        ("a = {}\na.b = 1", 2, 3, "cannot be added to a table"),
        ("a = { b = { c = 1 }, b.d = 2 }", 1, 24, "cannot be added to a table"),
        ("a = yes", 1, 5, '"yes" is not a value'),
        ("a =\nb = 1", 1, 4, "value is missing or malformed"),
        ('a = "x\ny"', 1, 5, "string is not closed"),
        ("a = 'x\ny'", 1, 5, "string is not closed"),
        ("a = '''x\ny", 1, 5, "string is not closed"),
        ("a = [1, [2, 3]\nb = 1", 1, 5, "array is not closed"),
        ("a = { b = 1", 1, 5, "inline table is not closed"),
        ("a = 1979-02-30", 1, 5, "invalid date or datetime"),
        ('"a" b = 1', 1, 5, 'a key and its value are written with "=" between them'),
        ("= 1", 1, 1, '"=" begins no setting and no table'),
        ("a = 1 # \x01", 1, 9, "U+0001, control character, cannot stand here"),
    ],
)
def test_place_and_message(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        Document.parse("a.toml", text.encode())
    problem = caught.value.problem
    assert problem.message.startswith(message)
    assert (problem.line, problem.column) == (line, column)


def test_quoted_is_short_and_printable() -> None:
    assert quoted('a"b\n') == '"a\\"b\\n"'
    assert len(quoted("x" * 1000)) == 62
