"""Signals by number, as the engine's events and a container's configuration write them.

Linux numbers: the containers' kernel is Linux wherever this program runs.
"""

from __future__ import annotations

import re
import signal

SIGTERM = 15
SIGKILL = 9

# SIGRTMIN as the C library gives it to programs; the engine (moby/sys/signal) uses the same.
_RTMIN = 34
_RTMAX = 64
_REALTIME = re.compile(r"RT(MIN|MAX)(?:([+-])(\d{1,2}))?")
_NUMBERS = {
    name.removeprefix("SIG"): number.value for name, number in signal.Signals.__members__.items()
}


def number(text: str) -> int | None:
    """Number of a signal given as ``15``, ``TERM``, ``SIGTERM`` or ``SIGRTMIN+3``; else None."""
    text = text.strip().upper()
    if text.isascii() and text.isdecimal():
        value = int(text) if len(text) < 4 else 0
        return value if 1 <= value <= _RTMAX else None
    text = text.removeprefix("SIG")
    if match := _REALTIME.fullmatch(text):
        base = _RTMIN if match[1] == "MIN" else _RTMAX
        offset = int(match[3] or 0) * (-1 if match[2] == "-" else 1)
        return base + offset if _RTMIN <= base + offset <= _RTMAX else None
    return _NUMBERS.get(text)


def stops(sent: str, stop_signal: str) -> bool:
    """Whether a signal that was sent is the one that tells this container to stop, or SIGKILL.

    An unreadable stop signal counts as the default, SIGTERM.
    """
    got = number(sent)
    return got is not None and got in {SIGKILL, number(stop_signal) or SIGTERM}
