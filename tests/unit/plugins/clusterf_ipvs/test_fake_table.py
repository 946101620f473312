"""What can be set about the fake's table. That its rules are a kernel's: tests/conformance."""

from __future__ import annotations

import errno

import pytest

from clusterf.model.table import Destination, DestinationKey, Method, Tunnel
from clusterf_ipvs.constants import Command
from clusterf_ipvs.fake_messages import Refused
from clusterf_ipvs.fake_table import FakeTable
from clusterf_ipvs.service_codec import LIST_SERVICES, ServiceEncoder
from tests.strategies import destination, ip, target, tcp

NOTHING: frozenset[str] = frozenset()
WEB = ServiceEncoder(tcp())
NEW = WEB.new_service("rr", NOTHING, None)


@pytest.fixture
def table() -> FakeTable:
    table = FakeTable()
    table.carry_out(NEW)
    return table


def refused(table: FakeTable, message: bytes) -> int:
    with pytest.raises(Refused) as caught:
        table.carry_out(message)
    return int(caught.value.args[0])


def weights(table: FakeTable) -> list[int]:
    service = table.find(NEW)
    assert service is not None
    return [each.weight for each in service.destinations]


def test_edits_do_what_they_are_called(table: FakeTable) -> None:
    table.carry_out(WEB.new_destination(target(1), destination(1)))
    table.carry_out(WEB.new_destination(target(2), destination(2)))
    assert weights(table) == [2, 1]
    table.carry_out(WEB.set_destination(target(1), destination(7)))
    assert weights(table) == [2, 7]
    table.carry_out(WEB.del_destination(target(2)))
    assert weights(table) == [7]
    table.carry_out(WEB.set_service("wlc", NOTHING, None))
    service = table.find(NEW)
    assert service is not None
    assert service.scheduler == b"wlc"
    table.carry_out(WEB.del_service())
    assert table.find(NEW) is None


def test_a_flush_leaves_nothing(table: FakeTable) -> None:
    table.carry_out(bytes([Command.FLUSH, 1, 0, 0]))
    assert table.services == {}


def test_nothing_is_found_by_a_message_about_nothing(table: FakeTable) -> None:
    with pytest.raises(Refused):
        table.find(LIST_SERVICES)


def test_schedulers_can_be_missing(table: FakeTable) -> None:
    table.schedulers -= {"mh"}
    assert refused(table, WEB.set_service("mh", NOTHING, None)) == errno.ENOENT
    other = ServiceEncoder(tcp(port=81))
    assert refused(table, other.new_service("mh", NOTHING, None)) == errno.ENOENT
    odd = other.new_service("rr", NOTHING, None).replace(b"rr\0", b"\xff\xfe\0")
    assert refused(table, odd) == errno.ENOENT


def test_routes_can_be_missing(table: FakeTable) -> None:
    table.routable = lambda address: address != target(1).address
    assert refused(table, WEB.new_destination(target(1), destination())) == errno.EINVAL
    table.carry_out(WEB.new_destination(target(2), destination()))


def test_the_sync_daemon_excludes_the_other_family(table: FakeTable) -> None:
    six = DestinationKey(ip("2001:db8::1"), 80)
    new = WEB.new_destination(six, Destination(1, Method.TUNNEL, tunnel=Tunnel()))
    table.sync_daemon = True
    assert refused(table, new) == errno.EINVAL
    table.sync_daemon = False
    table.carry_out(new)
