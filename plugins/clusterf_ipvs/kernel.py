"""The narrow way to the kernel: messages in, a result for each out.

`clusterf_ipvs.netlink` implements it with a socket, `clusterf_ipvs.fake` with a table in memory;
a process of its own with CAP_NET_ADMIN and nothing else could.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

UNKNOWN: Final = -1
"""Result of a message whose answer was lost: it may have been carried out or not."""


@dataclass(slots=True)
class Row:
    """Messages that differ in one place: ``head``, one of ``fields``, ``tail``.

    The destinations of a new virtual service differ in their addresses as a rule. As a row they
    reach the kernel without a call of Python code for each: many times faster on a cold start.
    Fields are of one length.
    """

    head: bytes
    fields: Sequence[bytes]
    tail: bytes


Messages: TypeAlias = Sequence[bytes | Row]
"""Messages, some of them in rows; results and batches count single messages."""


def single(messages: Iterable[bytes | Row]) -> list[bytes]:
    """The same messages one by one."""
    found: list[bytes] = []
    for message in messages:
        if isinstance(message, Row):
            found += [message.head + field + message.tail for field in message.fields]
        else:
            found.append(message)
    return found


class Kernel(Protocol):
    """Takes messages of IPVS (see `encode`). Calls wait for one another, no two overlap.

    Every method raises `OutputUnavailable` when the kernel cannot be asked at all: there is no
    IPVS, there is no permission, or it does not answer in time.
    """

    async def exchange(self, messages: Messages) -> Sequence[int]:
        """Carry out edits in their order; an error of one does not stop the others.

        Returns for each single message 0, an errno, or `UNKNOWN`.
        """
        ...

    async def dump(self, message: bytes) -> list[bytes]:
        """Ask for a list; returns its entries in the kernel's order.

        The list is not a snapshot: writers in between make entries vanish or appear twice.
        """
        ...

    async def ask(self, message: bytes) -> bytes | int:
        """Ask for one thing; returns it, or an errno."""
        ...

    async def close(self) -> None:
        """Let go of the kernel; the next call takes hold of it again."""
        ...
