from __future__ import annotations

import pytest

from clusterf_docker.stop_signal import number, stops


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15", 15),
        ("SIGTERM", 15),
        ("TERM", 15),
        ("sigterm", 15),
        ("9", 9),
        ("KILL", 9),
        ("RTMIN", 34),
        ("SIGRTMIN+3", 37),
        ("SIGRTMAX-1", 63),
        ("RTMAX", 64),
        ("37", 37),
        ("RTMIN-1", None),
        ("RTMAX+1", None),
        ("0", None),
        ("65", None),
        ("9999", None),
        ("SIGNONE", None),
        ("", None),
        ("²", None),
        ("SIG", None),
    ],
)
def test_number(text: str, expected: int | None) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    ("sent", "stop_signal", "expected"),
    [
        ("15", "", True),
        ("15", "SIGTERM", True),
        ("TERM", "15", True),
        ("3", "SIGQUIT", True),
        ("15", "SIGQUIT", False),
        ("37", "SIGRTMIN+3", True),
        ("9", "SIGQUIT", True),
        ("SIGKILL", "", True),
        ("1", "", False),
        ("SIGHUP", "SIGTERM", False),
        ("15", "nonsense", True),
        ("nonsense", "nonsense", False),
        ("", "", False),
    ],
)
def test_stops(sent: str, stop_signal: str, *, expected: bool) -> None:
    assert stops(sent, stop_signal) is expected
