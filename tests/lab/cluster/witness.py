"""Who sees what is lost: 200 connections that talk all the time, new ones, the kernel's table."""

from __future__ import annotations

import time
from typing import Self

from tests.lab.cluster.site import ECHO, WEB, Site, Table
from tests.lab.promises.connections import Connections
from tests.lab.promises.newcomers import Newcomers

LIVE = 200


class Witness:
    """Looks on from its making to its end. ``wanted``: the table that shall not change."""

    def __init__(self, site: Site) -> None:
        client = site.network.client
        self.site = site
        self.wanted = site.table
        self.connections = Connections(client, site.vip, ECHO, LIVE, pause=0.5)
        self.newcomers = Newcomers(client, site.vip, WEB)
        self.began = time.monotonic()
        self._operations = len(site.director.operations())

    def operations(self) -> list[str]:
        """What the director did to the kernel meanwhile; after its restart, what since then."""
        return self.site.director.operations()[self._operations :]

    def director_restarts(self) -> None:
        """From now on, the log is another one."""
        assert self.operations() == []
        self._operations = 0

    def tables(self, since: float | None = None) -> list[Table]:
        """Every state of the kernel's table meanwhile, and the one that it began with."""
        assert self.site.network.table.failed() is None
        seen = self.site.tables(self.began if since is None else since)
        return [table for _, table in seen]

    def check_clients(self) -> None:
        """No connection was lost and no new one failed, up to now."""
        self.connections.check()
        assert self.newcomers.failures == [], self.site.logs()
        assert sum(self.newcomers.answers.values()) > 0

    def check_nothing_happened(self) -> None:
        """Nobody lost anything, and the kernel's table was the same all the time."""
        self.check_clients()
        assert self.operations() == [], self.site.logs()
        others = [table for table in self.tables() if table != self.wanted]
        assert others == [], self.site.logs()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.newcomers.end()
        self.connections.reset()
