from __future__ import annotations

import faulthandler
import shutil

import pytest

from tests.frozen.systemd import acts
from tests.frozen.systemd.acts import Seen
from tests.frozen.systemd.guest import Guest
from tests.lab import scratch


@pytest.fixture(scope="session")
def seen() -> Seen:
    """One boot, in which all is done that the tests judge."""
    # It takes longer than pytest waits until it shows where a test hangs; its timeout holds.
    faulthandler.cancel_dump_traceback_later()
    folder = scratch.directory("systemd")
    try:
        with Guest(folder, acts.AT_BOOT) as guest:
            return acts.play(guest)
    finally:
        shutil.rmtree(folder)
