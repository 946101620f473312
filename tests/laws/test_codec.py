"""The codec's laws: what is encoded is decoded to the same, and nothing surprises the decoder."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clusterf.model.address import Address, Family
from clusterf.model.table import (
    SCHEDULERS,
    AddressKey,
    Destination,
    DestinationKey,
    FwmarkKey,
    Method,
    Persistence,
    Protocol,
    Tunnel,
    TunnelType,
    VirtualService,
)
from clusterf_ipvs import destination_codec, service_codec
from clusterf_ipvs.attributes import DecodeError, contents, nested
from clusterf_ipvs.constants import Command
from clusterf_ipvs.fake import FakeKernel
from clusterf_ipvs.service_codec import ServiceEncoder
from clusterf_ipvs.words import flag_bits, flag_words
from tests.strategies import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from clusterf.model.table import ServiceKey

u16, u32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
packed = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)
any_address = packed.map(Address)
targets = st.builds(DestinationKey, any_address, u16)
keys = st.builds(AddressKey, st.sampled_from(Protocol), any_address, u16) | st.builds(
    FwmarkKey, st.sampled_from(Family), st.integers(1, 2**32 - 1)
)
any_tunnel = st.builds(
    Tunnel, st.sampled_from(TunnelType), u16, st.sampled_from(["nocsum", "csum", "remcsum"])
)
any_destination = st.builds(
    Destination, u32, st.sampled_from([Method.MASQ, Method.DROUTE]), u32, u32
) | st.builds(Destination, u32, st.just(Method.TUNNEL), u32, u32, any_tunnel)


@st.composite
def services(draw: st.DrawFn, key: ServiceKey) -> VirtualService:
    scheduler = draw(st.sampled_from([*SCHEDULERS, "none"]))
    flags = draw(st.frozensets(st.sampled_from(["ops", *SCHEDULERS.get(scheduler, ())])))
    least = 0 if key.family is Family.INET else 1
    persistence = draw(st.none() | st.builds(Persistence, u32, st.integers(least, key.family.bits)))
    return VirtualService(scheduler, flags, persistence)


@settings(max_examples=4 * EXAMPLES)
@given(st.data(), keys)
def test_a_service_survives(data: st.DataObject, key: ServiceKey) -> None:
    service = data.draw(services(key))
    message = ServiceEncoder(key).new_service(*service.settings)
    assert len(message) % 4 == 0
    assert message[0] == Command.NEW_SERVICE
    assert service_codec.decode(message) == (key, service)
    edit = ServiceEncoder(key).set_service(*service.settings)
    assert edit[0] == Command.SET_SERVICE
    assert service_codec.decode(edit) == (key, service)


@settings(max_examples=4 * EXAMPLES)
@given(keys, targets, any_destination)
def test_a_destination_survives(
    key: ServiceKey, target: DestinationKey, wanted: Destination
) -> None:
    for message, command in (
        (ServiceEncoder(key).new_destination(target, wanted), Command.NEW_DEST),
        (ServiceEncoder(key).set_destination(target, wanted), Command.SET_DEST),
    ):
        assert len(message) % 4 == 0
        assert message[0] == command
        assert destination_codec.decode_all([message], key.family)[0] == {target: wanted}
        identity = contents(nested(message, 1))
        assert service_codec.decode_key(identity) == key


@settings(max_examples=2 * EXAMPLES)
@given(keys, targets)
def test_a_deletion_names_its_destination(key: ServiceKey, target: DestinationKey) -> None:
    message = ServiceEncoder(key).del_destination(target)
    found = contents(nested(message, 2))
    family = contents(nested(message, 2)).get(11)
    assert (family is None) == (target.address.family is key.family)
    assert destination_codec.decode_key(found, target.address.family) == target
    assert len(message) % 4 == 0


@pytest.mark.parametrize(
    "reader",
    [
        service_codec.decode,
        lambda data: destination_codec.decode(data, Family.INET),
        lambda data: destination_codec.decode(data, Family.INET6),
        lambda data: destination_codec.decode_all([data], Family.INET),
        service_codec.decode_info,
        contents,
    ],
)
@settings(max_examples=4 * EXAMPLES)
@example(b"")
@example(b"\4\0\0\0" * 40)
@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing_but_the_decoders_own_error(
    reader: Callable[[bytes], object], data: bytes
) -> None:
    with contextlib.suppress(DecodeError):
        reader(data)


@settings(max_examples=4 * EXAMPLES)
@given(st.data(), keys, targets, any_destination)
def test_damaged_messages_raise_nothing_but_the_decoders_own_error(
    data: st.DataObject, key: ServiceKey, target: DestinationKey, wanted: Destination
) -> None:
    service = data.draw(services(key))
    encoder = ServiceEncoder(key)
    for whole in (encoder.new_service(*service.settings), encoder.new_destination(target, wanted)):
        message = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 4))):
            message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
        damaged = bytes(message[: data.draw(st.integers(0, len(message)))])
        for read in (
            service_codec.decode,
            lambda each: destination_codec.decode(each, key.family),
            lambda each: destination_codec.decode_all([each], key.family),
        ):
            with contextlib.suppress(DecodeError):
                read(damaged)


@settings(max_examples=2 * EXAMPLES)
@given(keys, targets, u32, st.integers(0, 7), u32, st.integers(0, 255), u16, u16)
def test_whatever_a_stranger_stored_can_be_read_and_written_again(
    key: ServiceKey,
    target: DestinationKey,
    flags: int,
    method: int,
    weight: int,
    kind: int,
    port: int,
    tunnel_flags: int,
) -> None:
    strange = destination_codec.settings(method, weight, 0, 0, kind, port, tunnel_flags)
    ServiceEncoder(key).set_destination(target, strange)
    words = flag_words("mh", flags)
    assert sum(flag_bits(word) for word in words) == flags & ~0x3
    known = kind <= 2 and tunnel_flags <= 3
    if method == 2 and known and tunnel_flags != 3:
        message = ServiceEncoder(key).set_destination(target, strange)
        assert destination_codec.decode(message, key.family).destination == strange
    elif method not in (0, 2, 3):
        assert strange.method is Method.MASQ
        assert strange.tunnel is not None, "equal to a masq that somebody may want"


@settings(max_examples=2 * EXAMPLES)
@given(st.data(), st.lists(keys, unique=True, max_size=4))
def test_the_fake_kernel_reports_what_it_was_given(
    data: st.DataObject, chosen: list[ServiceKey]
) -> None:
    kernel = FakeKernel()
    table = {key: data.draw(services(key)) for key in chosen}
    kernel.set_table(table)
    assert kernel.table == table
