"""Who sees what is lost and written: 200 live connections, new ones, the kernel's own netlink."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.frozen.appliance.daemon import program
from tests.frozen.appliance.network import VIP, Site
from tests.frozen.executables import FOLDER
from tests.lab.process import Running
from tests.lab.promises.connections import Connections
from tests.lab.promises.newcomers import Newcomers

LIVE = 200
ECHO, WEB_PORT = 7, 80
DEVICE = "netlink"
DROP_INS = Path(__file__).with_name("drop_ins")
_CONFIGURATION = "/run/witness.toml"


class Witness:
    """Looks on from its making to its end."""

    def __init__(self, connections: Connections, newcomers: Newcomers, listening: Running) -> None:
        self.connections = connections
        self._newcomers = newcomers
        self._listening = listening

    def writes(self) -> list[str]:
        """Every command to IPVS that wrote, whoever sent it: ``SET_DEST``."""
        return [line.split()[0] for line in self._listening.output().splitlines()[1:]]

    def check_clients(self) -> None:
        """No connection was lost, and no new one failed."""
        self.connections.check()
        assert self._newcomers.failures == []
        assert self._newcomers.answers.total() > 0

    def check_nothing_happened(self) -> None:
        """Nor did anybody write."""
        self.check_clients()
        assert self.writes() == []


@contextmanager
def looking_on(site: Site) -> Iterator[Witness]:
    """Connections through what is in the kernel at this moment."""
    appliance = site.appliance
    if not (appliance.exchange / DROP_INS.name).exists():
        appliance.bring(DROP_INS, DROP_INS.name)
        appliance.ip(f"link add {DEVICE} type nlmon", f"link set {DEVICE} up")
        appliance.put(_CONFIGURATION, f'[clusterf]\nplugin_dirs = ["/mnt/{DROP_INS.name}"]\n')
    command = [program(FOLDER), "witness", "-c", _CONFIGURATION, DEVICE]
    listening = appliance.spawn(command)
    try:
        listening.wait_for("listening")
        with Connections(site.client, VIP, ECHO, LIVE, pause=0.5) as connections:
            newcomers = Newcomers(site.client, VIP, WEB_PORT)
            try:
                yield Witness(connections, newcomers, listening)
            finally:
                newcomers.end()
    finally:
        listening.kill()
        listening.wait()
