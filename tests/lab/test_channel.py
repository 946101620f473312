"""Both ends of a guest's console, with no kernel between them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.channel import Channel, GuestLostError
from tests.lab.process import LabError


class Wire:
    """A channel, and the guest's end of it in the hands of the test."""

    def __init__(self, exchange: Path) -> None:
        near, self.guest = socket.socketpair()
        self.guest.settimeout(20)
        self.channel = Channel(near, exchange, lambda: "the console's end")
        self.lines = self.guest.makefile("rb")

    def say(self, **message: object) -> None:
        self.guest.sendall(json.dumps(message).encode() + b"\n")

    def request(self) -> int:
        """The number of the next request; nudges before it are passed over."""
        while not (line := self.lines.readline()).strip():
            assert line, "hung up"
        return int(line)

    def hang_up(self) -> None:
        self.lines.close()
        self.guest.close()


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    made = Wire(tmp_path)
    yield made
    made.hang_up()
    made.channel.close()


class Asking(threading.Thread):
    """Asks in the background; ``outcome`` is the reply or the error."""

    def __init__(self, channel: Channel, what: str, timeout: float = 20) -> None:
        super().__init__(daemon=True)
        self._channel, self._what, self._timeout = channel, what, timeout
        self._outcome: object = None
        self.start()

    def run(self) -> None:
        try:
            self._outcome = self._channel.ask({"do": self._what}, self._timeout)
        except LabError as error:
            self._outcome = error

    @property
    def outcome(self) -> object:
        self.join(20)
        return self._outcome


def test_each_asker_gets_its_own_answer(wire: Wire, tmp_path: Path) -> None:
    askers = {}
    for what in ("one", "other"):
        asking = Asking(wire.channel, what)
        number = wire.request()
        assert json.loads((tmp_path / f"{number}.json").read_text()) == {"do": what}
        askers[number] = asking
    for number in reversed(askers):
        wire.say(reply=number, said=number)
    for number, asking in askers.items():
        assert asking.outcome == {"reply": number, "said": number}
    assert list(tmp_path.glob("*.json")) == []


def test_a_guest_that_missed_a_request_is_nudged(wire: Wire) -> None:
    """It has what was sent before, and reads it at the next byte."""
    asking = Asking(wire.channel, "ping")
    number = wire.request()
    for _ in range(2):
        assert wire.lines.readline() == b"\n"
    wire.say(reply=number)
    assert asking.outcome == {"reply": number}


def test_a_guest_that_missed_its_end_is_nudged(wire: Wire) -> None:
    ending = threading.Thread(target=wire.channel.power_off, args=(20,), daemon=True)
    ending.start()
    wire.request()
    assert wire.lines.readline() == b"\n"
    assert ending.is_alive()
    wire.hang_up()
    ending.join(20)
    assert not ending.is_alive()
    assert wire.channel.lost


def test_silence_and_hanging_up_are_told_apart(wire: Wire) -> None:
    silent = Asking(wire.channel, "ping", timeout=0.05)
    wire.request()
    assert isinstance(silent.outcome, GuestLostError)
    assert str(silent.outcome) == ("the guest gave no answer in 0.05 s: ping\nthe console's end")
    asking = Asking(wire.channel, "ping")
    wire.request()
    wire.hang_up()
    assert isinstance(asking.outcome, GuestLostError)
    assert str(asking.outcome) == "the guest is gone: ping\nthe console's end"


def test_an_error_in_the_guest_is_raised_here(wire: Wire) -> None:
    asking = Asking(wire.channel, "exec")
    wire.say(reply=wire.request(), error="FileNotFoundError: nothing")
    assert str(asking.outcome) == "exec: FileNotFoundError: nothing"
