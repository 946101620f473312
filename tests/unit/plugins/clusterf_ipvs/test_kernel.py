"""Rows of messages, one by one."""

from __future__ import annotations

import errno
from inspect import iscoroutinefunction, signature

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf_ipvs.fake import FakeKernel
from clusterf_ipvs.kernel import UNKNOWN, Kernel, Row, single
from clusterf_ipvs.netlink import NetlinkKernel

words = st.binary(max_size=6)


def test_a_row_is_its_messages_in_their_order() -> None:
    row = Row(b"<", [b"1", b"2", b"3"], b">")
    assert single([b"first", row, b"last"]) == [b"first", b"<1>", b"<2>", b"<3>", b"last"]


@given(st.lists(words))
def test_messages_without_rows_are_themselves(messages: list[bytes]) -> None:
    assert single(messages) == messages


@given(words, st.lists(words), words)
def test_a_message_for_each_field(head: bytes, fields: list[bytes], tail: bytes) -> None:
    found = single([Row(head, fields, tail)])
    assert [message.removeprefix(head) for message in found] == [each + tail for each in fields]


def test_no_errno_means_that_an_answer_was_lost() -> None:
    assert UNKNOWN
    assert UNKNOWN not in errno.errorcode


@pytest.mark.parametrize("kernel", [FakeKernel, NetlinkKernel])
@pytest.mark.parametrize("call", ["exchange", "dump", "ask", "close"])
def test_each_kernel_takes_the_same_calls(kernel: type, call: str) -> None:
    assert signature(getattr(kernel, call)) == signature(getattr(Kernel, call))
    assert iscoroutinefunction(getattr(kernel, call))
