from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf.engine.board import Board
from clusterf.model.address import Address, Network
from clusterf.model.defaults import Defaults
from clusterf.model.notation import service_key
from clusterf.model.provenance import Refusal
from clusterf.model.service import Backend, Facts, Ports, Record, Route, Service
from clusterf.model.table import Method, Table
from clusterf.pipeline.merge import merge
from clusterf.pipeline.resolve import resolve
from clusterf.testing import InstanceContext
from clusterf_etcd.reading import agent_of, old_names, read
from clusterf_routes.policy import RoutesPolicy
from clusterf_routes.settings import RoutesSettings
from tests.strategies import MANAGED
from tests.unit.plugins.clusterf_etcd.trees import PREFIX, TREES, Tree

BACKEND = f"{PREFIX}/services/web/backends/b1"
FRONTEND = f"{PREFIX}/services/web/frontend"
ROUTE = f"{PREFIX}/routes/r"
SOURCE = "sources.etcd"


def read_one(key: str, value: str | bytes) -> Record | Refusal:
    return read(key, value if isinstance(value, bytes) else value.encode(), PREFIX, SOURCE)


def refusal(key: str, value: str | bytes) -> Refusal:
    found = read_one(key, value)
    assert isinstance(found, Refusal)
    return found


# --- trees ----------------------------------------------------------------------------------------


class Cluster:
    """What a director makes of a tree: all of the way but etcd and the kernel."""

    def __init__(self, items: Sequence[tuple[str, str]], *, elide: bool) -> None:
        self.refused: set[str] = set()
        self.table: dict[str, set[str]] = {}
        board = Board()
        board.arrange([SOURCE])
        publisher = board.publisher(SOURCE, lambda: None)
        for key, value in items:
            found = read_one(f"{PREFIX}/{key}", value)
            if isinstance(found, Refusal):
                self.refused.add(found.subject)
            else:
                publisher.put(found)
        policy = RoutesPolicy(RoutesSettings(), InstanceContext("policies[0]", folder=Path()))
        facts = Facts(routes=board.routes())
        for name in board.services():
            service = merge(name, board.contributions(name))
            assert service is not None
            self._add(policy.apply(service, facts), Defaults(elide=elide))

    def _add(self, service: Service, defaults: Defaults) -> None:
        entries, refusals = resolve(service, defaults, MANAGED)
        self.refused |= {one.subject for one in refusals}
        self.table |= written(entries)


def written(table: Table) -> dict[str, set[str]]:
    return {
        str(key): {
            f"{target} {settings.method} {settings.weight}"
            for target, settings in entry.destinations.items()
        }
        for key, entry in table.items()
    }


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES.keys())
@given(st.data())
def test_a_tree_is_the_table_that_its_semantics_describe_in_any_order(
    tree: Tree, data: st.DataObject
) -> None:
    items = data.draw(st.permutations(sorted(tree.values.items())))
    cluster = Cluster(items, elide=tree.elide)
    assert cluster.table == tree.table
    assert cluster.refused == tree.refused


def test_persistence_has_the_prefix_of_the_family() -> None:
    found = read_one(
        FRONTEND, '{"ipv4":"192.0.2.1","ipv6":"2001:db8:1::1","tcp":80,"persistence":60}'
    )
    assert not isinstance(found, Refusal)
    board = Board()
    board.arrange([SOURCE])
    board.publisher(SOURCE, lambda: None).put(found)
    service = merge("web", board.contributions("web"))
    assert service is not None
    entries, _ = resolve(service, Defaults(), MANAGED)
    told = {service_key(key): entry.persistence for key, entry in entries.items()}
    assert told == {"-t 192.0.2.1:80": (60, 32), "-t [2001:db8:1::1]:80": (60, 128)}


# --- where records come from --------------------------------------------------------------------


def test_the_key_is_the_place_a_record_comes_from() -> None:
    for key in (BACKEND, FRONTEND, ROUTE):
        found = read_one(key, "{}")
        assert not isinstance(found, Refusal)
        assert found.provenance == (SOURCE, key)
        assert refusal(key, "[]").provenance == (SOURCE, key)


def test_the_refusal_of_a_key_shows_it_escaped_and_says_what_keys_there_are() -> None:
    found = refusal(f"{PREFIX}/services/a\x1b[31m\udcff b/frontend", "{}")
    assert found == Refusal(
        r"key /clusterf/services/a\x1b[31m\xff\x20b/frontend",
        "bad_key",
        "has a service name that is not UTF-8",
        (SOURCE, r"/clusterf/services/a\x1b[31m\xff\x20b/frontend"),
        "keys are services/NAME/frontend, services/NAME/backends/ID and routes/NAME",
    )


def test_a_name_may_have_letters_beyond_ascii() -> None:
    found = read_one(f"{PREFIX}/services/bücher/backends/größe", '{"ipv4":"198.51.100.1","tcp":80}')
    assert isinstance(found, Backend)
    assert (found.service, found.id, found.ports) == ("bücher", "größe", Ports(80))
    assert refusal(f"{PREFIX}/routes/größe", "x").subject == "route größe"


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "reason", "detail", "hint"),
    [
        (BACKEND, '{"tcp":70000}', "bad_value", "tcp: must be at most 65535, not 70000", ""),
        (BACKEND, '{"TCP":-1}', "bad_value", "tcp: must be at least 0, not -1", ""),
        (BACKEND, '{"tcp":80.0}', "bad_value", "tcp: must be a whole number, not 80.0", ""),
        (BACKEND, '{"tcp":true}', "bad_value", "tcp: must be a whole number, not true", ""),
        (BACKEND, '{"ipv4":"::1"}', "bad_value", 'ipv4: "::1" is not an IPv4 address', ""),
        (
            BACKEND,
            '{"ipv4":"0.0.0.0"}',
            "bad_value",
            "ipv4: 0.0.0.0 is no address of a backend",
            "",
        ),
        (ROUTE, '{"Prefix":"x"}', "bad_value", 'Prefix: "x" is not a prefix', '"192.0.2.0/24"'),
        (
            ROUTE,
            '{"ipvsmethod":"nat"}',
            "bad_value",
            'IPVSMethod: unknown forwarding method "nat"',
            'did you mean "masq"?',
        ),
        (
            FRONTEND,
            '{"scheduler":"wlcc"}',
            "bad_value",
            'scheduler: unknown scheduler "wlcc"',
            'did you mean "wlc"?',
        ),
        (
            FRONTEND,
            '{"tunnel":{"type":"gue"}}',
            "bad_value",
            'tunnel: missing key "port"',
            "GUE needs a UDP port",
        ),
        (
            FRONTEND,
            '{"tcp":"a","udp":"b","sctp":"c","fwmark":"d","weight":"e"}',
            "bad_value",
            (
                'tcp: must be a whole number, not "a"; udp: must be a whole number, not "b"; '
                'sctp: must be a whole number, not "c"; and 2 more'
            ),
            "",
        ),
        (BACKEND, '{"tcp":1} x', "not_json", "is not JSON: extra data at character 11", ""),
        (BACKEND, b" " * 65537, "too_large", "is 65537 bytes long, more than 65536", ""),
    ],
)
def test_a_refusal_says_what_is_wrong(
    key: str, value: str | bytes, reason: str, detail: str, hint: str
) -> None:
    found = refusal(key, value)
    assert (found.reason, found.detail, found.hint) == (reason, detail, hint)


def filled(head: str, unit: str, tail: str) -> bytes:
    return (head + unit * ((65536 - len(head) - len(tail)) // len(unit)) + tail).encode()


HOSTILE = {
    "ten megabytes": (BACKEND, b'{"ipv4":"' + b"1" * 10_000_000),
    "deep arrays": (BACKEND, b"[" * 60000),
    "deep objects": (BACKEND, b'{"a":' * 10000),
    "deep persistence": (FRONTEND, b'{"persistence":' * 900 + b"1" + b"}" * 900),
    "deep flags": (FRONTEND, b'{"flags":' + b"[" * 900 + b"]" * 900 + b"}"),
    "many flags": (FRONTEND, filled('{"flags":[', '"a",', '"b"]}')),
    "many frontends": (FRONTEND, filled('{"frontends":[', "0,", "0]}")),
    "many bad frontends": (FRONTEND, b'{"frontends":[' + b'{"tcp":"x"},' * 255 + b"0]}"),
    "many repetitions": (BACKEND, filled("{", '"tcp":-1,', '"tcp":1}')),
    "many names in a table": (FRONTEND, filled('{"tunnel":{', '"a":1,', '"type":1}}')),
    "a huge number": (BACKEND, b'{"tcp":' + b"9" * 60000 + b"}"),
    "a long fraction": (BACKEND, b'{"weight":' + b"9" * 60000 + b".5}"),
    "a long word": (FRONTEND, b'{"scheduler":"' + b"wl" * 30000 + b'"}'),
    "a long method": (ROUTE, b'{"IPVSMethod":"' + b"mas" * 20000 + b'"}'),
    "a long duration": (FRONTEND, b'{"persistence":"' + b"1x" * 30000 + b'"}'),
    "a long prefix": (ROUTE, b'{"Prefix":"' + b"1/" * 30000 + b'"}'),
    "a long gateway": (ROUTE, b'{"Gateway":"' + b"1:" * 30000 + b'"}'),
    "spaces before nothing": (BACKEND, b'{"ipv4":"198.51.100.1",' + b" " * 60000),
    "a NUL": (BACKEND, b'{"ipv4":"198.51.100.1\0"}'),
    "an escaped NUL": (BACKEND, b'{"ipv4":"198.51.100.1\\u0000"}'),
    "a NUL in a text": (BACKEND, b'{"quiesced":"a\\u0000b"}'),
    "an escape sequence in a text": (BACKEND, b'{"agent":"a\\u001b[31m"}'),
    "half a surrogate pair in a text": (BACKEND, b'{"quiesced":"\\ud800"}'),
    "half a surrogate pair in an address": (BACKEND, b'{"ipv4":"\\ud800"}'),
    "a key of a million parts": (f"{PREFIX}/services/" + "a/" * 700_000, b"{}"),
    "a key of a million slashes": (PREFIX + "/" * 1_500_000, b"{}"),
    "a key with a long name": (f"{PREFIX}/routes/" + "a" * 1_500_000, b"{}"),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("key", "value"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_hostile_is_refused_in_words_and_in_time(key: str, value: bytes) -> None:
    found = refusal(key, value)
    assert found.detail
    assert found.provenance is not None
    for text in (found.subject, found.detail, found.hint, found.provenance.place):
        assert len(text) < 400
        assert text.isprintable()
    assert (agent_of(value), old_names(value)) == ("", ())


# --- beside the record ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "agent"),
    [
        ('{"ipv4":"198.51.100.1","tcp":80,"weight":10,"agent":"host1"}', "host1"),
        ('{"ipv4":"198.51.100.1","tcp":80,"weight":10}', ""),
        ('{"agent":"host1","sctp":9}', "host1"),
        ('{"AGENT":"höst 1"}', "höst 1"),
        ('{"\\u0061gent":"ho\\u0073t1"}', "host1"),
        ('{"agent":"host1","agent":null}', "host1"),
        ('{"agent":"host1","agent":"host2"}', "host2"),
        ('{"Prefix":"198.51.100.0/24","agent":"host1"}', "host1"),
        ('{"tcp":"bad","agent":"host1"}', "host1"),
        ('{"agent":3}', ""),
        ('{"agent":"a\\u0000"}', ""),
        ('{"agent":"host1"', ""),
        ("", ""),
        ("[]", ""),
    ],
)
def test_the_agent_of_a_value(value: str, agent: str) -> None:
    assert agent_of(value.encode()) == agent


@pytest.mark.parametrize(
    ("value", "old"),
    [
        ('{"Prefix4":"198.51.100.0/24","Gateway4":"192.0.2.1"}', ("Prefix4", "Gateway4")),
        ('{"PREFIX4":"198.51.100.0/24"}', ("Prefix4",)),
        ('{"Prefix":"198.51.100.0/24","Prefix4":"198.51.100.0/25"}', ()),
        ('{"Prefix":"","Prefix4":"198.51.100.0/25"}', ("Prefix4",)),
        ('{"Prefix":"198.51.100.0/24","Gateway4":"192.0.2.1"}', ("Gateway4",)),
        ('{"Prefix4":""}', ()),
        ('{"Prefix4":null}', ()),
        ("{}", ()),
        ("not json", ()),
    ],
)
def test_old_names_are_told_where_they_count(value: str, old: tuple[str, ...]) -> None:
    assert old_names(value.encode()) == old


def test_a_route_by_its_old_names_is_the_route_by_its_new_ones() -> None:
    old = read_one(
        ROUTE, '{"Prefix4":"198.51.100.0/24","Gateway4":"192.0.2.1","IpvsMethod":"droute"}'
    )
    new = read_one(
        ROUTE, '{"Prefix":"198.51.100.0/24","Gateway":"192.0.2.1","IPVSMethod":"droute"}'
    )
    assert old == new
    assert isinstance(new, Route)
    assert new[2:5] == (
        Network.parse("198.51.100.0/24"),
        Method.DROUTE,
        Address.parse("192.0.2.1"),
    )
