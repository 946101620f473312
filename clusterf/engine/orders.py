"""The operator's standing orders (``clusterf drain``), kept in a file so that they outlive us."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from clusterf.model.errors import ClusterfError
from clusterf.pipeline.override import Drained

log = logging.getLogger("clusterf.orders")

_NAME = "drained.json"


class Orders:
    """The file ``drained.json`` in the state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME

    def load(self) -> dict[Drained, str]:
        """Read the orders. A file that cannot be read is put aside and told, never obeyed."""
        try:
            entries = json.loads(self._path.read_text("utf-8"))
            return {
                Drained(str(entry["service"]), str(entry["backend"])): str(entry["reason"])
                for entry in entries
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.error("orders unreadable file=%s error=%r", self._path, str(error))  # noqa: TRY400
            self._put_aside()
            return {}

    def save(self, drained: Mapping[Drained, str]) -> None:
        """Write all orders: whole or not at all.

        Raises:
            ClusterfError: the state folder cannot be written.
        """
        entries = [
            {"service": order.service, "backend": order.backend, "reason": reason}
            for order, reason in drained.items()
        ]
        draft = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("w", encoding="utf-8") as file:
                json.dump(entries, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as error:
            raise ClusterfError(
                f"{self._path}: {error.strerror}",
                hint="the order holds until clusterf ends; see state_dir in [clusterf]",
            ) from error

    def _put_aside(self) -> None:
        try:
            self._path.replace(self._path.with_suffix(".bad"))
        except OSError as error:
            log.error("orders stay in the way file=%s error=%r", self._path, str(error))  # noqa: TRY400
