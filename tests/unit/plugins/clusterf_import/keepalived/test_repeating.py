from __future__ import annotations

import pytest

from clusterf_import.keepalived.repeating import Malformed, repeated


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("~SEQ(A, 3) x", ["1", "2", "3"]),
        ("~SEQ(A, -2) x", ["-1", "-2"]),
        ("~SEQ(A, 0, 3) x", ["0", "1", "2", "3"]),
        ("~SEQ(A, 3, 1) x", ["3", "2", "1"]),
        ("~SEQ (A, 0, 2, 5) x", ["0", "2", "4"]),
        ("~SEQ(A, 4, -2, 0) x", ["4", "2", "0"]),
        ("~SEQx(A, 0x90, 0x10, 0xb0) x", ["90", "a0", "b0"]),
        ("~LST(A, 5, b) x", ["5", "b"]),
    ],
)
def test_values(text: str, values: list[str]) -> None:
    found = repeated(text)
    assert found is not None
    assert found.names == ("A",)
    assert [value for (value,) in found.rounds] == values
    assert found.rest == "x"


def test_several_names_at_a_time() -> None:
    found = repeated("~LST({A, B}, {1,2},{3, 4}) ${A}.${B}")
    assert found is not None
    assert found == (("A", "B"), [("1", "2"), ("3", "4")], "${A}.${B}")


@pytest.mark.parametrize("text", ["a", "~", "~ABC(1)", ""])
def test_other_lines_are_none(text: str) -> None:
    assert repeated(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "~SEQ", "~SEQ(A, 1", "~SEQ()", "~SEQ(A)", "~SEQ(1, 2)", "~SEQ(A, b)", "~SEQ(A, 1, 0, 2)",
        "~SEQ(A, 1, -1, 2)", "~SEQ(A, 1, 2, 3, 4)", "~SEQx(A, -1, 3)", "~SEQ(A, 1, 1000000)",
        "~SEQ(A, 99999999999999999999999999)", "~LST(A)", "~LST({A,B}, {1})", "~LST(, 1)",
        "~LST({}, {1})",
    ],
)  # fmt: skip
def test_nonsense(text: str) -> None:
    with pytest.raises(Malformed):
        repeated(text)
