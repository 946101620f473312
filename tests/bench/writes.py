"""How many times the kernel was told to change its table, counted by the kernel.

A probe (Documentation/trace/kprobetrace.rst) on a function that each of them goes through. So
"writes nothing" and "in one go" are not a program's own words.
"""

from __future__ import annotations

import contextlib
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TRACING: Final = Path("/sys/kernel/tracing")
COMMANDS: Final = "ip_vs_genl_set_cmd"
"""Every writing command of IPVS, net/netfilter/ipvs/ip_vs_ctl.c."""

SENDS: Final = "genl_rcv"
"""Every system call that sends to generic netlink, however many commands it has; genetlink.c."""


def countable() -> bool:
    """Whether this kernel can count; user-mode Linux cannot."""
    return (_TRACING / "kprobe_events").exists()


@contextlib.contextmanager
def counted(function: str = COMMANDS) -> Iterator[Callable[[], int]]:
    """Give a function that tells how often that of the kernel was called since the block began.

    The probe costs some time: take no times inside. Only where `countable`.

    Raises:
        LookupError: the probe does not count.
    """
    event = f"clusterf_bench_{function}"
    switch = _TRACING / "events" / "kprobes" / event / "enable"
    _edit(f"p:{event} {function}")
    try:
        switch.write_text("1")
        yield partial(_hits, event)
    finally:
        switch.write_text("0")
        _edit(f"-:{event}")


def _edit(line: str) -> None:
    """Add to the list of probes; Python's own append mode would seek, which this file refuses."""
    events = os.open(_TRACING / "kprobe_events", os.O_WRONLY | os.O_APPEND)
    try:
        os.write(events, line.encode())
    finally:
        os.close(events)


def _hits(probe: str) -> int:
    """Read the profile: a line is event, hits, misses."""
    for line in (_TRACING / "kprobe_profile").read_text().splitlines():
        event, hits, misses = line.split()
        if event == probe:
            return int(hits) + int(misses)
    raise LookupError(f"no probe {probe}")
