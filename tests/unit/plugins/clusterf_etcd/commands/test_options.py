from __future__ import annotations

import pytest

from clusterf.model.service import BackendRef, Ref, RouteRef, ServiceRef
from clusterf_etcd.commands.ending import Misused
from clusterf_etcd.commands.judging import check_names, check_value, compact
from clusterf_etcd.commands.options import given_fields
from tests.unit.plugins.clusterf_etcd.commands.given import given

WEB, B1, R1 = ServiceRef("web"), BackendRef("web", "b1"), RouteRef("r1")


def fields(ref: Ref, text: str, prefix: str | None = None) -> dict[str, object]:
    return given_fields(given("put", "x", *text.split()).arguments, ref, prefix)


@pytest.mark.parametrize(
    ("ref", "text", "value"),
    [
        (WEB, "", {}),
        (WEB, "--ipv4 192.0.2.1 --tcp 80", {"ipv4": "192.0.2.1", "tcp": 80}),
        (WEB, "--sctp 9 --udp 53", {"udp": 53, "sctp": 9}),
        (WEB, "--flag mh-port --flag ops", {"flags": ["mh-port", "ops"]}),
        (WEB, "--persistence 300", {"persistence": 300}),
        (WEB, "--persistence 5m", {"persistence": "5m"}),
        (WEB, "--fwmark 7 --family inet6", {"fwmark": 7, "family": "inet6"}),
        (WEB, "--elide", {"elide": True}),
        (WEB, "--no-elide", {"elide": False}),
        (WEB, "--weight 0 --method masq", {"weight": 0, "method": "masq"}),
        (
            WEB,
            "--upper-threshold 9 --lower-threshold 1",
            {"upper_threshold": 9, "lower_threshold": 1},
        ),
        (
            B1,
            "--ipv6 2001:db8::1 --tcp 80 --weight 5",
            {"ipv6": "2001:db8::1", "tcp": 80, "weight": 5},
        ),
        (
            R1,
            "--gateway 192.0.2.1 --method droute",
            {"Gateway": "192.0.2.1", "IPVSMethod": "droute"},
        ),
        (R1, "--method tunnel --tunnel gre", {"IPVSMethod": "tunnel", "tunnel": "gre"}),
    ],
)
def test_options_are_fields_of_the_value(ref: Ref, text: str, value: dict[str, object]) -> None:
    found = fields(ref, text)
    assert found == value
    assert list(found) == list(value), "in the order of the format"


def test_a_route_has_its_prefix_first() -> None:
    assert list(fields(R1, "--method masq", "10.0.0.0/8").items()) == [
        ("Prefix", "10.0.0.0/8"),
        ("IPVSMethod", "masq"),
    ]


@pytest.mark.parametrize(
    ("ref", "text", "told"),
    [
        (WEB, "--gateway 192.0.2.1", "--gateway is not for a frontend"),
        (B1, "--scheduler rr", "--scheduler is not for a backend"),
        (B1, "--flag ops", "--flag is not for a backend"),
        (R1, "--ipv4 192.0.2.1", "--ipv4 is not for a route"),
        (R1, "--elide", "--elide is not for a route"),
    ],
)
def test_an_option_of_another_kind_is_no_usage(ref: Ref, text: str, told: str) -> None:
    with pytest.raises(Misused) as misused:
        fields(ref, text)
    assert str(misused.value) == told


@pytest.mark.parametrize("ref", [WEB, B1])
def test_a_prefix_is_for_routes(ref: Ref) -> None:
    with pytest.raises(Misused, match="--prefix is not for a "):
        fields(ref, "", "10.0.0.0/8")


def test_every_option_is_a_field_that_readers_know() -> None:
    everything = (
        "--ipv4 192.0.2.1 --ipv6 2001:db8::1 --tcp 80 --udp 80 --sctp 80 --scheduler mh "
        "--persistence 1m --weight 5 --method tunnel --tunnel ipip --upper-threshold 9 "
        "--lower-threshold 1 --flag mh-port --elide"
    )
    value = compact(fields(WEB, everything))
    check_names(WEB, value)
    check_value("/clusterf/services/web/frontend", value, "/clusterf")


@pytest.mark.parametrize("text", ["--tcp http", "--weight", "--fwmark 0x7"])
def test_what_is_no_number_ends_with_2(text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        given("put", "web", *text.split())
    assert ended.value.code == 2
