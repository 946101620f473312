"""Laws of imports: what was meant comes back, and nothing ends in a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf.config.check import check_offline
from clusterf.model import notation
from clusterf.model.address import Address, Family
from clusterf.model.defaults import IPIP
from clusterf.model.problem import Code
from clusterf.model.service import Frontend, Ports, StickyClients
from clusterf.model.table import (
    SCHEDULERS,
    WEIGHT_MAX,
    Destination,
    DestinationKey,
    Method,
    Persistence,
    Protocol,
    Tunnel,
    TunnelType,
    VirtualService,
)
from clusterf.plugin.loader import Registry
from clusterf_import.files import Unreadable, decoded
from clusterf_import.ipvsadm import table
from clusterf_import.ipvsadm.rules import rules
from clusterf_import.keepalived.configuration import read
from clusterf_import.keepalived.lines import Source
from clusterf_import.places import Findings
from clusterf_import.services import Imported, ImportedBackend, ImportedService, keys, name_of
from clusterf_import.writing import text_of
from tests import strategies as _profile  # noqa: F401 - loads the settings of hypothesis
from tests.golden import plugins
from tests.imported import read_back

SAMPLES = Path(__file__).parents[1] / "golden" / "import"

METHODS = {Method.MASQ: "NAT", Method.DROUTE: "DR", Method.TUNNEL: "TUN"}


@cache
def registry() -> Registry:
    return plugins.registry()


def imported(content: bytes) -> tuple[Imported | None, Findings]:
    findings = Findings()

    def nothing(pattern: str, folder: str) -> Iterator[Source]:
        raise Unreadable(f"no {pattern} in {folder}")
        yield Source("", "", "")

    return read(Source("k.conf", "", decoded(content)), "main", nothing, findings), findings


# --- a model of virtual servers, and how they are written ----------------------------------------

ADDRESSES = {
    Family.INET: st.integers(1, 250).map(lambda last: Address.parse(f"198.51.100.{last}")),
    Family.INET6: st.integers(1, 250).map(lambda last: Address.parse(f"2001:db8:20::{last:x}")),
}
VIPS = {
    Family.INET: st.integers(1, 9).map(lambda last: Address.parse(f"192.0.2.{last}")),
    Family.INET6: st.integers(1, 9).map(lambda last: Address.parse(f"2001:db8:10::{last:x}")),
}
PORTS = st.integers(1, 65535)
TUNNELS = st.sampled_from(
    [
        IPIP,
        Tunnel(TunnelType.GRE),
        Tunnel(TunnelType.GRE, 0, "csum"),
        Tunnel(TunnelType.GUE, 6080),
        Tunnel(TunnelType.GUE, 6081, "remcsum"),
    ]
)


@st.composite
def backends(draw: st.DrawFn, family: Family, port: int) -> ImportedBackend:
    method = draw(st.sampled_from(Method))
    own = draw(st.sampled_from(Family)) if method is Method.TUNNEL else family
    upper = draw(st.sampled_from([0, 0, 1, 100]))
    return ImportedBackend(
        address=draw(ADDRESSES[own]),
        port=draw(PORTS) if method is Method.MASQ else port,
        weight=draw(st.sampled_from([0, 1, 1, 5, WEIGHT_MAX])),
        method=method,
        tunnel=draw(TUNNELS) if method is Method.TUNNEL else IPIP,
        upper_threshold=upper,
        lower_threshold=draw(st.integers(0, upper)),
    )


@st.composite
def services(draw: st.DrawFn) -> ImportedService:
    family = draw(st.sampled_from(Family))
    protocol = draw(st.sampled_from(Protocol))
    marked = draw(st.integers(0, 4)) == 0
    port = 0 if marked else draw(st.sampled_from([80, 443, 0]))
    if marked:
        one = Frontend(fwmark=draw(st.integers(1, 9)), family=family)
    else:
        ports = Ports(**{protocol.value: port})
        vip = draw(VIPS[family])
        one = Frontend(ipv4=vip, ports=ports) if len(vip) == 4 else Frontend(ipv6=vip, ports=ports)
    scheduler = draw(st.sampled_from(sorted(SCHEDULERS)))
    flags = draw(st.frozensets(st.sampled_from(sorted(SCHEDULERS[scheduler]) or ["none"])))
    if marked or protocol is Protocol.UDP:
        flags |= draw(st.sampled_from([frozenset(), frozenset({"ops"})]))
    sticky = draw(st.none() | st.integers(1, 31 * 86400)) if port or marked else 360
    prefix = draw(st.integers(1, family.bits))
    prefixes = {"prefix4" if family is Family.INET else "prefix6": prefix}
    behind = draw(st.lists(backends(family, port), min_size=1, max_size=4, unique_by=str))
    return ImportedService(
        name=name_of(next(keys(one))),
        title="",
        frontends=(one,),
        scheduler=scheduler,
        flags=flags - {"none"},
        persistence=None if sticky is None else StickyClients(sticky, **prefixes),
        backends=tuple(behind),
    )


@st.composite
def written(draw: st.DrawFn, service: ImportedService) -> str:
    """A virtual server as people write it: in other words, with comments, braces anywhere."""
    [frontend] = service.frontends
    key = next(keys(frontend))
    opening = draw(st.sampled_from([" {\n", "\n{\n", "{ # {\n", " {\n\n  ! }\n"]))
    protocol = "UDP"
    if frontend.fwmark is not None:
        head = f"fwmark {frontend.fwmark}"
    else:
        [(name, port)] = [(n, p) for n, p in frontend.ports._asdict().items() if p is not None]
        protocol = name.upper() if draw(st.booleans()) else name
        address = frontend.ipv4 or frontend.ipv6
        head = f"{address} {port}" if port or draw(st.booleans()) else str(address)
    lines = [f"{draw(st.sampled_from(['lb_algo', 'lvs_sched']))} {service.scheduler}"]
    if frontend.fwmark is not None:
        lines.append(f"ip_family {key.family}")
    else:
        lines.append(f"protocol {protocol}")
    lines += sorted(service.flags)
    if service.persistence is not None:
        sticky = service.persistence
        lines.append(f"persistence_timeout {sticky.timeout}")
        if key.family is Family.INET6:
            lines.append(f"persistence_granularity {sticky.prefix6}")
        else:
            mask = (0xFFFFFFFF << (32 - sticky.prefix4)) & 0xFFFFFFFF
            lines.append(f'persistence_granularity "{Address(mask.to_bytes(4))}"')
    usual = draw(st.sampled_from(Method))
    lines.append(f"{draw(st.sampled_from(['lb_kind', 'lvs_method']))} {METHODS[usual]}")
    for backend in service.backends:
        port = f" {backend.port}" if backend.port else draw(st.sampled_from(["", " 0"]))
        inside = [] if backend.weight == 1 and draw(st.booleans()) else [f"weight {backend.weight}"]
        if (backend.method, backend.tunnel) != (usual, IPIP) or draw(st.booleans()):
            inside.append(f"lvs_method {METHODS[backend.method]}{_tunnel(backend)}")
        if backend.upper_threshold:
            inside.append(f"uthreshold {backend.upper_threshold}")
        if backend.lower_threshold:
            inside.append(f"lthreshold {backend.lower_threshold}")
        if draw(st.booleans()):
            inside.append("TCP_CHECK { connect_timeout 3 }")
        body = "".join(f"    {line}\n" for line in inside)
        lines.append(f"real_server {backend.address}{port}{opening}{body}}}")
    body = "".join(f"  {line}\n" for line in lines)
    return f"virtual_server {head}{opening}{body}}}\n"


def _tunnel(backend: ImportedBackend) -> str:
    if backend.method is not Method.TUNNEL or backend.tunnel == IPIP:
        return ""
    kind, port, flags = backend.tunnel
    return f" type {kind}" + (f" port {port}" if port else "") + f" {flags}"


@st.composite
def configurations(draw: st.DrawFn) -> tuple[list[ImportedService], str]:
    found = draw(st.lists(services(), min_size=1, max_size=4, unique_by=lambda one: one.name))
    return found, "".join(draw(written(service)) for service in found)


@given(configurations())
def test_what_is_written_for_keepalived_comes_back_as_it_was_meant(
    case: tuple[list[ImportedService], str],
) -> None:
    expected, text = case
    found, findings = imported(text.encode())
    assert findings.errors == 0, list(findings)
    assert found is not None
    assert read_back(text_of(found, "keepalived", "k.conf")) == expected


def as_rules(service: ImportedService) -> Iterator[str]:
    """What ``ipvsadm -S -n`` prints of it."""
    key = next(keys(service.frontends[0]))
    sticky = service.persistence
    prefix = 0 if sticky is None else sticky[1 if key.family is Family.INET else 2]
    persistence = None if sticky is None else Persistence(sticky.timeout, prefix)
    entry = VirtualService(service.scheduler, service.flags, persistence)
    yield notation.service("-A", key, entry)
    for one in service.backends:
        target = DestinationKey(one.address, one.port)
        settings = Destination(
            one.weight, one.method, one.upper_threshold, one.lower_threshold, one.tunnel
        )
        yield notation.destination("-a", key, target, settings)


@given(st.lists(services(), min_size=1, max_size=4, unique_by=lambda one: one.name))
def test_what_ipvsadm_prints_comes_back_as_it_was(expected: list[ImportedService]) -> None:
    findings = Findings()
    text = "\n".join(line for service in expected for line in as_rules(service))
    found = Imported(table.services(rules("t", text, findings), findings))
    assert list(findings) == []
    assert read_back(text_of(found, "ipvsadm", "t")) == expected


RULES = st.sampled_from(
    ["-A ", "-a ", "-t ", "-u ", "-f ", "-6 ", "-s ", "rr ", "mh ", "-b mh-port ", "-p ", "-M ",
     "300 ", "255.255.0.0 ", "192.0.2.1:80 ", "[2001:db8::1]:0 ", "-r ", "198.51.100.1:80 ", "-i ",
     "-g ", "-m ", "-w ", "-x 1 ", "-y ", "--tun-type ", "gue ", "--tun-port ", "\n", "-o ", "7 ",
     "--weight=", "-C ", "\0", "é", "-A -t 192.0.2.1:80 ",
     "\n-a -t 192.0.2.1:80 -r 198.51.100.1:80 ",
    ]
)  # fmt: skip


@given(st.lists(RULES, max_size=40).map("".join) | st.text(max_size=60))
def test_any_rules_end_in_a_result_or_a_problem(folder: Path, text: str) -> None:
    findings = Findings()
    found = Imported(table.services(rules("t", text, findings), findings))
    for problem in findings:
        assert 1 <= problem.line <= text.count("\n") + 1
        assert 1 <= problem.column <= len(problem.source) + 1
    checked(found, folder)


# --- any bytes -----------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        "virtual_server ", "virtual_server_group ", "real_server ", "vrrp_instance ", "global_defs",
        "192.0.2.1 ", "198.51.100.1 ", "2001:db8::1 ", "192.0.2.1-9 ", "group g ", "fwmark 1 ",
        "80 ", "0 ", "99999 ", "-1 ", "lb_algo mh\n", "lb_kind DR\n", "lvs_method TUN type gue ",
        "protocol TCP\n", "mh-port\n", "ops\n", "persistence_timeout\n", "weight 5\n", "TCP_CHECK ",
        "persistence_granularity ", "255.255.255.0\n", "{", "}", "{\n", "}\n", "\n", " ", '"', "'",
        "#", "!", "\\\n", "$A=", "$A\n", "${A}", "$A=\\\n", "~SEQ(A, 1, 3) ", "~LST(A, 1, 2) ",
        "@main ", "@^main ", "include x\n", "\t", "\r\n", "\0", "\x1b[2J", "é", "\xa0", "\u2028",
        "virtual_ipaddress {\n",
    ]
)  # fmt: skip


def judged(content: bytes, folder: Path) -> None:
    """A result that `check` finds nothing in, or errors with places; never anything else."""
    found, findings = imported(content)
    count = decoded(content).count("\n") + 1
    for problem in findings:
        assert problem.message
        assert 1 <= problem.line <= count
        assert 1 <= problem.column <= len(problem.source) + 1
    if found is None:
        assert findings.errors
        return
    checked(found, folder)


def checked(found: Imported, folder: Path) -> None:
    """Whatever is written has no problem, unless the other program's table had no server."""
    if found.services:
        path = folder / "clusterf.toml"
        path.write_text(text_of(found, "keepalived", "k.conf"), "utf-8")
        _, problems = check_offline(path, registry())
        served = (one for one in problems if one.code != Code.NO_DESTINATION)
        assert [str(problem) for problem in served] == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("imported")


@given(content=st.binary(max_size=200))
def test_any_bytes_end_in_a_result_or_a_problem(folder: Path, content: bytes) -> None:
    judged(content, folder)


@given(text=st.lists(PIECES, max_size=60).map("".join))
def test_any_words_end_in_a_result_or_a_problem(folder: Path, text: str) -> None:
    judged(text.encode(), folder)


@given(data=st.data())
def test_a_sample_with_something_else_in_it_ends_in_a_result_or_a_problem(
    folder: Path, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(SAMPLES.glob("*.conf"))))
    lines = name.read_text("utf-8").splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["drop", "twice", "insert", "swap"]))
        if change == "drop":
            del lines[at : at + 1]
        elif change == "twice":
            lines.insert(at, lines[at])
        elif change == "insert":
            lines.insert(at, data.draw(PIECES))
        else:
            lines[at : at + 2] = reversed(lines[at : at + 2])
        lines = lines or ["\n"]
    judged("".join(lines).encode(), folder)


@pytest.mark.parametrize("name", ["nat.conf", "advanced.conf"])
def test_a_sample_that_ends_anywhere_ends_in_a_result_or_a_problem(name: str) -> None:
    content = (SAMPLES / name).read_bytes()
    for end in range(len(content)):
        found, findings = imported(content[:end])
        assert found is not None or findings.errors
        if found is not None and found.services:
            assert read_back(text_of(found, "keepalived", name)) == found.services
