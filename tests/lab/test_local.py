"""Hosts that are directors and Docker hosts at once, with the configuration of the README.

client ── lan ──┬── host1 ── web1        both hosts have the VIPs, and forward for both servers
                └── host2 ── web2
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import scratch
from tests.lab.network import Namespace, Networks
from tests.lab.promises.daemon import Daemon
from tests.lab.promises.servers import Servers, ask_name
from tests.lab.promises.stage import Director

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

VIPS = ("198.51.100.1", "2001:db8:3::1")
HOSTS = (1, 2)

README = (scratch.ROOT / "plugins" / "clusterf_local" / "README.md").read_text("utf-8")
SECTION = README.split("\n## A director that is also a Docker host\n")[1].split("\n## ")[0]
BLOCKS = re.findall(r"^```(?:toml)?\n(.*?)^```$", SECTION, flags=re.MULTILINE | re.DOTALL)
CONFIGURATION, RULES, RULES6 = BLOCKS

NO_RULES = "*mangle\n-F\nCOMMIT\n"

DROP_ALL = """\
[[policies]]
type = "local"
sources = ["local-docker"]
"""


def addresses(host: int, last: int, *, length: bool = False) -> list[str]:
    """In the segment of the servers of a host: 1 is the host, 2 the server."""
    net, net6 = ("/26", "/64") if length else ("", "")
    return [f"203.0.113.{64 * host + last}{net}", f"2001:db8:4:{host}::{last}{net6}"]


def backends(*hosts: int) -> str:
    """Servers of these hosts as backends."""
    tables = [
        f'{{ id = "web{host}", ipv4 = "{ipv4}", ipv6 = "{ipv6}", tcp = 80 }}'
        for host in hosts
        for ipv4, ipv6 in [addresses(host, 2)]
    ]
    listed = f"backends = [{', '.join(tables)}]\n"
    return f"[services.web]\n{listed}"


def routes(method: str) -> str:
    """To the servers of each host by way of that host."""
    return "".join(
        f'[routes.host{host}-{family}]\nprefix = "{prefix}"\n'
        f'method = "{method}"\ngateway = "{gateway}"\n'
        for host in HOSTS
        for family, prefix, gateway in (
            (4, f"203.0.113.{64 * host}/26", f"192.0.2.1{host}"),
            (6, f"2001:db8:4:{host}::/64", f"2001:db8:1::1{host}"),
        )
    )


class Host:
    """A host with its server, and clusterf on it."""

    def __init__(self, number: int, namespace: Namespace, folder: Path) -> None:
        self.number = number
        self.namespace = namespace
        self.daemon = Daemon(Director(namespace), folder)
        # User-mode Linux is made without nftables for IPv4 and IPv6.
        tried = namespace.run(["iptables-restore", "--noflush"], text=RULES, check=False)
        self._tables = "-legacy" if tried.returncode else ""

    def arrange(self, method: str, *, marks: bool, policies: str | None = None) -> None:
        """Bring clusterf to a configuration: the README's, or with other policies."""
        for program, rules in (("iptables", RULES), ("ip6tables", RULES6)):
            mine = rules.replace("02:00:00:00:00:02", f"02:00:00:00:00:0{3 - self.number}")
            self._load(program, NO_RULES + mine)
            if not marks:
                self._load(program, NO_RULES)
        text = CONFIGURATION.replace("host1", f"host{self.number}")
        text = text.replace('type = "docker"', 'type = "static"\npath = "services.d"')
        text = text.replace('type = "etcd"\n', 'type = "static"\npath = "cluster.toml"\n')
        text = re.sub(r"^agent = .*\n", "", text, flags=re.MULTILINE)
        text = text.replace("[clusterf]\n", '[clusterf]\ncontrol = "control.sock"\n')
        text = text.replace('type = "ipvs"', 'type = "ipvs"\nlook = "300ms"\ndrain = "0s"')
        text += '\n[defaults]\nscheduler = "rr"\n'
        if policies is not None:
            text = re.sub(r"^\[\[policies\]\](.*\n)+?\n", "", text, flags=re.MULTILINE) + policies
        cluster = backends(*HOSTS) + routes(method)
        (self.daemon.folder / "cluster.toml").write_text(cluster, "utf-8")
        self.daemon.restore(text, own=backends(self.number))

    def _load(self, program: str, rules: str) -> None:
        self.namespace.run([f"{program}{self._tables}-restore", "--noflush"], text=rules)

    def sent_on(self) -> set[tuple[str, ...]]:
        """Connections in its table that go to another host: client, VIP and target of each."""
        listing = self.namespace.run(["ipvsadm", "-L", "-n", "-c"]).stdout
        entries = [line.split() for line in listing.splitlines() if line.startswith("TCP")]
        return {
            (client, vip, target)
            for *_, client, vip, target in entries
            if target.startswith(("192.0.2.", "[2001:db8:1:"))
        }


class Cluster:
    """Two hosts of both tiers and a client, who sends to one of them or the other."""

    def __init__(self, networks: Networks, folder: Path) -> None:
        lan = networks.bridge(networks.namespace("wires"), "lan")
        self.client = networks.namespace("client")
        networks.plug(self.client, "eth0", lan, ["192.0.2.1/24", "2001:db8:1::1/64"])
        self.hosts: dict[int, Host] = {}
        servers = []
        for number in HOSTS:
            namespace = networks.namespace(f"host{number}", forward=True)
            networks.plug(
                namespace,
                "eth0",
                lan,
                [f"192.0.2.1{number}/24", f"2001:db8:1::1{number}/64"],
                mac=f"02:00:00:00:00:0{number}",
            )
            namespace.ip("link set tunl0 up", "link set ip6tnl0 up")
            namespace.sysctl(ipv4__conf__tunl0__rp_filter=0)
            server = networks.namespace(f"web{number}")
            networks.cable(
                namespace,
                "docker0",
                server,
                "eth0",
                one_addresses=addresses(number, 1, length=True),
                other_addresses=addresses(number, 2, length=True),
            )
            server.ip(*(f"route add default via {gateway}" for gateway in addresses(number, 1)))
            servers.append((f"web{number}", server))
            (folder / str(number)).mkdir()
            self.hosts[number] = Host(number, namespace, folder / str(number))
        self._answering = Servers(servers)

    def close(self) -> None:
        for host in self.hosts.values():
            host.daemon.end()
        self._answering.close()

    def arrange(self, method: str, *, marks: bool) -> None:
        for host in self.hosts.values():
            host.arrange(method, marks=marks)

    def send_to(self, host: int) -> None:
        self.client.ip(
            f"route replace 198.51.100.0/24 via 192.0.2.1{host}",
            f"route replace 2001:db8:3::/64 via 2001:db8:1::1{host}",
        )

    def ask(self, vip: str, count: int = 8) -> Counter[str]:
        """Who answered, and how often nobody did."""
        answers: Counter[str] = Counter()
        for _ in range(count):
            try:
                answers[ask_name(self.client, vip, timeout=2)] += 1
            except OSError:
                answers["nobody"] += 1
        return answers


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Networks() as networks:
        made = Cluster(networks, tmp_path_factory.mktemp("local"))
        try:
            yield made
        finally:
            made.close()


@pytest.mark.parametrize("method", ["droute", "tunnel"])
def test_hosts_of_both_tiers_send_nothing_round_in_circles(both: Cluster, method: str) -> None:
    both.arrange(method, marks=True)
    for number in HOSTS:
        both.send_to(number)
        here, there = both.hosts[number], both.hosts[3 - number]
        before, before_there = here.sent_on(), there.sent_on()
        for vip in VIPS:
            assert both.ask(vip) == {"web1": 4, "web2": 4}, (number, vip)
        # Entries of earlier connections end meanwhile.
        assert len(here.sent_on() - before) == 8
        assert not there.sent_on() - before_there


def test_without_marks_they_do(both: Cluster) -> None:
    both.arrange("droute", marks=False)
    both.send_to(1)
    for vip in VIPS:
        answers = both.ask(vip)
        assert answers["nobody"] >= 1, vip
        assert answers["web1"] + answers["web2"] >= 1, vip


def test_a_mark_without_backends_refuses_and_does_not_send_on(both: Cluster) -> None:
    both.arrange("droute", marks=True)
    both.send_to(1)
    # host1 does not know yet that the server of host2 has gone.
    there = both.hosts[2]
    there.daemon.put("own.toml", "")
    there.daemon.look_again()
    there.daemon.settle()
    before = there.sent_on()
    for vip in VIPS:
        assert both.ask(vip) == {"web1": 4, "nobody": 4}
    assert not there.sent_on() - before


def test_one_host_of_both_tiers_needs_no_marks(both: Cluster) -> None:
    both.hosts[1].arrange("droute", marks=False)
    both.hosts[2].arrange("droute", marks=False, policies=DROP_ALL)
    both.send_to(1)
    for vip in VIPS:
        assert both.ask(vip) == {"web1": 4, "web2": 4}
    refusals = both.hosts[2].daemon.service("web")["refusals"]
    assert [refusal["reason"] for refusal in refusals] == ["not_local"]
