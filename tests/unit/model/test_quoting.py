from __future__ import annotations

import pytest

from clusterf.model.quoting import quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", '""'),
        ("wlc", '"wlc"'),
        ('a"b', '"a\\"b"'),
        ("é ö", '"é ö"'),
        ("\x1b[2J\n\u2028", '"\\x1b[2J\\n\\u2028"'),
        ("x" * 61, '"' + "x" * 59 + '…"'),
    ],
)
def test_quoted(text: str, shown: str) -> None:
    assert quoted(text) == shown
