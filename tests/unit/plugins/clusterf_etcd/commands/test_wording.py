from __future__ import annotations

import pytest

from clusterf_etcd.commands.wording import printable, raw, shown_value
from clusterf_etcd.wire import KeyValue


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b", "a b"),
        ("caf\u00e9", "caf\u00e9"),
        ("\x1b[31m\n\0", r"\x1b[31m\n\x00"),
        ("\udcff", r"\xff"),
        ("\u202e", r"\u202e"),
        ("\ud800", r"\ud800"),
    ],
)
def test_nothing_drives_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_value_is_shown_as_it_is() -> None:
    assert shown_value(b'{"tcp":80}') == '{"tcp":80}'
    assert shown_value(b"\xff\x1b") == r"\xff\x1b"


def test_a_large_value_is_cut_off_and_its_size_told() -> None:
    shown = shown_value(b"x" * 10_000_000)
    assert len(shown) < 2100
    assert shown.endswith("x… (10000000 bytes)")


def test_raw_is_byte_by_byte_and_on_a_terminal_escaped() -> None:
    entry = KeyValue("/c/\udcff", b"\x00\xfe\n", 1, 0)
    assert raw(entry, escaped=False) == b"/c/\xff \x00\xfe\n\n"
    assert raw(entry, escaped=True) == rb"/c/\xff \x00\xfe\n" + b"\n"
