"""What needs nftables besides IPVS and tunnels, on Debian's own kernel.

User-mode Linux has none for IP, so where the lab runs in it these tests are skipped there, and run
here in another guest. A host with IPVS runs them itself.
"""

from __future__ import annotations

import faulthandler
import re

import pytest

from tests.lab import choice, debian, remote

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

TESTS = (
    "tests/lab/two_tiers/test_clamped.py",
    "tests/lab/two_tiers/test_guard.py",
    "tests/lab/test_tunnels.py",
    "tests/lab/test_nftables.py",
)


@pytest.fixture
def debian_kernel() -> None:
    """A guest with Debian's kernel is possible, and the host's own kernel cannot do it."""
    if choice.choose().kind == "host":
        pytest.skip("the host's own kernel runs these tests")
    if reason := debian.missing():
        remote.impossible(reason)
    # It takes longer than pytest waits until it shows where a test hangs; the timeout above holds.
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.usefixtures("debian_kernel")
def test_full_packets_pass_both_tiers_and_nothing_else_does() -> None:
    arguments = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--tb=short", *TESTS]
    done = debian.pytest(arguments, timeout=1400)
    assert done.returncode == 0, done.stdout[-8000:]
    [passed] = re.findall(r"(\d+) passed", done.stdout)
    skipped = re.findall(r"(\d+) skipped", done.stdout)
    assert int(passed) > 50, done.stdout[-2000:]
    assert skipped in ([], ["1"]), "but for what a kernel without nftables does"
