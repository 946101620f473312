from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf.model.address import Address, Family, Network
from clusterf.model.scope import Scope
from clusterf.model.table import FwmarkKey
from tests.strategies import MANAGED, tcp


@st.composite
def prefixes(draw: st.DrawFn) -> Network:
    size = draw(st.sampled_from([4, 16]))
    length = draw(st.integers(0, size * 8))
    number = int.from_bytes(draw(st.binary(min_size=size, max_size=size)))
    shift = size * 8 - length
    return Network(Address((number >> shift << shift).to_bytes(size)), length)


@given(st.lists(prefixes(), max_size=4), st.data())
def test_it_holds_what_one_of_its_prefixes_holds(owned: list[Network], data: st.DataObject) -> None:
    size = data.draw(st.sampled_from([4, 16]))
    near = [prefix.address for prefix in owned if len(prefix.address) == size]
    start = data.draw(st.sampled_from(near) if near else st.just(Address(size)))
    place, change = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 255))
    altered = bytearray(start)
    altered[place] ^= change
    address = Address(altered)
    assert Scope(owned).holds(address) == any(address in prefix for prefix in owned)


def test_it_owns_prefixes_and_marks() -> None:
    assert MANAGED.owns(tcp())
    assert not MANAGED.owns(tcp("203.0.113.1"))
    assert MANAGED.owns(FwmarkKey(Family.INET, 8))
    assert not MANAGED.owns(FwmarkKey(Family.INET, 9))
    assert not Scope().owns(tcp())


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0"])
def test_the_other_family_is_not_in_it(text: str) -> None:
    scope = Scope([Network.parse(text)])
    assert scope.holds(Address.parse("192.0.2.1")) == ("." in text)
    assert scope.holds(Address.parse("2001:db8::1")) == (":" in text)


def test_scopes_are_values() -> None:
    assert Scope((Network.parse("192.0.2.0/24"),)) == Scope((Network.parse("192.0.2.0/24"),))
    assert Scope((Network.parse("192.0.2.0/24"),)) != Scope()
