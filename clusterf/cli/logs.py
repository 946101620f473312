"""Logs on standard error: a line of text or of JSON for each change.

Where standard error is the journal of systemd it keeps the time itself, and is told the level of
each line by a prefix, sd-daemon(3): ``journalctl -p warning`` shows what is amiss.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime

_STDERR = 2
_PRIORITIES = (
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (logging.NOTSET, 7),
)
"""From levels to those of syslog(3), the gravest first."""


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        stamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return f"{stamp} {self.without_time(record)}"

    def without_time(self, record: logging.LogRecord) -> str:
        name = record.name.removeprefix("clusterf.")
        text = f"{record.levelname.lower()} {name}: {record.getMessage()}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


class _Journal(_Text):
    def format(self, record: logging.LogRecord) -> str:
        return _prefixed(self.without_time(record), record.levelno)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "instance": record.name.removeprefix("clusterf."),
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


class _JsonJournal(_Json):
    def format(self, record: logging.LogRecord) -> str:
        return _prefixed(super().format(record), record.levelno)


def start(level: str, log_format: str) -> None:
    """Log everything of ours at ``level``; of the libraries only warnings."""
    handler = logging.StreamHandler(sys.stderr)
    if in_journal():
        handler.setFormatter(_JsonJournal() if log_format == "json" else _Journal())
    else:
        handler.setFormatter(_Json() if log_format == "json" else _Text())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("clusterf").setLevel(level.upper())


def in_journal() -> bool:
    """Whether standard error is the journal: $JOURNAL_STREAM, systemd.exec(5)."""
    stream = os.environ.get("JOURNAL_STREAM")
    if not stream:
        return False
    try:
        status = os.fstat(_STDERR)
    except OSError:
        # Closed: then it is no journal either.
        return False
    return stream == f"{status.st_dev}:{status.st_ino}"


def complaint(text: str) -> str:
    """The last words of a command, for standard error: an error in the journal, too."""
    return _prefixed(text, logging.ERROR) if in_journal() else text


def _prefixed(text: str, level: int) -> str:
    """Each line with its priority: the journal knows no other end of an entry."""
    priority = next(priority for floor, priority in _PRIORITIES if level >= floor)
    return "\n".join(f"<{priority}>{line}" for line in text.split("\n"))
