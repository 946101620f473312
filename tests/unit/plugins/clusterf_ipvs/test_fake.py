"""What the fake kernel offers to tests; that it is like a kernel is for tests/conformance."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from clusterf.model.table import Connections
from clusterf.plugin import OutputUnavailable
from clusterf_ipvs.kernel import UNKNOWN
from clusterf_ipvs.service_codec import GET_INFO, LIST_SERVICES, ServiceEncoder
from tests.strategies import destination, entry, target, tcp

if TYPE_CHECKING:
    from clusterf_ipvs.fake import FakeKernel

WEB = ServiceEncoder(tcp())
EDIT = WEB.set_destination(target(1), destination(7))


async def test_a_stranger_leaves_no_trace(kernel: FakeKernel) -> None:
    kernel.set_table({tcp(): entry(1)})
    kernel.edit(EDIT)
    assert kernel.table == {tcp(): entry(7)}
    assert kernel.log == []
    with pytest.raises(OSError, match="EEXIST"):
        kernel.edit(WEB.new_destination(target(1), destination()))
    kernel.flush()
    assert kernel.table == {}


async def test_writes_are_told_from_looks(kernel: FakeKernel) -> None:
    kernel.set_table({tcp(): entry(1)})
    await kernel.dump(LIST_SERVICES)
    await kernel.ask(GET_INFO)
    await kernel.exchange([EDIT])
    assert kernel.writes == [EDIT]
    assert len(kernel.log) == 3


async def test_failures_by_number_and_by_key(kernel: FakeKernel) -> None:
    kernel.set_table({tcp(): entry(1)})
    kernel.fail_nth(1, errno.ENOMEM)
    assert list(await kernel.exchange([EDIT, EDIT, EDIT])) == [0, errno.ENOMEM, 0]
    kernel.fail_on(tcp(), target(1), errno.EINVAL)
    assert list(await kernel.exchange([EDIT])) == [errno.EINVAL]
    kernel.fail_on(tcp(), target(1), 0)
    assert list(await kernel.exchange([EDIT])) == [0]


async def test_lost_answers_are_of_edits_that_were_made(kernel: FakeKernel) -> None:
    kernel.set_table({tcp(): entry(1)})
    kernel.lose_answers(0)
    assert list(await kernel.exchange([EDIT, EDIT])) == [UNKNOWN, 0]
    assert kernel.table == {tcp(): entry(7)}


async def test_counters_can_be_set(kernel: FakeKernel) -> None:
    kernel.set_table({tcp(): entry(1, 2)})
    kernel.set_connections(tcp(), target(2), 3, 4)
    assert kernel.connections(tcp(), target(2)) == Connections(3, 4)
    assert kernel.connections(tcp(), target(1)) == Connections(0, 0)


async def test_without_permission_or_presence(kernel: FakeKernel) -> None:
    kernel.privileged = False
    assert list(await kernel.exchange([EDIT])) == [errno.EPERM]
    with pytest.raises(OutputUnavailable, match="EPERM"):
        await kernel.dump(LIST_SERVICES)
    with pytest.raises(OutputUnavailable, match="EPERM"):
        await kernel.ask(GET_INFO)
    kernel.present = False
    with pytest.raises(OutputUnavailable, match="no IPVS"):
        await kernel.exchange([EDIT])
