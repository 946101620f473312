from __future__ import annotations

import json

import pytest

from clusterf.model.service import BackendRef, Ref, RouteRef, ServiceRef
from clusterf_etcd.commands.ending import Refused
from clusterf_etcd.commands.judging import (
    check_names,
    check_value,
    compact,
    field_names,
    fields_in,
    merged,
    model_of,
    remark,
    shortened,
)

WEB, B1, R1 = ServiceRef("web"), BackendRef("web", "b1"), RouteRef("r1")
KEYS: dict[Ref, str] = {
    WEB: "/clusterf/services/web/frontend",
    B1: "/clusterf/services/web/backends/b1",
    R1: "/clusterf/routes/r1",
}


@pytest.mark.parametrize(
    ("ref", "value"),
    [
        (WEB, '{"ipv4":"192.0.2.1","TCP":80,"health":{"anything":1}}'),
        (WEB, '{"frontends":[{"ipv4":"192.0.2.1","tcp":80},{"fwmark":1}],"frontends":null}'),
        (WEB, '{"frontends":[{"ipv4":"192.0.2.1","tcp":80},{"fwmark":1}]}'),
        (B1, '{"ipv4":"198.51.100.1","weight":0,"quiesced":"by hand"}'),
        (R1, '{"Prefix":"10.0.0.0/8","IpvsMethod":"masq"}'),
        (R1, ""),
    ],
)
def test_what_every_reader_knows_is_right(ref: Ref, value: str) -> None:
    check_names(ref, value.encode())
    assert check_value(KEYS[ref], value.encode(), "/clusterf").ref == ref


@pytest.mark.parametrize(
    ("ref", "value", "told"),
    [
        (WEB, '{"tpc":80}', 'unknown field "tpc" (hint: did you mean "tcp"?)'),
        (B1, '{"scheduler":"rr"}', 'unknown field "scheduler"'),
        (R1, '{"ipv4":"192.0.2.1"}', 'unknown field "ipv4"'),
        (WEB, '{"frontends":[{},{"tpc":80}]}', 'frontends[1]: unknown field "tpc"'),
        (WEB, '{"frontends":[{"scheduler":"rr"}]}', 'frontends[0]: unknown field "scheduler"'),
        (WEB, '{"a\\u001bb":1}', 'unknown field "a\\x1bb"'),
        (R1, '{"prefix4":"10.0.0.0/8"}', "Prefix4 is what the original called it up to 0.4"),
        (WEB, "[]", "the value must be an object, not an array"),
        (WEB, "{", "the value is not JSON"),
        (WEB, "[" * 50_000, "the value is nested too deeply"),
    ],
)
def test_what_some_reader_would_ignore_is_refused(ref: Ref, value: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        check_names(ref, value.encode())
    assert str(refused.value).startswith(told)


def test_entries_of_a_wrong_kind_are_left_to_the_reader() -> None:
    for value in (b'{"frontends":[7]}', b'{"frontends":7}', b'{"frontends":{"a":1}}'):
        check_names(WEB, value)
        with pytest.raises(Refused):
            check_value(KEYS[WEB], value, "/clusterf")


@pytest.mark.parametrize(
    ("ref", "value", "told"),
    [
        (WEB, '{"tcp":70000}', "service web: tcp: must be at most 65535, not 70000"),
        (B1, '{"ipv4":"localhost"}', 'service web backend b1: ipv4: "localhost" is not an IPv4'),
        (R1, '{"IPVSMethod":"nat"}', 'route r1: IPVSMethod: unknown forwarding method "nat"'),
    ],
)
def test_what_a_reader_refuses_is_refused_with_its_reason(ref: Ref, value: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        check_value(KEYS[ref], value.encode(), "/clusterf")
    assert str(refused.value).startswith(told)
    assert refused.value.exit_code == 1


@pytest.mark.parametrize(
    ("ref", "value", "said"),
    [
        (WEB, '{"ipv4":"192.0.2.1","tcp":80}', ""),
        (WEB, '{"fwmark":1}', ""),
        (WEB, '{"frontends":[{"ipv6":"2001:db8::1","udp":53}]}', ""),
        (WEB, '{"ipv4":"192.0.2.1"}', "clients reach nothing"),
        (WEB, '{"tcp":80}', "clients reach nothing"),
        (WEB, "{}", "clients reach nothing"),
        (B1, '{"ipv6":"2001:db8::1"}', ""),
        (B1, '{"tcp":80}', "nothing is sent there"),
        (R1, '{"IPVSMethod":"masq"}', ""),
        (R1, "{}", "it has no method"),
    ],
)
def test_what_is_hardly_meant_is_remarked(ref: Ref, value: str, said: str) -> None:
    text = remark(check_value(KEYS[ref], value.encode(), "/clusterf"))
    assert text.startswith(said)
    assert bool(text) == bool(said)


@pytest.mark.parametrize(
    ("value", "short"),
    [
        (b' { "tcp" : 80,\n "ipv4":"192.0.2.1" } ', b'{"tcp":80,"ipv4":"192.0.2.1"}'),
        (b'{"quiesced":"caf\xc3\xa9"}', b'{"quiesced":"caf\xc3\xa9"}'),
        (b'{"Tcp": 80}', b'{"Tcp":80}'),
        (b"", b"{}"),
        (b' {"health": 1e999} ', b'{"health": 1e999}'),
    ],
)
def test_a_value_loses_its_spaces_and_nothing_else(value: bytes, short: bytes) -> None:
    assert shortened(value) == short


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        (b'{"ipv4":"192.0.2.1","tcp":80}', {"udp": 53}, '{"ipv4":"192.0.2.1","tcp":80,"udp":53}'),
        (b'{"TCP":80,"colour":1}', {"tcp": 81}, '{"colour":1,"tcp":81}'),
        (b'{"tcp":80,"udp":53}', {"Tcp": None}, '{"udp":53}'),
        (b"", {"tcp": 80}, '{"tcp":80}'),
        (b'{"tcp":80}', {}, '{"tcp":80}'),
    ],
)
def test_merging_keeps_what_is_not_given(
    before: bytes, changes: dict[str, object], after: str
) -> None:
    assert merged(before, changes) == after.encode()


def test_nothing_is_merged_into_what_nobody_can_read() -> None:
    with pytest.raises(Refused, match="the value is not JSON"):
        merged(b"{", {"tcp": 80})


def test_names_and_models() -> None:
    assert field_names(model_of(R1))["ipvsmethod"] == "IPVSMethod"
    assert "scheduler" in field_names(model_of(WEB))
    assert "quiesced" in field_names(model_of(B1))


def test_json_without_infinities() -> None:
    with pytest.raises(ValueError, match="JSON"):
        compact({"a": float("inf")})
    assert json.loads(compact(fields_in(b'{"a":{"b":[1]}}'))) == {"a": {"b": [1]}}
