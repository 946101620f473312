from __future__ import annotations

import os
from pathlib import Path

import pytest

from clusterf.model.problem import Code, Severity
from clusterf.plugin.document import SIZE_MAX, Document, DocumentError, Fault, dotted

SAMPLE = Path(__file__).parents[3] / "clusterf.toml"


def refused(content: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        Document.parse("a.toml", content)
    return str(caught.value)


def test_sample_cut_short_at_every_byte_has_a_place_or_is_right() -> None:
    content = SAMPLE.read_bytes()
    refusals = []
    for length in range(len(content)):
        try:
            Document.parse("a.toml", content[:length])
        except DocumentError as error:
            refusals.append((content[:length].count(b"\n") + 1, error.problem))
    assert len(refusals) > 100
    for last_line, problem in refusals:
        assert 1 <= problem.line <= last_line
        assert problem.column >= 1
        assert problem.message


def test_values_and_places() -> None:
    document = Document.parse("a.toml", b'[a.b]\nc = [1, "x"]\r\nd = { e = 2 }\n')
    assert document.data == {"a": {"b": {"c": [1, "x"], "d": {"e": 2}}}}
    assert document.place(("a", "b", "c")) == (2, 1)
    problem = document.problem(Fault(("a", "b", "c", 1), "is bad", "be good", Code.MALFORMED))
    assert str(problem) == "a.toml:2:9: error[C106]: a.b.c[1]: is bad"
    assert (problem.length, problem.source) == (3, 'c = [1, "x"]')
    assert document.place(("a", "b", "d", "e")) == (3, 7)


def test_missing_key_is_a_fault_of_the_table() -> None:
    document = Document.parse("a.toml", b"x = 1\n [ a . b ]\n")
    problem = document.problem(Fault(("a", "b"), 'missing key "c"', missing="c"))
    assert (problem.line, problem.column, problem.length, problem.path) == (2, 2, 9, "a.b.c")


def test_what_has_no_place_takes_the_nearest_above() -> None:
    document = Document.parse("a.toml", b"\n[a]\nb = 1\n")
    assert document.problem(Fault(("a", "b", 3, "x"), "?")).line == 3
    assert document.problem(Fault(("z",), "?")).line == 1


def test_problems_come_in_the_order_of_the_file() -> None:
    document = Document.parse("a.toml", b"a = 1\nb = 2\n")
    found = document.problems([Fault(("b",), "?"), Fault(("a",), "?").as_warning()])
    assert [problem.line for problem in found] == [1, 2]
    assert found[0].severity is Severity.WARNING


def test_dotted() -> None:
    assert dotted(("a", 0, "b c", "d-e_1", "")) == 'a[0]."b c".d-e_1.""'
    assert dotted(()) == ""


def test_not_utf8_has_its_line_and_column_in_characters() -> None:
    assert refused("a = 1\nä = '".encode() + b"\xff'\n") == (
        "a.toml:2:6: error[C002]: byte 0xff is not UTF-8"
    )


def test_directory(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"error\[C001\]: cannot be read: is a directory$"):
        Document.read(tmp_path)


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"cannot be read: no such file or directory$"):
        Document.read(tmp_path / "none")


def test_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DocumentError, match=r"not a regular file$"):
        Document.read(tmp_path / "pipe")


def test_file_name_with_nul_is_no_traceback() -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        Document.read(Path("a\0b"))


def test_too_large(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(SIZE_MAX + 1)
    with pytest.raises(DocumentError, match=r"larger than 64 MiB$"):
        Document.read(path)
