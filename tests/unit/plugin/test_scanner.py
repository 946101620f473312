from __future__ import annotations

import pytest

from clusterf.plugin.positions import Lines
from clusterf.plugin.scanner import Stopped, scan, scan_until_fault


def test_elements_of_arrays_of_tables_have_their_own_headers() -> None:
    text = "[[a]]\nx = 1\n[[a]]\n[a.b]\ny = 2\n[[a.c]]\nz = 3\n"
    positions = scan(text)
    lines = Lines(text)
    assert lines.place(positions.values[("a", 1)].start) == (3, 1)
    assert lines.place(positions.keys[("a", 1)].start) == (3, 3)
    assert lines.place(positions.keys[("a", 1, "b", "y")].start) == (5, 1)
    assert lines.place(positions.keys[("a", 1, "c", 0, "z")].start) == (7, 1)


def test_a_header_counts_more_than_the_header_of_a_table_below() -> None:
    positions = scan("[a.b]\n[a]\n")
    assert positions.values[("a",)].start == 6


def test_deep_nesting_needs_no_deep_stack() -> None:
    depth = 3000
    text = "a = " + "[" * depth + "'] # \"'" + "]" * depth + " # x\nb = 1\n"
    assert scan(text).keys[("b",)].start == text.index("b = 1")


def test_a_broken_text_tells_where_it_was_left_open() -> None:
    found, stopped = scan_until_fault("a = 1\nb = [1, [2\nc = 3\n")
    assert list(found.keys) == [("a",), ("b",)]
    assert stopped is not None
    assert stopped.opened == 14
    with pytest.raises(Stopped):
        scan("a = ]")
