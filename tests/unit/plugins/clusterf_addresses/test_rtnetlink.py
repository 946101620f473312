"""What needs no kernel of the lab; the rest is in tests/lab/test_addresses.py."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from clusterf_addresses.rtnetlink import Session, interface_name, kernel_version
from clusterf_addresses.world import Link

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("6.1.0-18-amd64", (6, 1)),
        ("5.15.0", (5, 15)),
        ("6.12", (6, 12)),
        ("7", (0, 0)),
        ("what", (0, 0)),
    ],
)
def test_the_version_of_linux(
    monkeypatch: pytest.MonkeyPatch, release: str, expected: Sequence[int]
) -> None:
    uname = os.uname_result(("Linux", "host", release, "#1", "x86_64"))
    monkeypatch.setattr(os, "uname", lambda: uname)
    assert kernel_version() == expected


def test_an_interface_that_has_gone_has_a_number() -> None:
    assert interface_name(1) == "lo"
    assert interface_name(2**31 - 1) == "#2147483647"


def test_looking_needs_no_lab() -> None:
    with Session() as session:
        assert session.link("lo") in {Link.UP, Link.DOWN}
        assert session.link("no-such-thing") is Link.MISSING
        assert all(seen.length <= 128 for seen in session.addresses())


_STARVED = """
import resource
from clusterf.plugin import OutputUnavailable
from clusterf_addresses.rtnetlink import Session
Session().__exit__()
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, most))
try:
    Session()
except OutputUnavailable as error:
    print(error)
"""


def test_without_descriptors_there_is_no_session() -> None:
    """In a process of its own: pytest needs descriptors to say anything."""
    done = subprocess.run(
        [sys.executable, "-c", _STARVED],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "rtnetlink: too many open files\n", done.stderr
