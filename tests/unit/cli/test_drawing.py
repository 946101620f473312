from __future__ import annotations

import io
import os
import pty
import sys
import threading

import pytest

from clusterf.cli.drawing import draw, warn, write


def test_without_a_terminal_lines_are_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    draw([("web ", "bold cyan"), ("  -> [red]x[/red]", "green"), ("", "")])
    assert capsys.readouterr().out == "web\n  -> [red]x[/red]\n\n"


def test_what_an_encoding_lacks_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.BytesIO()
    with io.TextIOWrapper(shown, encoding="ascii") as narrow:
        monkeypatch.setattr(sys, "stdout", narrow)
        draw([("caf\u00e9", "")])
        write("\u2026\n")
        narrow.flush()
        assert shown.getvalue() == b"caf\\xe9\n\\u2026\n"


def test_bytes_of_no_encoding_end_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    write("key-\udcff\n")
    assert capsys.readouterr().out == "key-\\udcff\n"


def test_on_a_terminal_lines_have_their_styles_and_markup_is_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    ours, theirs = pty.openpty()
    shown: list[bytes] = []
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        # Longer than a terminal is wide: it is not broken up.
        draw([("[bold]web " + 150 * "x", "red")])
        terminal.flush()
        reader = threading.Thread(target=lambda: shown.append(os.read(ours, 65536)))
        reader.start()
        reader.join(10)
    os.close(ours)
    assert shown == [b"\x1b[31m[bold]web " + 150 * b"x" + b"\x1b[0m\r\n"]


def test_warnings_are_in_no_program_s_way(capsys: pytest.CaptureFixture[str]) -> None:
    warn("careful\n")
    assert capsys.readouterr() == ("", "careful\n")
