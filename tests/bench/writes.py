"""How many times the kernel was told to change its table, counted by the kernel.

A probe (Documentation/trace/kprobetrace.rst) on the one function that every writing command of
IPVS goes through, net/netfilter/ipvs/ip_vs_ctl.c. So "writes nothing" is not a program's own word.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TRACING: Final = Path("/sys/kernel/tracing")
_FUNCTION: Final = "ip_vs_genl_set_cmd"
_EVENT: Final = "clusterf_bench_write"


def countable() -> bool:
    """Whether this kernel can count; user-mode Linux cannot."""
    return (_TRACING / "kprobe_events").exists()


@contextlib.contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Give a function that tells the number of writing commands since the block began.

    The probe costs some time: take no times inside. Only where `countable`.

    Raises:
        LookupError: the probe does not count.
    """
    switch = _TRACING / "events" / "kprobes" / _EVENT / "enable"
    _edit(f"p:{_EVENT} {_FUNCTION}")
    try:
        switch.write_text("1")
        yield _hits
    finally:
        switch.write_text("0")
        _edit(f"-:{_EVENT}")


def _edit(line: str) -> None:
    """Add to the list of probes; Python's own append mode would seek, which this file refuses."""
    events = os.open(_TRACING / "kprobe_events", os.O_WRONLY | os.O_APPEND)
    try:
        os.write(events, line.encode())
    finally:
        os.close(events)


def _hits() -> int:
    """Read the profile: a line is event, hits, misses."""
    for line in (_TRACING / "kprobe_profile").read_text().splitlines():
        event, hits, misses = line.split()
        if event == _EVENT:
            return int(hits) + int(misses)
    raise LookupError(f"no probe {_EVENT}")
