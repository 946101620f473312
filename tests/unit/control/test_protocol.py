from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf.control.protocol import LONGEST_REQUEST, BadMessage, NotPermitted, decode, encode

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), values))
def test_a_message_is_one_line_and_comes_back(message: dict[str, object]) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == message


@given(st.binary())
def test_nothing_but_its_own_error_is_raised(line: bytes) -> None:
    try:
        assert isinstance(decode(line), dict)
    except BadMessage as error:
        assert str(error).startswith("not ")  # noqa: PT017 # both ways are right


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "not JSON"),
        (b"status\n", "not JSON"),
        (b'{"command": "status"', "not JSON"),
        (b"\xff\xfe{}\n", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"{} {}\n", "not JSON"),
        (b"[]\n", "not a JSON object"),
        (b'"status"\n', "not a JSON object"),
        (b"null\n", "not a JSON object"),
    ],
)
def test_what_is_no_message_is_refused(line: bytes, told: str) -> None:
    with pytest.raises(BadMessage, match=told):
        decode(line)


def test_a_request_has_room_for_long_names() -> None:
    assert len(encode({"command": "drain", "service": "s" * 253, "backend": "b" * 4096})) < (
        LONGEST_REQUEST
    )


def test_what_is_not_permitted_has_its_exit_code() -> None:
    assert NotPermitted("x").exit_code == 77
