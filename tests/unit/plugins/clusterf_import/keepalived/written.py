"""Statements for the tests of what they mean."""

from __future__ import annotations

from clusterf_import.keepalived.blocks import Statement, tree
from clusterf_import.keepalived.lines import Source, lines
from clusterf_import.places import Findings


def statements(text: str) -> list[Statement]:
    """All statements of a text that is right."""
    findings = Findings()
    found = tree(lines(Source("k.conf", "", text)), findings)
    assert not list(findings)
    return found.statements


def statement(text: str) -> Statement:
    """The only one."""
    [one] = statements(text)
    return one


def told(findings: Findings) -> list[str]:
    """Problems without their file."""
    return [str(problem).removeprefix("k.conf:") for problem in findings]
