"""The one place that looks again and again, for what nobody tells."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    condition: Callable[[], T | None], what: str, *, within: float, every: float = 0.05
) -> T:
    """Look every so many seconds until something holds, and return it.

    Two things can be learned in no other way:

    * what is in the kernel's IPVS table: its netlink family has no multicast group
      (ip_vs_genl_family in net/netfilter/ipvs/ip_vs_ctl.c), and inotify(7) does not see /proc;
    * what clusterf thinks: its admin socket answers and does not tell (docs/adr/0004).

    Where there is an event, wait for that: ``Running.wait_for`` for what a program writes,
    ``Running.wait`` for its end, ``remains.wait_for_end`` for processes of others.

    Raises:
        TimeoutError: it did not come to hold ``within`` so many seconds.
    """
    deadline = time.monotonic() + within
    while not (found := condition()):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"not within {within:g} s: {what}")
        time.sleep(every)
    return found
