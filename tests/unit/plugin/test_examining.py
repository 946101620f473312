from __future__ import annotations

import pytest

from clusterf.plugin import Finding, ProbeResult, Severity, Verdict


@pytest.mark.parametrize(
    ("severity", "verdict"),
    [
        (Severity.ERROR, Verdict.ERROR),
        (Severity.WARNING, Verdict.WARNING),
        (Severity.NOTE, Verdict.OK),
    ],
)
def test_what_a_probe_tells_is_a_finding(severity: Severity, verdict: Verdict) -> None:
    result = ProbeResult(severity, "is missing", "modprobe it")
    assert Finding.of(result) == Finding(verdict, "is missing", "modprobe it")
