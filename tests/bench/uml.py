"""The lab's user-mode Linux: boots in a second or two and shares this machine's files.

Good for a quick look. It has no clock of its own: a system call is dear in it and user code is as
fast as outside, so its ratios are kinder to whoever makes few system calls.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.bench import guest
from tests.lab.uml import UmlKernel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.lab.process import Running


def run(argv: Sequence[str], deadline: float) -> Iterator[dict[str, Any]]:
    """Boot, run one command in the guest, give its results as they come.

    Raises:
        guest.GuestError: the command failed, or is not done by the deadline.
    """
    ends = time.monotonic() + deadline
    with UmlKernel() as kernel:
        running = kernel.spawn(argv, env=guest.environment())
        number = 0
        while (line := _line(running, number, ends)) is not None:
            number += 1
            if (result := guest.read(line)) is not None:
                yield result
        if running.wait() != 0:
            raise guest.GuestError(f"the command ended with {running.poll()}: {running.errors()}")


def _line(running: Running, number: int, ends: float) -> str | None:
    try:
        return running.line(number, max(0.0, ends - time.monotonic()))
    except TimeoutError as error:
        raise guest.GuestError(f"not done in time, after {number} lines of output") from error
