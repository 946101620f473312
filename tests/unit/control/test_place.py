"""The socket's place: who takes it when several want it, and who gives back what.

What a daemon sees of it is in test_server.py.
"""

from __future__ import annotations

import errno
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from clusterf.control.place import AlreadyRunning, give_back, take


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


def attempt(path: Path) -> socket.socket | None:
    try:
        return take(path)
    except AlreadyRunning:
        return None


@pytest.mark.parametrize("turn", range(5))
def test_of_many_that_start_at_one_moment_one_takes_it(path: Path, turn: int) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with ThreadPoolExecutor(16) as threads:
        taken = [one for one in threads.map(attempt, [path] * 16) if one is not None]
    assert len(taken) == 1, turn
    with taken[0], socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        taken[0].accept()[0].close()


def test_one_with_many_clients_is_alive(path: Path) -> None:
    with take(path), ExitStack() as clients:
        codes = [0]
        while not codes[-1]:
            client = clients.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            codes.append(client.connect_ex(str(path)))
        assert codes[-1] == errno.EAGAIN, "its queue is full"
        assert attempt(path) is None


def test_it_is_given_back(path: Path) -> None:
    with take(path):
        pass
    give_back(path)
    assert list(path.parent.iterdir()) == []
    give_back(path)


def test_a_successor_keeps_it(path: Path) -> None:
    with take(path):
        pass
    with take(path):
        give_back(path)
        assert path.is_socket()
        assert attempt(path) is None


def test_a_folder_that_is_gone_is_no_matter(tmp_path: Path) -> None:
    give_back(tmp_path / "gone" / "control.sock")
