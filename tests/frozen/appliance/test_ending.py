"""Signals to each process, under 200 connections: none is lost, and nobody writes to the kernel."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.frozen.appliance.daemon import TABLE, Daemon
from tests.frozen.appliance.network import VIP, VIP6, Site
from tests.frozen.appliance.witness import looking_on
from tests.frozen.conftest import in_both_forms

pytestmark = pytest.mark.timeout(300)

KILLED = 128 + signal.SIGKILL
Ending = Callable[[Daemon], int]


def by_sigterm(daemon: Daemon) -> int:
    return daemon.stop()


def by_sigkill(daemon: Daemon) -> int:
    daemon.signal(signal.SIGKILL)
    return daemon.wait_gone()


def by_sigkill_of_the_child(daemon: Daemon) -> int:
    daemon.signal(signal.SIGKILL, daemon.child)
    return daemon.wait_gone()


def by_sigkill_of_both(daemon: Daemon) -> int:
    daemon.signal(signal.SIGKILL, *daemon.processes())
    return daemon.wait_gone()


@in_both_forms
def test_whoever_ends_connections_go_on(site: Site, daemon: Daemon) -> None:
    daemon.start()
    endings: dict[Ending, int] = {by_sigterm: 0, by_sigkill: KILLED}
    if len(daemon.processes()) == 2:
        endings |= {by_sigkill_of_the_child: KILLED, by_sigkill_of_both: KILLED}
    daemon.wait_for_vips(VIP, VIP6)
    with looking_on(site) as witness:
        daemon.configure(rest="shceduler = 1\n")
        daemon.signal(signal.SIGHUP)
        daemon.running.wait_for("reload refused")
        assert "clusterf.toml:18:1: error[C101]: outputs.vips.shceduler: unknown key" in daemon.log
        daemon.configure(core='log_level = "debug"')
        daemon.signal(signal.SIGHUP)
        daemon.running.wait_for("configuration in force")
        witness.check_nothing_happened()
        for ending, status in endings.items():
            assert ending(daemon) == status
            witness.check_nothing_happened()
            assert (daemon.rules(), daemon.vips()) == (TABLE, {VIP, VIP6})
            daemon.start()
            assert daemon.operations() == []
            witness.check_nothing_happened()
    assert daemon.stop() == 0
    assert site.appliance.sh("find /tmp -mindepth 1") == ""
