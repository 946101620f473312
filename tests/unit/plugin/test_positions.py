from __future__ import annotations

from clusterf.plugin.positions import Lines, Positions, Span


def test_only_line_feeds_end_lines() -> None:
    text = "a = 'x\u2028y\x85z\x0b'\nb = 1"
    lines = Lines(text)
    assert lines.place(text.index("b")) == (2, 1)
    assert lines.text(1) == "a = 'x\u2028y\x85z\x0b'"
    assert lines.text(2) == "b = 1"


def test_what_has_no_position_is_shown_at_the_nearest_above() -> None:
    table, key, value = Span(0, 3), Span(4, 7), Span(10, 12)
    found = Positions({("a", "b"): key}, {("a",): table, ("a", "b"): value}, [])
    assert found.key(("a", "b")) == key
    assert found.value(("a", "b")) == value
    assert found.key(("a", "c")) == found.value(("a", "c", 0)) == table
    assert found.key(("x",)) is None
    assert found.value(()) is None
