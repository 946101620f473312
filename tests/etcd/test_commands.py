"""``clusterf etcd get``, ``put`` and ``rm``, as processes, on a real etcd."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio

from tests.etcd import server
from tests.etcd.clients import aside
from tests.etcd.commands import Doorkeeper, at, clusterf, everything, leased, revision
from tests.lab.process import Completed

if TYPE_CHECKING:
    from tests.etcd.server import Cluster
    from tests.lab.certificates import Certificates

pytestmark = pytest.mark.etcd


@pytest.fixture(scope="module")
def shared() -> Iterator[Cluster]:
    """One member for all tests of this file."""
    server.require()
    with server.Cluster() as made:
        yield made


@pytest.fixture
def etcd(shared: Cluster) -> Iterator[Cluster]:
    """The same, empty."""
    yield shared
    shared.delete("/", prefix=True)


WEB = "/clusterf/services/web/frontend"
B1 = "/clusterf/services/web/backends/b1"


def good(done: Completed) -> str:
    """What a command printed that went well and complained of nothing."""
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def words(done: Completed) -> list[list[str]]:
    """The same word by word, but for how long leases live: columns are as wide as they must."""
    return [re.sub(r" \d+s$", "", line).split() for line in good(done).splitlines()]


def ended(done: Completed) -> tuple[int, str]:
    """Exit code and complaint of one that printed nothing else."""
    assert done.stdout == ""
    return done.returncode, done.stderr


# --- get ------------------------------------------------------------------------------------------


def test_the_tree_as_people_want_to_see_it(etcd: Cluster) -> None:
    container = "3f2a0c99" * 8
    etcd.put(WEB, '{"ipv4":"192.0.2.10","ipv6":"2001:db8::10","tcp":80,"scheduler":"mh"}')
    leased(
        etcd,
        f"/clusterf/services/web/backends/{container}",
        '{"ipv4":"203.0.113.7","tcp":8080,"weight":10,"agent":"host1"}',
    )
    etcd.put(B1, '{"ipv4":"localhost","tcp":8080}')
    etcd.put("/clusterf/services/db/backends/b1", '{"IPV4":"198.51.100.1","Tcp":5432}')
    etcd.put(
        "/clusterf/routes/host1",
        '{"Prefix":"203.0.113.0/26","Gateway":"192.0.2.11","IpvsMethod":"droute"}',
    )
    etcd.put("/clusterf/nonsense\x1b[31m", "{}")
    etcd.put("/elsewhere/services/other/frontend", "{}")
    shown = good(clusterf("get", *at(etcd))).splitlines()
    head, empty, *rest = shown
    # The whole time, or a little less on a busy machine.
    [life] = re.findall(r" host1 (\d+s)", "\n".join(rest))
    assert 500 < int(life[:-1]) <= 600
    assert head == (
        f"etcd {etcd.endpoints[0]} /clusterf, revision {revision(etcd)}: "
        "2 services, 2 backends, 1 route, 2 keys refused"
    )
    assert empty == ""
    assert rest == [
        "Prot VIP:Port Scheduler Settings",
        f"  -> {'Backend':<12} {'Address':<12} Ports    Weight Agent Lease",
        "db",
        "no frontend",
        "  -> b1           198.51.100.1 tcp 5432 -      -     -",
        "web",
        "tcp  192.0.2.10:80 mh",
        "tcp  [2001:db8::10]:80 mh",
        f"  -> 3f2a0c993f2a 203.0.113.7  tcp 8080 10     host1 {life}",
        f'  refused: {B1}: ipv4: "localhost" is not an IPv4 address',
        "",
        "Route Prefix         Forward Gateway    Agent Lease",
        "host1 203.0.113.0/26 Route   192.0.2.11 -     -",
        (
            r'refused: /clusterf/nonsense\x1b[31m: has "nonsense\x1b[31m" where services or routes '
            "is expected (hint: keys are services/NAME/frontend, services/NAME/backends/ID and "
            "routes/NAME)"
        ),
    ]
    # A part of it, by its names and by its keys.
    lasting = [re.sub(r" \d+s$", "", line).split() for line in rest]
    part = clusterf("get", "web", *at(etcd))
    assert words(part)[2:] == lasting[5:10]
    route = good(clusterf("get", "route", "host1", *at(etcd)))
    assert route.splitlines() == rest[11:13]
    one = clusterf("get", f"services/web/backends/{container}", *at(etcd))
    assert words(one)[2:] == [["web"], ["no", "frontend"], lasting[8]]


def test_an_empty_tree_is_told(etcd: Cluster) -> None:
    assert good(clusterf("get", *at(etcd))).endswith(": 0 services, 0 backends, 0 routes\n")
    assert good(clusterf("get", "--raw", *at(etcd))) == ""
    assert json.loads(good(clusterf("get", "--format", "json", *at(etcd))))["services"] == []


def test_what_is_not_there_is_told_with_what_is_near(etcd: Cluster) -> None:
    etcd.put(WEB, "{}")
    etcd.put("/clusterf/services/web/backends/3f2a0c99", "{}")
    assert ended(clusterf("get", "wbe", *at(etcd))) == (
        1,
        'clusterf: service wbe is not there (hint: did you mean "web"?)\n',
    )
    code, told = ended(clusterf("rm", "services/web/backends/3f2a", *at(etcd)))
    assert (code, 'did you mean "3f2a0c99"?' in told) == (1, True)


def test_json_for_programs(etcd: Cluster) -> None:
    etcd.put(WEB, '{"TCP":80,"ipv4":"192.0.2.10"}')
    lease = leased(etcd, B1, '{"ipv4":"198.51.100.1","agent":"host1"}')
    etcd.put("/clusterf/routes/r", "[]")
    found = json.loads(good(clusterf("get", "--format", "json", *at(etcd))))
    assert (found["endpoints"], found["prefix"]) == (etcd.endpoints, "/clusterf")
    assert found["revision"] == revision(etcd)
    [web] = found["services"]
    assert web["frontend"]["value"] == {"ipv4": "192.0.2.10", "tcp": 80}
    [backend] = web["backends"]
    assert (backend["id"], backend["lease"]["id"]) == ("b1", lease)
    assert 500 < backend["lease"]["ttl"] <= 600
    assert backend["agent"] == "host1"
    assert [one["key"] for one in found["refused"]] == ["/clusterf/routes/r"]


def test_raw_is_what_etcd_has(etcd: Cluster) -> None:
    value = '{ "tcp" : 80 }\n\x1b[31m\u00e9'
    etcd.put(WEB, value)
    etcd.put("/clusterf/a b", "")
    assert good(clusterf("get", "--raw", *at(etcd))) == f"/clusterf/a b \n{WEB} {value}\n"


# --- put ------------------------------------------------------------------------------------------


def test_a_frontend_is_written_changed_and_left_alone(etcd: Cluster) -> None:
    words = ("put", "web", "--ipv4", "192.0.2.10", "--tcp", "80", *at(etcd))
    dry = good(clusterf(*words, "--dry-run"))
    assert dry.endswith("nothing is written: --dry-run\n")
    assert everything(etcd) == {}
    first = '{"ipv4":"192.0.2.10","tcp":80}'
    assert good(clusterf(*words)) == f"{WEB}\n  + {first}\n"
    assert etcd.get(WEB) == first
    before = revision(etcd)
    assert good(clusterf(*words)) == f"{WEB}\n  = {first}\n"
    assert revision(etcd) == before
    second = '{"ipv4":"192.0.2.10","tcp":80,"udp":53}'
    merged = good(clusterf("put", "web", "--merge", "--udp", "53", *at(etcd)))
    assert merged == f"{WEB}\n  - {first}\n  + {second}\n"
    third = '{"ipv4":"192.0.2.11","tcp":443,"scheduler":"mh","flags":["mh-port"]}'
    replaced = good(
        clusterf(
            *("put", "web", "--ipv4", "192.0.2.11", "--tcp", "443"),
            *("--scheduler", "mh", "--flag", "mh-port", *at(etcd)),
        )
    )
    assert replaced == f"{WEB}\n  - {second}\n  + {third}\n"
    assert everything(etcd) == {WEB: third}


def test_a_route_is_written(etcd: Cluster) -> None:
    words = ("--prefix", "10.1.0.0/16", "--gateway", "192.0.2.1", "--method", "droute")
    good(clusterf("put", "route", "host1", *words, "--prefix", "/elsewhere", *at(etcd)))
    value = '{"Prefix":"10.1.0.0/16","Gateway":"192.0.2.1","IPVSMethod":"droute"}'
    assert everything(etcd) == {"/elsewhere/routes/host1": value}


def test_any_key_is_written_from_json(etcd: Cluster) -> None:
    text = '{ "ipv4": "198.51.100.1",\n  "TCP": 8080 }\n'
    good(clusterf("put", "services/web/backends/b1", "-", *at(etcd), text=text))
    assert etcd.get(B1) == '{"ipv4":"198.51.100.1","TCP":8080}'
    good(clusterf("put", "web", "--json", '{"fwmark":7}', *at(etcd)))
    assert etcd.get(WEB) == '{"fwmark":7}'


@pytest.mark.parametrize(
    ("words", "text", "told"),
    [
        (("web", "--ipv4", "192.0.2.10", "--tcp", "70000"), "", "tcp: must be at most 65535"),
        (("web", "--json", '{"tpc":80}'), "", 'unknown field "tpc" (hint: did you mean "tcp"?)'),
        (("services/web/frontend", "-"), "\0", "is not JSON"),
        (("services/web/frontend", "-"), "[" * 60_000, "is nested too deeply"),
        (("services/web/frontend", "-"), " " * 10_000_000, "bytes long"),
        (("../../etc/passwd", "--json", "{}"), "", 'has ".." as a part'),
        (
            (
                "route",
                "r",
                "--prefix",
                "10.0.0.0/8",
                "--gateway",
                "2001:db8::1",
                "--method",
                "masq",
            ),
            "",
            "is of another address family",
        ),
    ],
)
def test_what_no_reader_would_take_is_not_written(
    etcd: Cluster, words: tuple[str, ...], text: str, told: str
) -> None:
    code, complaint = ended(clusterf("put", *words, *at(etcd), text=text))
    assert code == 1
    assert told in complaint
    assert complaint.count("\n") == 1
    assert everything(etcd) == {}


def test_a_value_that_nobody_can_read_is_replaced_and_not_merged(etcd: Cluster) -> None:
    etcd.put(WEB, "{\x1b[31m")
    assert ended(clusterf("put", "web", "--merge", "--tcp", "80", *at(etcd)))[0] == 1
    shown = good(clusterf("put", "web", "--ipv4", "192.0.2.1", "--tcp", "80", *at(etcd)))
    assert shown.splitlines()[1] == r"  - {\x1b[31m"


# --- rm -------------------------------------------------------------------------------------------


def test_one_key_is_removed_and_the_others_stay(etcd: Cluster) -> None:
    keys = [WEB, B1, "/clusterf/routes/r", "/clusterf/services/webb/frontend", "/clusterf/junk"]
    for key in keys:
        etcd.put(key, "{}")
    dry = good(clusterf("rm", "web", "--dry-run", *at(etcd)))
    assert dry.endswith("nothing is removed: --dry-run\n")
    assert list(everything(etcd)) == sorted(keys)
    for words, gone, told in (
        (("web",), WEB, "1 backend stays; --all removes the whole service\n"),
        (("services/web/backends/b1",), B1, ""),
        (("route", "r"), "/clusterf/routes/r", ""),
        (("/clusterf/junk",), "/clusterf/junk", ""),
    ):
        assert good(clusterf("rm", *words, *at(etcd))) == f"{gone}\n  - {{}}\n{told}"
        keys.remove(gone)
        assert list(everything(etcd)) == sorted(keys)
    assert keys == ["/clusterf/services/webb/frontend"]


def test_a_whole_service_is_removed_however_many_backends_it_has(etcd: Cluster) -> None:
    etcd.put(WEB, "{}")
    for number in range(150):
        etcd.put(f"/clusterf/services/web/backends/b{number:03}", "{}")
    etcd.put("/clusterf/services/web2/frontend", "{}")
    shown = good(clusterf("rm", "web", "--all", *at(etcd)))
    assert shown.count("  - {}\n") == 151
    assert list(everything(etcd)) == ["/clusterf/services/web2/frontend"]


def test_what_an_agent_keeps_alive_is_touched_by_force_only(etcd: Cluster) -> None:
    etcd.put(WEB, "{}")
    value = '{"ipv4":"198.51.100.1","agent":"host1"}'
    leased(etcd, B1, value)
    before = everything(etcd)
    for words in (
        ("rm", "services/web/backends/b1"),
        ("rm", "web", "--all"),
        ("put", "services/web/backends/b1", "--weight", "5"),
    ):
        code, told = ended(clusterf(*words, *at(etcd)))
        assert code == 1
        assert "agent host1" in told
        assert "--force" in told
        assert everything(etcd) == before
    good(
        clusterf(
            "put", "services/web/backends/b1", "--merge", "--weight", "5", "--force", *at(etcd)
        )
    )
    assert json.loads(etcd.get(B1) or "") == {"ipv4": "198.51.100.1", "weight": 5}
    leased(etcd, B1, value)
    good(clusterf("rm", "web", "--all", "--force", *at(etcd)))
    assert everything(etcd) == {}


# --- two at once ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [("put", "web", "--json", '{"fwmark":1}'), ("rm", "web"), ("rm", "web", "--all")]
)
@pytest.mark.parametrize("other", ['{"fwmark":2}', None])
async def test_what_somebody_else_changed_meanwhile_is_not_lost(
    etcd: Cluster, words: tuple[str, ...], other: str | None
) -> None:
    etcd.put(WEB, '{"fwmark":9}')

    async def meanwhile() -> None:
        if other is None:
            await aside(etcd.delete, WEB)
        else:
            await aside(etcd.put, WEB, other)

    door = Doorkeeper(etcd, meanwhile)
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            await nursery.start(door.serve)
            done = await aside(clusterf, *words, "--endpoint", door.endpoint)
            nursery.cancel_scope.cancel()
    assert ended(done) == (
        75,
        (
            f"clusterf: {WEB}: changed by somebody else in the meantime"
            " (hint: look at it with clusterf etcd get, then try again)\n"
        ),
    )
    assert etcd.get(WEB) == other


async def test_of_several_writers_at_once_each_knows_whether_it_wrote(etcd: Cluster) -> None:
    given = {"tcp": 80, "udp": 53, "sctp": 9, "weight": 5}
    done: dict[str, Completed] = {}

    async def write(field: str) -> None:
        words = ("put", "web", "--merge", f"--{field}", str(given[field]), *at(etcd))
        done[field] = await aside(clusterf, *words)

    with trio.fail_after(100):
        async with trio.open_nursery() as nursery:
            for field in given:
                nursery.start_soon(write, field)
    codes = {field: one.returncode for field, one in done.items()}
    assert set(codes.values()) <= {0, 75}
    assert json.loads(etcd.get(WEB) or "") == {
        field: given[field] for field, code in codes.items() if code == 0
    }


# --- which etcd, and as whom ----------------------------------------------------------------------


@pytest.mark.parametrize("given", [("get",), ("put", "web", "--tcp", "80"), ("rm", "web")])
def test_nobody_there_is_69(given: tuple[str, ...]) -> None:
    code, told = ended(clusterf(*given, "--endpoint", "http://127.0.0.1:1"))
    assert code == 69
    assert told.startswith("clusterf: http://127.0.0.1:1: connection refused")


def test_another_member_is_asked(three: Cluster) -> None:
    good(clusterf("put", "web", "--json", '{"fwmark":1}', *at(three)))
    three.members[0].kill()
    shown = clusterf("get", "--raw", "web", *at(three), "--timeout", "10s")
    assert (shown.returncode, shown.stdout) == (0, f'{WEB} {{"fwmark":1}}\n')
    assert f"{three.endpoints[0]}: connection refused" in shown.stderr


def test_what_a_user_may_not_do_is_77(tmp_path: Path) -> None:
    with server.Cluster() as etcd:
        _what_a_user_may_not_do(etcd, tmp_path)


def _what_a_user_may_not_do(etcd: Cluster, tmp_path: Path) -> None:
    etcd.put(WEB, '{"fwmark":1}')
    etcd.add_user("reader", "secret", "/clusterf", "read")
    etcd.add_user("other", "secret", "/other")
    etcd.enable_auth()
    secret, wrong = tmp_path / "secret", tmp_path / "wrong"
    secret.write_text("secret\n")
    wrong.write_text("guess\n")

    def by(name: str, file: Path) -> tuple[str, ...]:
        return ("--user", name, "--password-file", str(file), *at(etcd))

    assert good(clusterf("get", "--raw", *by("reader", secret))) == f'{WEB} {{"fwmark":1}}\n'
    for given in (
        ("put", "web", "--json", '{"fwmark":2}', *by("reader", secret)),
        ("rm", "web", *by("reader", secret)),
        ("get", *by("other", secret)),
        ("get", *by("reader", wrong)),
        ("get", *at(etcd)),
    ):
        code, told = ended(clusterf(*given))
        assert code == 77, told
        assert "(hint: " in told
    assert etcd.get(WEB) == '{"fwmark":1}'


def test_over_tls_by_the_configuration_and_by_options(
    authority: Certificates, tmp_path: Path
) -> None:
    server.require()
    with server.Cluster(tls=authority) as etcd:
        etcd.put(WEB, '{"fwmark":1}')
        ca = str(authority.ca)
        assert good(clusterf("get", "--raw", *at(etcd), "--ca", ca)) == f'{WEB} {{"fwmark":1}}\n'
        code, told = ended(clusterf("get", *at(etcd)))
        assert (code, "certificate" in told) == (69, True)
        (tmp_path / "ca.pem").write_bytes(authority.ca.read_bytes())
        config = configured(tmp_path, cluster=etcd, tls='{ ca = "ca.pem" }')
        assert good(clusterf("get", "--raw", config=config)) == f'{WEB} {{"fwmark":1}}\n'


def configured(folder: Path, tls: str = "", more: str = "", **sources: Cluster) -> Path:
    """A configuration with these etcds."""
    text = '[clusterf]\nmanaged = ["192.0.2.0/24"]\n[outputs.kernel]\ntype = "ipvs"\n'
    for name, etcd in sources.items():
        text += f'[sources.{name}]\ntype = "etcd"\nendpoints = {json.dumps(etcd.endpoints)}\n'
        text += f"tls = {tls}\n" if tls else ""
    path = folder / "clusterf.toml"
    path.write_text(text + more)
    return path


def test_the_etcd_of_the_configuration(etcd: Cluster, tmp_path: Path) -> None:
    put = partial(clusterf, "put", "web", "--json", '{"fwmark":1}')
    config = configured(tmp_path, cluster=etcd)
    good(put(config=config))
    assert etcd.get(WEB) == '{"fwmark":1}'
    with server.Cluster() as another:
        config = configured(tmp_path, cluster=etcd, another=another)
        code, told = ended(put(config=config))
        assert (code, "sources.cluster, sources.another" in told) == (2, True)
        good(clusterf("put", "web", "--json", "{}", "--instance", "another", config=config))
        assert another.get(WEB) == "{}"
    config = configured(tmp_path, cluster=etcd, more="lok = 1\n")
    code, told = ended(clusterf("get", config=config))
    assert code == 78
    assert f"{config}:" in told
    assert "unknown key" in told


def test_without_any_etcd_the_way_to_name_one_is_told(tmp_path: Path) -> None:
    for config in (configured(tmp_path), tmp_path / "nowhere.toml"):
        code, told = ended(clusterf("get", config=config))
        assert code == 78
        assert "--endpoint URL" in told
