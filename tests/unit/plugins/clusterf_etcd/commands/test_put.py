from __future__ import annotations

import io
import sys

import pytest

from clusterf.model.errors import ClusterfError
from tests.unit.plugins.clusterf_etcd.commands.given import NOWHERE, run


def refusal(*words: str) -> tuple[int, str]:
    """Exit code and message of what ends before etcd is asked."""
    with pytest.raises(ClusterfError) as ended:
        run("put", *words, *NOWHERE)
    return ended.value.exit_code, str(ended.value)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("web",), 2, "service web: nothing is given to write"),
        (("web", "--json", "{}", "--tcp", "80"), 2, "JSON and options exclude one another"),
        (("web", "-", "--json", "{}"), 2, "--json and - exclude one another"),
        (("web", "x", "--tcp", "80"), 2, "web x: too many words"),
        (("web", "--prefix", "10.0.0.0/8"), 2, "--prefix is not for a frontend"),
        (
            ("route", "r", "--prefix", "10.0.0.0/8", "--prefix", "10.0.0.0/9"),
            2,
            "--prefix is given twice: 10.0.0.0/8 and 10.0.0.0/9",
        ),
        (("web", "--prefix", "/a", "--prefix", "/b"), 2, "--prefix is given twice: /a and /b"),
        (("services/web", "--tcp", "80"), 1, "/clusterf/services/web: is a value where a folder"),
        (("a b", "--tcp", "80"), 1, r"service a\x20b: has a service name with a space"),
        (("web", "--json", '{"tpc":80}'), 1, 'unknown field "tpc"'),
        (("web", "--json", "\udcff"), 1, "the value is not UTF-8"),
        (("web", "--tcp", "80"), 69, "http://127.0.0.1:1: connection refused"),
        (("route", "r", "--prefix", "10.0.0.0/8", "--prefix", "/x"), 69, "http://127.0.0.1:1: "),
    ],
)
def test_how_it_ends_without_an_etcd(words: tuple[str, ...], code: int, told: str) -> None:
    found, message = refusal(*words)
    assert found == code
    assert message.startswith(told)


class Input:
    """Standard input with these bytes."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        (b"", 69, "http://127.0.0.1:1: "),
        (b'{"tcp":80}', 69, "http://127.0.0.1:1: "),
        (b'{"tpc":80}', 1, 'unknown field "tpc"'),
        (b"\xff", 1, "the value is not UTF-8"),
        (b" " * 10_000_000, 1, "the value is 65537 bytes long"),
    ],
)
def test_json_comes_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, data: bytes, code: int, told: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Input(data))
    found, message = refusal("services/web/frontend", "-")
    assert found == code
    assert message.startswith(told)
