from __future__ import annotations

import logging

import pytest

from clusterf.engine.journal import Journal
from clusterf.model.operation import DeleteService, Outcome
from tests.strategies import tcp

log = logging.getLogger("clusterf.outputs.k")


def outcome(port: int, error: str = "") -> Outcome:
    return Outcome(DeleteService(tcp(port=port), "no service claims it any more"), error)


def test_what_was_done_is_one_line_each_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, log.name)
    Journal().record("k", [outcome(80), outcome(81, "ESRCH")], log, 5.0)
    assert caplog.messages == [
        "done op='-D -t 192.0.2.1:80' because='no service claims it any more'"
    ]


def test_both_kinds_are_counted_and_remembered() -> None:
    journal = Journal()
    journal.record("k", [outcome(80), outcome(81, "ESRCH")], log, 5.0)
    journal.record("k", [outcome(82)], log, 6.0)
    journal.record("other", [outcome(83)], log, 7.0)
    assert (journal.done, journal.failed) == ({"k": 2, "other": 1}, {"k": 1, "other": 0})
    assert [(entry.at, entry.output, entry.error) for entry in journal.entries] == [
        (5.0, "k", ""),
        (5.0, "k", "ESRCH"),
        (6.0, "k", ""),
        (7.0, "other", ""),
    ]


def test_a_large_batch_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, log.name)
    Journal().record("k", [outcome(port) for port in range(51)], log, 5.0)
    assert caplog.messages == ["done operations=51"]
    caplog.clear()
    caplog.set_level(logging.DEBUG, log.name)
    Journal().record("k", [outcome(port) for port in range(51)], log, 5.0)
    assert len(caplog.messages) == 52


def test_only_the_last_are_remembered() -> None:
    journal = Journal()
    journal.record("k", [outcome(port) for port in range(600)], log, 5.0)
    assert len(journal.entries) == 500
    assert journal.entries[-1].operation.subject == tcp(port=599)
    assert journal.done == {"k": 600}
