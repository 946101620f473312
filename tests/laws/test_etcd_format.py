"""Laws of the data format of etcd: nothing raises, both ways of reading agree, all comes back.

What Go's decoder makes of a value is told by an oracle that does what its documentation says, one
name after the other.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from clusterf.model.address import Address, Family
from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import (
    Backend,
    BackendRef,
    Frontend,
    Ports,
    Record,
    Ref,
    Route,
    RouteRef,
    ServiceRef,
    ServiceSpec,
    StickyClients,
)
from clusterf.model.table import SCHEDULERS, SERVICE_FLAGS, WEIGHT_MAX, Method, Tunnel, TunnelType
from clusterf_etcd.keys import KeyFault, key_of, ref_of, shown_key
from clusterf_etcd.reading import agent_of, old_names, read, read_by_model
from clusterf_etcd.writing import write
from tests.strategies import EXAMPLES, addresses4, addresses6, networks

PREFIX = "/clusterf"
SOURCE = "sources.etcd"
REFS: tuple[Ref, ...] = (BackendRef("web", "b1"), ServiceRef("web"), RouteRef("r"))
refs = st.sampled_from(REFS)

# --- keys -----------------------------------------------------------------------------------------

parts = st.sampled_from(
    ["services", "routes", "frontend", "backends", "web", "b1", "", ".", "..", "größe", "a b"]
) | st.text(max_size=3)
any_keys = st.one_of(
    st.lists(parts, max_size=6).map(lambda some: "/".join([PREFIX, *some])),
    st.text(max_size=20),
    st.binary(max_size=20).map(lambda raw: PREFIX + raw.decode(errors="surrogateescape")),
)
names = st.text(min_size=1, max_size=8) | st.sampled_from(
    ["web", "a/b", "..", "s" * 254, "r" * 256]
)
any_refs = (
    st.builds(ServiceRef, names) | st.builds(BackendRef, names, names) | st.builds(RouteRef, names)
)


def ref_or_fault(key: str) -> Ref | str:
    try:
        return ref_of(key, PREFIX)
    except KeyFault as fault:
        return str(fault)


@settings(max_examples=5 * EXAMPLES)
@given(any_keys)
def test_a_key_is_for_one_record_or_told_why_not(key: str) -> None:
    found = ref_or_fault(key)
    if isinstance(found, str):
        assert found.isprintable()
        assert shown_key(key).isprintable()
    else:
        assert key_of(found, PREFIX) == key


@settings(max_examples=3 * EXAMPLES)
@given(any_refs)
def test_a_record_has_a_key_that_leads_back_to_it_or_none(ref: Ref) -> None:
    with contextlib.suppress(KeyFault):
        found = ref_of(key_of(ref, PREFIX), PREFIX)
        assert (type(found), found) == (type(ref), ref)


# --- any value at all -----------------------------------------------------------------------------

FIELDS = [
    *("ipv4", "ipv6", "tcp", "udp", "weight", "Prefix", "Gateway", "IPVSMethod"),
    *("Prefix4", "Gateway4", "sctp", "frontends", "fwmark", "family", "scheduler", "flags"),
    *("persistence", "method", "tunnel", "upper_threshold", "lower_threshold", "elide", "health"),
    *("quiesced", "agent", "timeout", "netmask", "netmask6", "type", "port", "other"),
]


@st.composite
def field_names(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(FIELDS))
    return draw(
        st.sampled_from([name, name, name.upper(), name.title(), name.replace("s", "\u017f")])
    )


literals = st.sampled_from(
    [
        *("0", "1", "10", "80", "65535", "65536", "-1", "-0", "80.0", "1e2", "1e999", "2147483648"),
        *("18446744073709551616", "9" * 30, "true", "false", "null", "NaN", "[]", "{}", '""'),
        *('"192.0.2.1"', '"0.0.0.0"', '"2001:db8::1"', '"192.0.2.9/24"', '"2001:db8::/32"'),
        *('"masq"', '"tunnel"', '"Masq"', '"rr"', '"mh"', '"mh-port"', '"ops"', '"5m"', '"gue"'),
        *('"inet6"', '"a\\u0000"', '"\\ud800"', '"host1"', '"\x7f"', '"\0"', "[" * 2000),
    ]
)
spaces = st.sampled_from(["", "", "", " ", "\n", "\t ", "\x0b"])


@st.composite
def objects(draw: st.DrawFn, depth: int = 0) -> str:
    """Texts of which most are JSON objects: names repeat, nest and come in any case."""
    pairs = []
    for _ in range(draw(st.integers(0, 6))):
        name = json.dumps(draw(field_names()), ensure_ascii=draw(st.booleans()))
        value = draw(values(depth + 1))
        pairs.append(f"{draw(spaces)}{name}:{draw(spaces)}{value}")
    return "{" + ",".join(pairs) + "}"


def values(depth: int) -> st.SearchStrategy[str]:
    if depth > 2:
        return literals
    arrays = st.lists(st.deferred(lambda: values(depth + 1)), max_size=3).map(
        lambda items: "[" + ",".join(items) + "]"
    )
    return st.one_of(literals, literals, literals, st.deferred(lambda: objects(depth)), arrays)


ORDERED = ("ipv4", "ipv6", "tcp", "udp", "weight", "agent")


@st.composite
def nearly_plain(draw: st.DrawFn) -> str:
    """Values as they are written, or with one thing about them that is not."""
    chosen = [name for name in ORDERED if draw(st.booleans())]
    fitting = {
        "ipv4": ['"192.0.2.1"', '"192.0.2.1"', '"0.0.0.0"', '"223.255.255.255"', '"1.2.3"', '"x"'],
        "ipv6": [
            '"2001:db8::1"',
            '"::"',
            '"ff02::1"',
            '"::ffff:192.0.2.1"',
            '"1:2"',
            '"192.0.2.1"',
        ],
        "tcp": ["80", "1", "65535", "65536", "0", "080", "-0", "8.0", '"80"'],
        "udp": ["53", "65535", "65536", "0", "null"],
        "weight": ["10", "0", "2147483647", "2147483648", "-1", "1e1"],
        "agent": ['"host1"', '"host-1.example.org"', '""', '"a b"', '"ä"', '"\\u0061"', '"~"', "1"],
    }
    texts = [f'"{name}":{draw(spaces)}{draw(st.sampled_from(fitting[name]))}' for name in chosen]
    if draw(st.integers(0, 9)) == 0:
        texts = draw(st.permutations(texts))
    if texts and draw(st.integers(0, 9)) == 0:
        texts.append(draw(st.sampled_from(texts)))
    comma = "," + draw(spaces)
    return draw(spaces) + "{" + comma.join(texts) + "}" + draw(spaces)


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> bytes:
    value = bytearray(draw(texts).encode(errors="surrogatepass"))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(value)))
        value[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(value[: draw(st.integers(0, len(value)))] if draw(st.booleans()) else value)


any_values = st.one_of(
    st.binary(max_size=60),
    objects().map(lambda text: text.encode(errors="surrogatepass")),
    nearly_plain().map(str.encode),
    damaged(objects()),
    damaged(nearly_plain()),
)


def of_kind(ref: Ref, record: Record) -> bool:
    return record.ref == ref and type(record.ref) is type(ref)


@settings(max_examples=8 * EXAMPLES)
@example(REFS[0], b'{"ipv4":"192.0.2.1","tcp":80,"weight":10,"agent":"host1"}')
@example(REFS[0], b'{"ipv6":"2001:db8::1","udp":53}')
@example(REFS[1], b'{"ipv4":"192.0.2.1","ipv6":"2001:db8::1","tcp":80}\n')
@given(refs, any_values)
def test_any_value_is_a_record_or_a_refusal_in_words_and_both_ways_of_reading_agree(
    ref: Ref, value: bytes
) -> None:
    key = key_of(ref, PREFIX)
    found = read(key, value, PREFIX, SOURCE)
    assert found == read_by_model(ref, value, Provenance(SOURCE, key))
    assert found.provenance == Provenance(SOURCE, key)
    assert agent_of(value).isprintable()
    assert set(old_names(value)) <= {"Prefix4", "Gateway4"}
    if isinstance(found, Refusal):
        assert found.reason in {"not_json", "bad_value"}
        assert found.detail
        assert len(found.detail) < 350
        assert found.detail.isprintable()
        assert found.hint.isprintable()
    else:
        assert of_kind(ref, found)
        # What could be read can be written, and is then the same.
        assert_comes_back(found)


@settings(max_examples=2 * EXAMPLES)
@given(any_keys, any_values)
def test_any_key_is_read_or_refused(key: str, value: bytes) -> None:
    found = read(key, value, PREFIX, SOURCE)
    ref = ref_or_fault(key)
    if isinstance(ref, str):
        assert isinstance(found, Refusal)
        assert (found.reason, found.detail) == ("bad_key", ref)
        assert str(found).isprintable()
    else:
        assert isinstance(found, Refusal) or of_kind(ref, found)


# --- as Go reads ----------------------------------------------------------------------------------


def go_reads(pairs: list[tuple[str, Any]]) -> dict[str, Any] | None:
    """Fields of a backend after Go has read these names and values; None: it returns an error."""
    struct: dict[str, Any] = {"ipv4": "", "ipv6": "", "tcp": 0, "udp": 0, "weight": 10}
    for name, value in pairs:
        field = name.lower()
        if field not in struct or value is None:
            continue
        if field in {"ipv4", "ipv6"}:
            if not isinstance(value, str):
                return None
        else:
            largest = 2**64 - 1 if field == "weight" else 65535
            if type(value) is not int or not 0 <= value <= largest:
                return None
        struct[field] = value
    return struct


go_names = st.sampled_from(
    ["ipv4", "IPv4", "ipv6", "tcp", "TCP", "udp", "Udp", "weight", "WEIGHT", "x"]
)
go_values = st.sampled_from(
    [
        None,
        True,
        "",
        "198.51.100.1",
        "2001:db8::1",
        0,
        1,
        10,
        80,
        65535,
        65536,
        -1,
        1.5,
        [],
        {},
        "80",
    ]
)


@settings(max_examples=8 * EXAMPLES)
@given(st.lists(st.tuples(go_names, go_values), max_size=5))
def test_what_go_reads_is_read_and_what_it_refuses_is_refused(
    pairs: list[tuple[str, Any]],
) -> None:
    text = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs)
    found = read(key_of(REFS[0], PREFIX), f"{{{text}}}".encode(), PREFIX, SOURCE)
    struct = go_reads(pairs)
    wrong = struct is None or "198.51.100.1" in struct["ipv6"] or ":" in struct["ipv4"]
    wrong = wrong or "80" in {(struct or {}).get("ipv4"), (struct or {}).get("ipv6")}
    assert isinstance(found, Refusal) is wrong
    if struct is not None and isinstance(found, Backend):
        assert ("" if found.ipv4 is None else str(found.ipv4)) == struct["ipv4"]
        assert ("" if found.ipv6 is None else str(found.ipv6)) == struct["ipv6"]
        assert (found.ports.tcp or 0, found.ports.udp or 0) == (struct["tcp"], struct["udp"])
        assert (10 if found.weight is None else found.weight) == struct["weight"]


# --- back again -----------------------------------------------------------------------------------


def assert_comes_back(record: Record, agent: str = "") -> None:
    """The same record is read where it was written, but for what is of one host alone."""
    key = key_of(record.ref, PREFIX)
    value = write(record, agent=agent)
    found = read(key, value, PREFIX, SOURCE)
    assert not isinstance(found, Refusal), found
    assert found == shared(record, found.provenance)
    assert found == read_by_model(record.ref, value, found.provenance)
    assert agent_of(value) == agent
    assert old_names(value) == ()
    assert json.loads(value) is not None
    assert write(found, agent=agent) == value


def shared(record: Record, provenance: Provenance) -> Record:
    if isinstance(record, ServiceSpec):
        return record._replace(provenance=provenance, order=0)
    if isinstance(record, Route):
        return record._replace(provenance=provenance)
    quiesced = record.quiesced or None
    weight = record.weight if record.quiesced is None else 0
    return record._replace(
        provenance=provenance, gateway=None, labels={}, weight=weight, quiesced=quiesced
    )


numbers = st.integers(1, 65535)
offers = st.builds(Ports, st.none() | numbers, st.none() | numbers, st.none() | numbers)
vip_ports = st.none() | st.integers(0, 65535)
weights = st.none() | st.integers(0, WEIGHT_MAX)
texts = st.text(min_size=1, max_size=255).filter(str.isprintable)
agents = st.sampled_from(["", "host1", 'a "b" \\ größe 日本 😀']) | texts
tunnels = st.sampled_from(
    [
        Tunnel(),
        Tunnel(TunnelType.GRE),
        Tunnel(TunnelType.GRE, flags="csum"),
        Tunnel(TunnelType.GUE, 6080),
        Tunnel(TunnelType.GUE, 65535, "remcsum"),
    ]
)
hosts4 = addresses4.filter(lambda address: address.is_unicast)
hosts6 = addresses6.filter(lambda address: address.is_unicast)
thresholds = st.sampled_from(
    [(None, None), (None, 7), (100, None), (100, 0), (2**32 - 1, 2**32 - 1)]
)
own_names = st.text(min_size=1, max_size=20).filter(
    lambda name: name.isprintable() and " " not in name and "/" not in name and name.strip(".")
)


@st.composite
def frontends(draw: st.DrawFn) -> Frontend:
    ipv4, ipv6 = draw(st.none() | addresses4), draw(st.none() | addresses6)
    ports = draw(st.builds(Ports, vip_ports, vip_ports, vip_ports))
    marks = st.none() | st.integers(1, 2**32 - 1)
    mark = draw(marks) if ports == Ports() or ipv4 or ipv6 else None
    family = Family.INET if mark is None else draw(st.sampled_from(Family))
    return Frontend(ipv4, ipv6, ports, mark, family)


@st.composite
def services(draw: st.DrawFn) -> ServiceSpec:
    scheduler = draw(st.none() | st.sampled_from(sorted(SCHEDULERS)))
    flags = sorted(SERVICE_FLAGS | (SCHEDULERS[scheduler] if scheduler else {"sh-port", "mh-port"}))
    upper, lower = draw(thresholds)
    sticky = st.builds(
        StickyClients, st.integers(1, 31 * 86400), st.integers(1, 32), st.integers(1, 128)
    )
    return ServiceSpec(
        name=draw(own_names),
        provenance=Provenance("sources.test"),
        order=draw(st.integers(0, 5)),
        frontends=draw(st.none() | st.lists(frontends(), max_size=3).map(tuple)),
        scheduler=scheduler,
        flags=draw(st.none() | st.frozensets(st.sampled_from(flags))),
        persistence=draw(st.none() | sticky | st.just(StickyClients(300))),
        elide=draw(st.sampled_from([None, True, False])),
        weight=draw(weights),
        method=draw(st.none() | st.sampled_from(Method)),
        tunnel=draw(st.none() | tunnels),
        upper_threshold=upper,
        lower_threshold=lower,
    )


@st.composite
def backends(draw: st.DrawFn) -> Backend:
    upper, lower = draw(thresholds)
    return Backend(
        service=draw(own_names),
        id=draw(own_names),
        ports=draw(offers),
        provenance=Provenance("sources.test"),
        weight=draw(weights),
        quiesced=draw(st.none() | st.sampled_from(["", "stopping"]) | texts),
        method=draw(st.none() | st.sampled_from(Method)),
        gateway=draw(st.none() | hosts4),
        tunnel=draw(st.none() | tunnels),
        upper_threshold=upper,
        lower_threshold=lower,
        ipv4=draw(st.none() | hosts4),
        ipv6=draw(st.none() | hosts6),
        labels={"label": "x"},
    )


@st.composite
def routes(draw: st.DrawFn) -> Route:
    prefix = draw(st.none() | networks())
    method = draw(st.none() | st.sampled_from(Method))
    free = prefix is None or method in {None, Method.TUNNEL}
    hosts: st.SearchStrategy[Address] = hosts4 | hosts6
    if not free and prefix is not None:
        hosts = hosts4 if prefix.family is Family.INET else hosts6
    return Route(
        name=draw(own_names),
        provenance=Provenance("sources.test"),
        prefix=prefix,
        method=method,
        gateway=draw(st.none() | hosts),
        tunnel=draw(st.none() | tunnels),
    )


@settings(max_examples=3 * EXAMPLES)
@given(services())
def test_a_service_comes_back(record: ServiceSpec) -> None:
    assert_comes_back(record)


@settings(max_examples=3 * EXAMPLES)
@given(backends(), agents)
def test_a_backend_comes_back(record: Backend, agent: str) -> None:
    assert_comes_back(record, agent)


@settings(max_examples=3 * EXAMPLES)
@given(routes(), agents)
def test_a_route_comes_back(record: Route, agent: str) -> None:
    assert_comes_back(record, agent)
