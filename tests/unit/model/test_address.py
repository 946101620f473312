from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf.model.address import Address, Family, Network, PrefixTable, endpoint
from clusterf.model.quoting import quoted
from tests import strategies


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("192.0.2.1", bytes([192, 0, 2, 1])),
        ("0.0.0.0", bytes(4)),
        ("2001:db8::1", bytes.fromhex("20010db8000000000000000000000001")),
        ("::", bytes(16)),
        ("::ffff:192.0.2.1", bytes.fromhex("00000000000000000000ffffc0000201")),
    ],
)
def test_an_address_is_its_packed_bytes(text: str, packed: bytes) -> None:
    assert Address.parse(text) == packed
    assert str(Address.parse(text)) == text
    assert repr(Address.parse(text)) == f"Address({text!r})"


@pytest.mark.parametrize(
    "text",
    ["", "192.0.2", "192.0.2.01", "192.0.2.256", "192.0.2.1/32", " 192.0.2.1", "192.0.2.1\n",
     "fe80::1%lo", "::1::", "192.0.2.1\0", "\ud800", "localhost", "\uff1192.0.2.1"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="is not an IP address") as caught:
        Address.parse(text)
    assert str(caught.value).startswith(quoted(text))


def test_the_length_tells_the_family() -> None:
    assert Address.parse("192.0.2.1").family is Family.INET
    assert Address.parse("2001:db8::1").family is Family.INET6
    assert (Family.INET.bits, Family.INET6.bits) == (32, 128)


def test_an_address_never_equals_its_mapped_form() -> None:
    assert Address.parse("192.0.2.1") != Address.parse("::ffff:192.0.2.1")


@pytest.mark.parametrize(
    "text", ["1.0.0.0", "127.0.0.1", "192.0.2.1", "223.255.255.255", "::1", "2001:db8::", "fe80::1"]
)
def test_what_a_host_can_have_is_unicast(text: str) -> None:
    assert Address.parse(text).is_unicast


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0", "0.255.255.255", "224.0.0.0", "240.0.0.1", "255.255.255.255", "::", "ff02::1"],
)
def test_the_unspecified_address_and_multicast_are_not_unicast(text: str) -> None:
    assert not Address.parse(text).is_unicast


def test_an_endpoint_is_written_as_ipvsadm_writes_it() -> None:
    assert endpoint(Address.parse("192.0.2.1"), 80) == "192.0.2.1:80"
    assert endpoint(Address.parse("2001:db8::1"), 80) == "[2001:db8::1]:80"


@given(strategies.addresses)
def test_an_address_is_read_back_from_its_text(address: Address) -> None:
    assert Address.parse(str(address)) == address


# --- prefixes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_a_prefix_is_read(text: str, shown: str) -> None:
    assert str(Network.parse(text)) == shown
    assert Network.parse(text).family is Network.parse(text).address.family


@pytest.mark.parametrize(
    "text",
    ["", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "2001:db8::/129", "192.0.2.0/-1",
     "192.0.2.0/+24", "192.0.2.0/2_4", "192.0.2.0/²", "192.0.2.0/24/24", "192.0.2.0/9999999",
     "192.0.2.0/255.255.255.0", "192.0.2.0/0.0.0.255", "fe80::%eth0/64", "fe80::1%eth0", "x/24"],
)  # fmt: skip
def test_what_is_no_prefix_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="is not a prefix") as caught:
        Network.parse(text)
    assert str(caught.value).startswith(quoted(text))


def test_host_bits_are_refused() -> None:
    with pytest.raises(ValueError, match=r"host bits, 192\.0\.2\.0/24 has none"):
        Network.parse("192.0.2.1/24")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("192.0.2.1/24", "192.0.2.0/24"),
        ("192.0.2.255/31", "192.0.2.254/31"),
        ("192.0.2.1/0", "0.0.0.0/0"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("2001:db8::ff/121", "2001:db8::80/121"),
        ("2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_host_bits_are_cleared_where_asked(text: str, shown: str) -> None:
    assert Network.parse(text, masked=True) == Network.parse(shown)


def test_only_host_bits_may_be_wrong_then() -> None:
    with pytest.raises(ValueError, match="is not a prefix"):
        Network.parse("192.0.2.1/33", masked=True)


def test_a_prefix_holds_addresses_of_its_family_only() -> None:
    prefix = Network.parse("192.0.2.0/24")
    assert Address.parse("192.0.2.255") in prefix
    assert Address.parse("192.0.3.0") not in prefix
    assert Address.parse("::") not in Network.parse("0.0.0.0/0")
    assert "192.0.2.1" not in prefix
    assert bytes([192, 0, 2, 1]) not in prefix


@given(strategies.networks())
def test_a_prefix_is_read_back_from_its_text(network: Network) -> None:
    assert Network.parse(str(network)) == network
    assert network.address in network


# --- longest prefix ----------------------------------------------------------------------------


def test_the_longest_prefix_wins() -> None:
    table: PrefixTable[str] = PrefixTable()
    for text in ("192.0.2.0/24", "0.0.0.0/0", "192.0.2.128/25", "192.0.2.129"):
        assert table.add(Network.parse(text), text)
    assert table.longest(Address.parse("192.0.2.129")) == "192.0.2.129"
    assert table.longest(Address.parse("192.0.2.130")) == "192.0.2.128/25"
    assert table.longest(Address.parse("192.0.2.1")) == "192.0.2.0/24"
    assert table.longest(Address.parse("203.0.113.1")) == "0.0.0.0/0"


def test_without_a_matching_prefix_there_is_none() -> None:
    table: PrefixTable[str] = PrefixTable()
    assert table.longest(Address.parse("192.0.2.1")) is None
    table.add(Network.parse("::/0"), "six")
    table.add(Network.parse("198.51.100.0/24"), "other")
    assert table.longest(Address.parse("192.0.2.1")) is None
    assert table.longest(Address.parse("2001:db8::1")) == "six"


def test_of_two_entries_for_one_prefix_the_first_is_kept() -> None:
    table: PrefixTable[str] = PrefixTable()
    assert table.add(Network.parse("192.0.2.0/24"), "first")
    assert not table.add(Network.parse("192.0.2.0/24"), "second")
    assert table.longest(Address.parse("192.0.2.1")) == "first"


def test_adding_the_same_entry_again_changes_nothing() -> None:
    table: PrefixTable[str] = PrefixTable()
    assert table.add(Network.parse("192.0.2.0/24"), "one")
    assert not table.add(Network.parse("192.0.2.0/24"), "one")


@given(st.lists(strategies.networks(), max_size=8), strategies.addresses)
def test_lookup_is_the_same_as_looking_at_every_prefix(
    networks: list[Network], address: Address
) -> None:
    table: PrefixTable[Network] = PrefixTable()
    for network in networks:
        table.add(network, network)
    holding = [network for network in networks if address in network]
    assert table.longest(address) == max(holding, key=lambda n: n.length, default=None)
