"""The configurations of both tiers: one set of services, and what each does with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.promises.daemon import Daemon
from tests.lab.promises.stage import Director
from tests.lab.two_tiers.stage import ALONE, GUE_PORT, MANAGED, WAYS, Stage

PORT, INSIDE = 80, 8080
"""Of the VIPs, and of what runs in the container: the second tier turns one into the other."""

AUTO, OFF = '"auto"', '"off"'

TUNNELS = f'["ipip", "gre", {{ type = "gue", port = {GUE_PORT}, flags = "remcsum" }}]'

_CORE = f"""\
[clusterf]
managed = {MANAGED}
control = "control.sock"
state_dir = "state"
start_wait = "2s"

[sources.files]
type = "static"
path = "services.d"
"""

_KERNEL = """\
[outputs.kernel]
type = "ipvs"
look = "10s"
"""


def services() -> str:
    """The same for all: the backends as they are in the container."""
    return "".join(_service(way.name) for way in WAYS.values())


def _service(name: str) -> str:
    way = WAYS[name]
    port = PORT if way.alone else INSIDE
    return f"""\
[services.{way.name}]
frontend = {{ ipv4 = "{way.vip(4)}", ipv6 = "{way.vip(6)}", tcp = {PORT} }}
scheduler = "rr"
backends = [{{ ipv4 = "{way.backend(4)}", ipv6 = "{way.backend(6)}", tcp = {port} }}]
"""


def first_tier() -> str:
    """Each way's backend is reached by its own method through a gateway."""
    return f"""\
{_CORE}
[[policies]]
type = "routes"
routes = [
{"".join(_routes())}]

{_KERNEL}
[outputs.vips]
type = "addresses"
look = "10s"
"""


def _routes() -> Iterator[str]:
    for way in WAYS.values():
        method = f'method = "tunnel", tunnel = {way.tunnel}' if way.tunnel else 'method = "droute"'
        for family, length in ((4, 32), (6, 128)):
            yield (
                f'    {{ name = "{way.name}-{family}", prefix = "{way.backend(family)}/{length}",'
                f' {method}, gateway = "{way.gateway(family)}" }},\n'
            )


def second_tier(*, tunnels: str = TUNNELS, mss: str = AUTO) -> str:
    """Its own containers by ``masq``; nothing else."""
    return f"""\
{_CORE}
[[policies]]
type = "routes"
routes = [
    {{ name = "local", prefix = "203.0.113.0/24", method = "masq" }},
    {{ name = "local6", prefix = "2001:db8:20::/64", method = "masq" }},
    {{ name = "elsewhere" }},
]

{_KERNEL}
{_receiver(tunnels, mss)}"""


def real_server() -> str:
    """No IPVS: the host itself answers at its VIPs."""
    return f"""\
{_CORE}
[[policies]]
type = "routes"
routes = [
    {{ name = "here", prefix = "{ALONE.backend(4)}", method = "tunnel" }},
    {{ name = "here6", prefix = "{ALONE.backend(6)}", method = "tunnel" }},
    {{ name = "elsewhere" }},
]

{_receiver(TUNNELS, AUTO)}"""


def _receiver(tunnels: str, mss: str) -> str:
    return f"""\
[outputs.vips]
type = "addresses"
look = "10s"
sysctls = "set"
arp = "silent"
tunnels = {tunnels}
mss = {mss}
"""


@contextmanager
def launched(director: Director, folder: Path, configuration: str) -> Iterator[Daemon]:
    """Clusterf with this configuration, launched."""
    folder.mkdir()
    with Daemon(director, folder) as daemon:
        daemon.configure(configuration, services=services())
        daemon.launch()
        yield daemon


def _reload(daemon: Daemon, configuration: str) -> None:
    daemon.configure(configuration)
    daemon.reload()
    daemon.settle()


class Tiers:
    """The stage with clusterf on both tiers, and on the server that is alone."""

    def __init__(self, stage: Stage, first: Daemon, second: Daemon) -> None:
        self.stage = stage
        self.first = first
        self.second = second
        self._configured = second_tier()

    def configure(self, configuration: str) -> None:
        """Have the second tier work by this."""
        if configuration != self._configured:
            _reload(self.second, configuration)
            self._configured = configuration

    def configure_first(self, configuration: str) -> None:
        """Have the first tier work by this; whoever changes it has to change it back."""
        _reload(self.first, configuration)


@contextmanager
def both(stage: Stage, folder: Path) -> Iterator[Tiers]:
    """Both tiers, up and running."""
    # As distributions set it: a strict check, and a loose one for all. Each of them would drop
    # what comes out of tunnels.
    stage.tier2.namespace.sysctl(ipv4__conf__default__rp_filter=1, ipv4__conf__all__rp_filter=2)
    with (
        launched(stage.tier1, folder / "first", first_tier()) as first,
        launched(stage.tier2, folder / "second", second_tier()) as second,
        launched(stage.alone, folder / "alone", real_server()) as third,
    ):
        for daemon in (first, second, third):
            daemon.ready()
        yield Tiers(stage, first, second)
