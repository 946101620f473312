"""The edits of the output, in the words of etcdctl(1), each on condition of what was seen."""

from __future__ import annotations

from dataclasses import dataclass

from clusterf.model.operation import Stage
from clusterf.model.service import Ref

_SHOWN = 200
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class PutKey:
    """Write a key under this agent's lease, if it is still as it was seen.

    ``seen``: the revision of its last change, 0 where there must be no such key.
    """

    subject: Ref
    key: str
    value: bytes
    seen: int
    because: str = ""

    @property
    def stage(self) -> Stage:
        """A new key comes before a changed one."""
        return Stage.EDIT if self.seen else Stage.ADD

    def describe(self) -> str:
        """As etcdctl put."""
        value = self.value.decode("utf-8", "replace")
        if len(value) > _SHOWN:
            value = value[:_SHOWN] + "..."
        return f"put {self.key} {value}"

    def reason(self) -> str:
        """Why."""
        return self.because


@dataclass(frozen=True, slots=True)
class DeleteKey:
    """Delete a key of this agent's, if it is still as it was seen."""

    subject: Ref
    key: str
    seen: int
    because: str = ""
    stage = Stage.REMOVE

    def describe(self) -> str:
        """As etcdctl del."""
        return f"del {self.key}"

    def reason(self) -> str:
        """Why."""
        return self.because
