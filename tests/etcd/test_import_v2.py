"""``clusterf etcd import-v2``: from the original's tree, written through etcd's own v2 API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio

from tests.etcd import server
from tests.etcd.clients import aside
from tests.etcd.commands import Doorkeeper, at, clusterf, everything, leased, put_v2, revision
from tests.etcd.server import Cluster

pytestmark = pytest.mark.etcd

FRONTENDS = {
    "services/web/frontend": '{"ipv4":"192.0.2.10","ipv6":"2001:db8::10","tcp":80}',
    "services/dns/frontend": '{"ipv4":"192.0.2.53","tcp":53,"udp":53}',
}
FIXED = {"services/web/backends/fixed": '{"ipv4":"198.51.100.1","tcp":8080,"weight":0}'}
ROUTES = {
    "routes/l1": '{"Prefix":"203.0.113.0/26","Gateway":"192.0.2.11","IPVSMethod":"droute"}',
    "routes/old": '{"Prefix4":"203.0.113.64/26","Gateway4":"192.0.2.12","IpvsMethod":"masq"}',
    "routes/default": "{}",
}
AGENTS = {
    f"services/web/backends/{'3f2a0c99' * 8}": '{"ipv4":"203.0.113.7","tcp":80,"weight":10}',
    f"routes/{'77aa0c99' * 8}": '{"Prefix":"203.0.113.0/24","IPVSMethod":"masq"}',
}
BROKEN = {
    "services/bad/frontend": '{"ipv4":"192.0.2.300","tcp":80}',
    "services/a b/frontend": "{}",
    "services/web/nonsense": "{}",
    "stray": "not json \x1b[31m",
}
GOOD = FRONTENDS | FIXED | ROUTES


@pytest.fixture(scope="module")
def both() -> Iterator[Cluster]:
    """An etcd that has both APIs, and the original's tree in v2."""
    server.require()
    with server.Cluster(options=["--enable-v2"]) as made:
        for path, value in (GOOD | BROKEN).items():
            put_v2(made, f"/clusterf/{path}", value)
        for path, value in AGENTS.items():
            put_v2(made, f"/clusterf/{path}", value, ttl=3600)
        yield made


@pytest.fixture
def tree(both: Cluster) -> Iterator[Cluster]:
    """The same with nothing in v3, before and after."""
    yield both
    both.delete("/", prefix=True)


def below(tree: dict[str, str]) -> dict[str, str]:
    return {f"/clusterf/{path}": value for path, value in tree.items()}


def imported(etcd: Cluster, *words: str) -> tuple[int, list[str]]:
    """Exit code, and the lines but the first."""
    done = clusterf("import-v2", "--from", etcd.endpoints[0], *at(etcd), *words)
    assert done.stderr == ""
    first, *lines = done.stdout.splitlines()
    url = etcd.endpoints[0]
    assert first == f"from {url} /clusterf (v2) to {url} /clusterf (v3)"
    return done.returncode, lines


def test_what_can_be_read_is_copied_once(tree: Cluster) -> None:
    before = revision(tree)
    code, lines = imported(tree, "--dry-run")
    assert (code, revision(tree)) == (75, before)
    assert lines[-1] == (
        "it would be: 6 copied, 2 left out, 4 not copied; nothing is written: --dry-run"
    )
    assert everything(tree) == {}

    code, lines = imported(tree)
    assert code == 75
    assert everything(tree) == below(GOOD)
    assert lines[-1] == "6 copied, 2 left out, 4 not copied"
    told = {
        line.split()[1].rstrip(":"): line for line in lines[:-1] if line[2:4] in {"+ ", "! ", ". "}
    }
    assert set(told) >= set(GOOD | AGENTS)
    assert told["routes/old"].endswith(
        ": written as Prefix4 and Gateway4, which the original ignores since 0.5"
    )
    assert told["services/bad/frontend"].endswith(
        'not copied: ipv4: "192.0.2.300" is not an IPv4 address'
    )
    assert told["stray"].endswith('not copied: has "stray" where services or routes is expected')
    assert "      v2   not json \\x1b[31m" in lines
    for path in AGENTS:
        assert "left out: it lives for 3" in told[path]

    before = revision(tree)
    code, lines = imported(tree)
    assert (code, revision(tree)) == (75, before)
    assert lines[-1] == "6 there already, 2 left out, 4 not copied"


def test_what_lives_for_a_time_is_copied_when_asked_for(tree: Cluster) -> None:
    code, lines = imported(tree, "--all")
    assert code == 75
    assert everything(tree) == below(GOOD | AGENTS)
    assert lines[-1] == "8 copied, 4 not copied"
    assert imported(tree, "--all")[1][-1] == "8 there already, 4 not copied"


def test_what_is_there_and_differs_is_kept_or_exchanged(tree: Cluster) -> None:
    web, dns = "/clusterf/services/web/frontend", "/clusterf/services/dns/frontend"
    tree.put(web, '{"ipv4":"192.0.2.99","tcp":80}')
    tree.put(dns, ' { "udp": 53, "TCP": 53, "ipv4": "192.0.2.53" }')
    leased(tree, "/clusterf/services/web/backends/fixed", '{"ipv4":"198.51.100.9","agent":"h"}')
    before = everything(tree)
    code, lines = imported(tree)
    assert code == 75
    assert lines[-1] == "3 copied, 1 there already, 2 left out, 2 kept, 4 not copied"
    assert everything(tree) == below(ROUTES) | before
    code, lines = imported(tree, "--overwrite")
    assert lines[-1] == "1 exchanged, 4 there already, 2 left out, 1 kept, 4 not copied"
    assert "  ! services/web/backends/fixed kept: it goes with the lease of agent h" in lines
    assert everything(tree) == below(ROUTES) | before | {web: FRONTENDS["services/web/frontend"]}


async def test_what_somebody_else_writes_meanwhile_is_not_lost(tree: Cluster) -> None:
    web = "/clusterf/services/web/frontend"

    async def meanwhile() -> None:
        await aside(tree.put, web, '{"fwmark":1}')

    door = Doorkeeper(tree, meanwhile)
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            await nursery.start(door.serve)
            words = ("--from", tree.endpoints[0], "--endpoint", door.endpoint)
            done = await aside(clusterf, "import-v2", *words)
            nursery.cancel_scope.cancel()
    assert done.returncode == 75
    assert "5 copied, 2 left out, 4 not copied, 1 changed by somebody else" in done.stdout
    assert everything(tree) == below(GOOD) | {web: '{"fwmark":1}'}


def test_from_one_prefix_to_another(tree: Cluster) -> None:
    put_v2(tree, "/old/place/services/web/frontend", '{"ipv4":"192.0.2.1","tcp":80}')
    words = ("--from", tree.endpoints[0], "--from-prefix", "/old/place", "--prefix", "/new")
    done = clusterf("import-v2", *words, *at(tree))
    assert (done.returncode, done.stderr) == (0, "")
    assert everything(tree) == {"/new/services/web/frontend": '{"ipv4":"192.0.2.1","tcp":80}'}
    none = clusterf("import-v2", "--from", tree.endpoints[0], "--from-prefix", "/none", *at(tree))
    assert (none.returncode, none.stdout) == (1, "")
    assert "Key not found: /none" in none.stderr


def test_a_large_tree_takes_more_than_one_transaction(tree: Cluster) -> None:
    value = '{"ipv4":"198.51.100.1","tcp":80,"colour":"' + "x" * 9000 + '"}'
    for number in range(250):
        put_v2(tree, f"/large/services/web/backends/b{number:03}", value)
    words = ("--from", tree.endpoints[0], "--from-prefix", "/large", *at(tree))
    done = clusterf("import-v2", *words)
    assert done.returncode == 0
    assert done.stdout.endswith("\n250 copied\n")
    assert set(everything(tree).values()) == {value}


def test_an_etcd_without_v2_is_told(etcd: Cluster) -> None:
    done = clusterf("import-v2", "--from", etcd.endpoints[0], *at(etcd))
    assert (done.returncode, done.stdout) == (69, "")
    assert "the v2 API is not served (hint: start it with --enable-v2" in done.stderr
    gone = clusterf("import-v2", "--from", "http://127.0.0.1:1", *at(etcd))
    assert (gone.returncode, gone.stdout) == (69, "")
    assert everything(etcd) == {}
