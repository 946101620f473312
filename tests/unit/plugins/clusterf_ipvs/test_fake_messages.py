"""The fake kernel's reading and writing, against messages made by hand and pyroute2's reader.

That a real kernel reads and writes so is for tests/conformance.
"""

from __future__ import annotations

import errno
import struct

import pytest

from clusterf.model.table import Destination, DestinationKey, Method
from clusterf_ipvs.fake_messages import (
    Refused,
    StoredDestination,
    StoredService,
    destination_message,
    identity_of,
    info_message,
    parse_destination,
    parse_service,
    service_message,
    target_of,
)
from clusterf_ipvs.service_codec import LIST_SERVICES, ServiceEncoder
from tests.strategies import ip, target, tcp
from tests.unit.plugins.clusterf_ipvs.messages import number, read, whole

VIP, VIP6 = ip("192.0.2.1"), ip("2001:db8::1")
SERVICE: dict[int, bytes | None] = {1: b"\2\0", 2: b"\6\0", 3: VIP, 4: b"\0\x50"}
SETTINGS: dict[int, bytes | None] = {
    6: b"rr\0",
    7: struct.pack("=II", 0x1F, 0x0F),
    8: number(60),
    9: b"\xff\xff\xff\0",
}
HOST: dict[int, bytes | None] = {1: VIP, 2: b"\0\x50"}
WEIGHT: dict[int, bytes | None] = {3: number(0x102), 4: number(9), 5: number(7), 6: number(5)}


def test_a_service_is_read_whole_or_as_far_as_it_is_found_by() -> None:
    service = parse_service(whole(1, SERVICE | SETTINGS), full=True)
    assert service == StoredService(2, 6, VIP, 80, 0, b"rr", 0x0F, 60, b"\xff\xff\xff\0")
    assert parse_service(whole(1, SERVICE)).identity == service.identity
    marked = parse_service(whole(1, {1: b"\n\0", 5: number(7)}))
    assert marked.identity == (10, 7)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        *(({kind: None}, errno.EINVAL) for kind in (1, 2, 3, 4, 6, 7, 8, 9)),
        ({1: b"\x10\0"}, errno.EAFNOSUPPORT),
        ({4: b"\0"}, errno.EINVAL),
        ({8: b"\0\0"}, errno.EINVAL),
    ],
)
def test_a_service_that_the_kernel_does_not_read(
    changed: dict[int, bytes | None], code: int
) -> None:
    with pytest.raises(Refused) as caught:
        parse_service(whole(1, SERVICE | SETTINGS | changed), full=True)
    assert caught.value.args == (code,)


def test_a_destination_is_read_whole_or_as_far_as_it_is_found_by() -> None:
    tunnel: dict[int, bytes | None] = {11: b"\n\0", 13: b"\1", 14: b"\x17\xc0", 15: b"\1\0"}
    plain = parse_destination(whole(2, HOST | WEIGHT), 2, full=True)
    assert plain == StoredDestination(2, VIP, 80, 2, 9, 7, 5)
    other = parse_destination(whole(2, HOST | WEIGHT | tunnel | {1: VIP6}), 2, full=True)
    assert other == StoredDestination(10, VIP6, 80, 2, 9, 7, 5, (1, 6080, 1))
    assert parse_destination(whole(2, HOST | WEIGHT), 2, full=False).weight == 0


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        *(({kind: None}, errno.EINVAL) for kind in (1, 2, 3, 4, 5, 6)),
        ({11: b"\x10\0"}, errno.EAFNOSUPPORT),
        ({4: b"\0"}, errno.EINVAL),
    ],
)
def test_a_destination_that_the_kernel_does_not_read(
    changed: dict[int, bytes | None], code: int
) -> None:
    with pytest.raises(Refused) as caught:
        parse_destination(whole(2, HOST | WEIGHT | changed), 2, full=True)
    assert caught.value.args == (code,)


def test_a_message_about_nothing_is_einval() -> None:
    for parse in (parse_service, lambda each: parse_destination(each, 2, full=False)):
        with pytest.raises(Refused) as caught:
            parse(LIST_SERVICES)
        assert caught.value.args == (errno.EINVAL,)


def test_pyroute2_reads_the_answers() -> None:
    service = StoredService(2, 17, VIP, 53, 0, b"sh", 0x8, 0, b"\xff\xff\xff\xff")
    found = read(service_message(service)).get_attr("IPVS_CMD_ATTR_SERVICE")
    for name, value in {
        "ADDR": "192.0.2.1",
        "PORT": 53,
        "PROTOCOL": 17,
        "SCHED_NAME": "sh",
    }.items():
        assert found.get_attr(f"IPVS_SVC_ATTR_{name}") == value
    destination = StoredDestination(10, VIP6, 80, 3, 9, 7, 5, active=2, inactive=1)
    found = read(destination_message(destination)).get_attr("IPVS_CMD_ATTR_DEST")
    expected = {"ADDR": "2001:db8::1", "PORT": 80, "FWD_METHOD": 3, "WEIGHT": 9, "U_THRESH": 7}
    expected |= {"L_THRESH": 5, "ACTIVE_CONNS": 2, "INACT_CONNS": 1, "ADDR_FAMILY": 10}
    for name, value in expected.items():
        assert found.get_attr(f"IPVS_DEST_ATTR_{name}") == value


def test_the_info_has_two_numbers() -> None:
    assert info_message(0x010203, 4096)[4:] == struct.pack("=HHIHHI", 8, 1, 0x010203, 8, 2, 4096)


def test_what_a_message_is_about() -> None:
    web = ServiceEncoder(tcp())
    assert identity_of(tcp()) == (2, 6, VIP, 80)
    plain = Destination(1, Method.MASQ)
    assert target_of(web.new_destination(target(3), plain), tcp()) == target(3)
    six = DestinationKey(VIP6, 80)
    assert target_of(web.del_destination(six), tcp()) == six
    assert target_of(web.del_service(), tcp()) is None
