from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from clusterf.control.client import NotRunning, Refused, ask
from clusterf.control.protocol import NotPermitted, encode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[list[bytes]]:
    """One who listens, reads a line, answers with these bytes and closes. Yields what it read."""
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as stream:
            heard.append(stream.readline())
            connection.sendall(answer)

    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
        listener.bind(str(path))
        listener.listen(1)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield heard
        finally:
            thread.join(10)
            assert not thread.is_alive()


def test_a_request_is_one_line_and_the_reply_another(path: Path) -> None:
    with answering(path, encode({"done": "yes"})) as heard:
        assert ask(path, {"command": "reload"}) == {"done": "yes"}
    assert heard == [b'{"command":"reload"}\n']


def test_a_large_reply_arrives_whole(path: Path) -> None:
    reply = {"services": ["x" * 1000] * 5000}
    with answering(path, encode(reply)):
        assert ask(path, {}) == reply


@pytest.mark.parametrize(
    ("reply", "shown", "code"),
    [
        ({"error": "no service x"}, "no service x", 1),
        ({"error": "no service x", "hint": "look"}, "no service x (hint: look)", 1),
        ({"error": "at fault", "exit_code": 78}, "at fault", 78),
        ({"error": "at fault", "hint": "", "exit_code": 69}, "at fault", 69),
    ],
)
def test_a_refusal_has_the_words_and_the_exit_code_of_the_daemon(
    path: Path, reply: dict[str, object], shown: str, code: int
) -> None:
    with answering(path, encode(reply)), pytest.raises(Refused) as told:
        ask(path, {})
    assert (str(told.value), told.value.exit_code) == (shown, code)


def test_nobody_is_there(path: Path) -> None:
    with pytest.raises(NotRunning) as told:
        ask(path, {})
    assert str(told.value) == (
        f"no clusterf is running at {path} (hint: start it with clusterf run)"
    )
    assert told.value.exit_code == 69


def test_a_socket_that_a_dead_daemon_left(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
        listener.bind(str(path))
    with pytest.raises(NotRunning, match="no clusterf is running"):
        ask(path, {})


def test_a_file_that_is_no_socket(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(NotRunning, match="no clusterf is running"):
        ask(path, {})
    assert path.read_text() == "precious"


def test_a_daemon_that_ends_without_an_answer(path: Path) -> None:
    with answering(path, b""), pytest.raises(NotRunning) as told:
        ask(path, {})
    assert str(told.value) == f"{path}: closed before it answered"


@pytest.mark.parametrize("answer", [b"220 mail.example.org ESMTP\r\n", b"[]\n", b'{"done": "y'])
def test_somebody_else_is_there(path: Path, answer: bytes) -> None:
    with answering(path, answer), pytest.raises(NotRunning, match=r"not (JSON|a JSON object)"):
        ask(path, {})


def test_a_daemon_that_does_not_answer_is_not_waited_for_without_end(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
        listener.bind(str(path))
        listener.listen(1)
        with pytest.raises(NotRunning, match="timed out"):
            ask(path, {}, timeout=0.05)


def test_a_path_that_no_socket_can_have(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="too long"):
        ask(tmp_path / ("x" * 120), {})


def test_a_socket_of_another_user(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
        listener.bind(str(path))
        listener.listen(1)
        with somebody(path.parent), pytest.raises(NotPermitted) as told:
            ask(path, {})
    assert str(told.value) == f"{path}: Permission denied (hint: run this as root)"
    assert told.value.exit_code == 77


@contextmanager
def somebody(folder: Path) -> Iterator[None]:
    """Somebody who may not enter this folder; root may enter all, so it is given up for a while."""
    mode, user = folder.stat().st_mode, os.geteuid()
    folder.chmod(0)
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)
        folder.chmod(mode)
