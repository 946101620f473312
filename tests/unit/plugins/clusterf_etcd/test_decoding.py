from __future__ import annotations

import sys
from typing import Any

import pytest

from clusterf_etcd.decoding import Object, ValueFault, decode, fields, folded

NAMES = {
    "ipv4": "ipv4",
    "tcp": "tcp",
    "weight": "weight",
    "ipvsmethod": "IPVSMethod",
    "sctp": "sctp",
}


def read(text: str) -> dict[str, Any]:
    return fields(decode(text.encode()), NAMES)


# --- objects ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [b"", b"{}", b"null", b" \t\r\n{ } \n", b" null "])
def test_nothing_is_an_empty_object(value: bytes) -> None:
    assert decode(value) == {}


@pytest.mark.parametrize(
    ("value", "reason", "words"),
    [
        (b"[]", "not_json", "must be an object, not an array"),
        (b'"a"', "not_json", "must be an object, not a string"),
        (b"true", "not_json", "must be an object, not true or false"),
        (b"1", "not_json", "must be an object, not a number"),
        (b"-0.5e1", "not_json", "must be an object, not a number"),
        (b" ", "not_json", "is not JSON: expecting value at character 2"),
        (b"not json", "not_json", "is not JSON: expecting value at character 1"),
        (b"{} {}", "not_json", "is not JSON: extra data at character 4"),
        (b"{}\0", "not_json", "is not JSON: extra data at character 3"),
        (b"{,}", "not_json", "is not JSON: "),
        (b'{"a":1,}', "not_json", "is not JSON: "),
        (b"{'a':1}", "not_json", "is not JSON: "),
        (b'{"a":01}', "not_json", "is not JSON: "),
        (b'{"a":+1}', "not_json", "is not JSON: "),
        (b'{"a":.5}', "not_json", "is not JSON: "),
        (b'{"a":1.}', "not_json", "is not JSON: "),
        (b'{"a":0x1}', "not_json", "is not JSON: "),
        (b'{"a":NaN}', "not_json", "is not JSON: NaN is not a number"),
        (b'{"a":[-Infinity]}', "not_json", "is not JSON: -Infinity is not a number"),
        (b'{"a":"\x01"}', "not_json", "is not JSON: invalid control character at character 7"),
        (b'{"a":"\\x"}', "not_json", "is not JSON: invalid \\escape at character 7"),
        (b'{"a":"\\u12g4"}', "not_json", "is not JSON: "),
        (b'{"a":"', "not_json", "is not JSON: unterminated string starting at character 6"),
        (b"\xef\xbb\xbf{}", "not_json", "is not JSON: expecting value at character 1"),
        (b'{"a":"\xff"}', "not_json", "is not UTF-8: byte 0xff at offset 6"),
        (b'{"a":"\xed\xa0\x80"}', "not_json", "is not UTF-8: byte 0xed at offset 6"),
        ("{}".encode("utf-16"), "not_json", "is not UTF-8: byte 0xff at offset 0"),
        ("{}".encode("utf-32-be"), "not_json", "is not JSON: expecting value at character 1"),
        (b"{}" + b" " * 65535, "too_large", "is 65537 bytes long, more than 65536"),
    ],
)
def test_what_is_no_object_is_told_why(value: bytes, reason: str, words: str) -> None:
    with pytest.raises(ValueFault) as caught:
        decode(value)
    assert caught.value.reason == reason
    assert str(caught.value).startswith(words)


def test_a_value_of_the_largest_size_is_read() -> None:
    assert decode(b"{}" + b" " * 65534) == {}


def test_a_number_that_is_not_asked_for_may_be_of_any_length() -> None:
    digits = "9" * 10000
    assert read(f'{{"other":{digits},"another":-{digits}.5e{digits},"tcp":80}}') == {"tcp": 80}


def test_minus_zero_is_no_whole_number() -> None:
    assert isinstance(decode(b'{"a":-0}')["a"], float)


# --- names --------------------------------------------------------------------------------------


def test_only_ascii_and_two_letters_more_fold_to_ascii() -> None:
    """Go compares by simple folding, in which each letter stands for one other."""
    letters = map(chr, range(128, sys.maxunicode + 1))
    beyond = {letter for letter in letters if folded(letter).isascii()}
    assert beyond == {"\u212a", "\u017f"}


@pytest.mark.parametrize(
    "name",
    ["ipvsmethod", "IPVSMethod", "IpvsMethod", "IPVSMETHOD", "ip\u0056smethod", "ipv\u017fMethod"],
)
def test_a_name_matches_in_any_case(name: str) -> None:
    assert read(f'{{"{name}":"droute"}}') == {"IPVSMethod": "droute"}


@pytest.mark.parametrize(
    "name", ["ipv4 ", "ipv 4", "\u0131pv4", "\u0130pv4", "ipv\u0664", "", "\\ud800", "tcp4"]
)
def test_another_name_is_ignored(name: str) -> None:
    assert read(f'{{"{name}":1}}') == {}


def test_names_may_be_escaped() -> None:
    assert read(r'{"\u0074cp":80}') == {"tcp": 80}


# --- repetitions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ('{"tcp":80,"tcp":81}', {"tcp": 81}),
        ('{"tcp":80,"TCP":81}', {"tcp": 81}),
        ('{"TCP":80,"tcp":81}', {"tcp": 81}),
        ('{"tcp":80,"tcp":null}', {"tcp": 80}),
        ('{"tcp":null,"tcp":80}', {"tcp": 80}),
        ('{"tcp":null}', {}),
        ('{"ipv4":"192.0.2.1","ipv4":""}', {"ipv4": ""}),
        ('{"ipv4":"nonsense","ipv4":"192.0.2.1"}', {"ipv4": "192.0.2.1"}),
        # What Go cannot put into a field is an error, whatever follows.
        ('{"tcp":"80","tcp":81}', {"tcp": "80"}),
        ('{"tcp":80.0,"tcp":81}', {"tcp": 80.0}),
        ('{"tcp":true,"tcp":81}', {"tcp": True}),
        ('{"tcp":-1,"tcp":81}', {"tcp": -1}),
        ('{"tcp":65536,"tcp":81}', {"tcp": 65536}),
        ('{"tcp":80,"tcp":65536,"tcp":81}', {"tcp": 65536}),
        ('{"weight":-1,"weight":2}', {"weight": -1}),
        ('{"weight":4294967296,"weight":2}', {"weight": 2}),
        ('{"ipv4":1,"ipv4":"192.0.2.1"}', {"ipv4": 1}),
        ('{"ipv4":[],"ipv4":"192.0.2.1"}', {"ipv4": []}),
        ('{"IpvsMethod":{},"IPVSMethod":"masq"}', {"IPVSMethod": {}}),
        # Of the fields that are ours the last counts, and no other.
        ('{"sctp":"x","sctp":9}', {"sctp": 9}),
    ],
)
def test_the_last_of_a_name_counts(text: str, given: dict[str, Any]) -> None:
    assert read(text) == given
    assert repr(read(text)) == repr(given)


def test_an_object_within_remembers_its_repetitions_too() -> None:
    inner = decode(b'{"a":{"b":1,"B":2}}')["a"]
    assert isinstance(inner, Object)
    assert list(inner.pairs) == [("b", 1), ("B", 2)]
