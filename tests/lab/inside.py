"""The pytest that runs in a guest, on command of the one outside (see remote.py).

Commands come on standard input, one JSON object a line: ``{"run": id, "next": id | null}``.
Answers go to standard output: ``{"collected": [id, ...]}`` once, ``{"uncollected": text}`` for a
file that cannot be imported, ``{"report": {...}}`` for each report and ``{"finished": id}``.
What pytest itself prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from typing import IO, Any

import pytest


class Inside:
    """Runs one item at a time, in the order it is told, and sends each report as it comes."""

    def __init__(self, commands: IO[str], answers: IO[str]) -> None:
        self._commands = commands
        self._answers = answers
        self._config: pytest.Config | None = None

    def say(self, **message: Any) -> None:
        self._answers.write(json.dumps(message) + "\n")
        self._answers.flush()

    def pytest_configure(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.say(uncollected=report.longreprtext)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        assert self._config is not None
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self.say(report=data)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        self.say(collected=list(items))
        for line in self._commands:
            command = json.loads(line)
            item = items[command["run"]]
            following = items.get(command["next"])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self.say(finished=item.nodeid)
        return True


def main() -> int:
    # pytest puts its own files in the place of 0 and 1 while tests run.
    commands = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return int(pytest.main(sys.argv[1:], plugins=[Inside(commands, answers)]))


if __name__ == "__main__":
    sys.exit(main())
