"""The host's end of a guest's console: requests out, replies and news of programs in."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.lab.process import LabError, Running

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

Message = dict[str, Any]

_NUDGE, _NUDGES = 0.1, 1.0
"""Seconds of silence after which a blank line follows a request, the first time and at most."""


class GuestLostError(LabError):
    """The guest's console hung up: it crashed, or was powered off."""


class Channel:
    """Many callers at once over one console; see guest_agent.py for what goes over it.

    A byte on the console is never lost, but the guest may not notice it. Two defects of user-mode
    Linux 6.1, both seen with strace(1) on a guest:

    * Interrupts are edges of an epoll (EPOLLET), and the array that epoll_wait(2) fills is static
      (epoll_events in arch/um/os-Linux/irq.c). While the handler of its first entry runs, packets
      may bring a second handler, whose epoll_wait overwrites the entries that the first has not
      come to. With two busy network cards it is the console's entry once in a thousand requests,
      and that edge never comes again.
    * A SIGIO between the idle task's last look and its sigsuspend(2) is only noted
      (os_idle_sleep in arch/um/os-Linux/time.c), and acted upon at the guest's next timer.

    Any further byte is a new edge and a new signal, and with it everything is read. So whoever
    waits for the guest writes a blank line from time to time, as TCP sends again.
    """

    def __init__(
        self,
        console: socket.socket,
        exchange: Path,
        tail: Callable[[], str],
        lay_out: Callable[[int, Message], None] | None = None,
    ) -> None:
        """Begin to listen. ``lay_out`` writes a request for an agent that reads no JSON."""
        self._console = console
        self._exchange = exchange
        self._tail = tail
        self._lay_out = lay_out or self._as_json
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._replies: dict[int, Message] = {}
        self._children: dict[int, GuestProcess] = {}
        self._release: str | None = None
        self._lost = False
        self._reader = threading.Thread(target=self._read, name="lab-console", daemon=True)
        self._reader.start()

    @property
    def lost(self) -> bool:
        return self._lost

    def ready(self, timeout: float) -> str:
        """Wait for the agent's first word; returns the guest's kernel release."""
        with self._changed:
            self._changed.wait_for(lambda: self._release is not None or self._lost, timeout)
            if self._release is None:
                state = "hung up" if self._lost else f"said nothing in {timeout} s"
                raise GuestLostError(f"the guest {state}\n{self._tail()}")
            return self._release

    def ask(self, request: Message, timeout: float, child: GuestProcess | None = None) -> Message:
        """Send one request and wait for its reply; ``child`` will hear of what it starts."""
        number = next(self._numbers)
        if child is not None:
            child.number = number
            self._children[number] = child
        self._ring(number, request)
        with self._changed:
            self._await(lambda: number in self._replies or self._lost, timeout)
            if number not in self._replies:
                state = "is gone" if self._lost else f"gave no answer in {timeout} s"
                raise GuestLostError(f"the guest {state}: {request['do']}\n{self._tail()}")
            reply = self._replies.pop(number)
        (self._exchange / f"{number}.json").unlink(missing_ok=True)
        if "error" in reply:
            raise LabError(f"{request['do']}: {reply['error']}")
        return reply

    def power_off(self, timeout: float) -> None:
        """Let the guest end itself; its end is the reply."""
        self._ring(next(self._numbers), {"do": "power off"})
        with self._changed:
            self._await(lambda: self._lost, timeout)

    def take(self, number: int, stream: str) -> bytes:
        """The bytes of a finished program's stream, which are then gone."""
        path = self._exchange / f"{number}.{stream}"
        data = path.read_bytes()
        path.unlink()
        return data

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._console.shutdown(2)
        self._reader.join(5)
        self._console.close()

    def _as_json(self, number: int, request: Message) -> None:
        (self._exchange / f"{number}.json").write_text(json.dumps(request))

    def _ring(self, number: int, request: Message) -> None:
        self._lay_out(number, request)
        try:
            self._console.sendall(b"%d\n" % number)
        except OSError as error:
            raise GuestLostError(f"the guest is gone: {error}\n{self._tail()}") from error

    def _await(self, done: Callable[[], bool], timeout: float) -> None:
        """Wait with nudges, until ``timeout`` at most; the caller holds the condition."""
        deadline = time.monotonic() + timeout
        pause = _NUDGE
        while not self._changed.wait_for(done, min(pause, deadline - time.monotonic())):
            if time.monotonic() >= deadline:
                return
            with contextlib.suppress(OSError):
                self._console.sendall(b"\n")
            pause = min(2 * pause, _NUDGES)

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._console.makefile("rb") as lines:
            for line in lines:
                # What the terminal echoed before the agent made it raw is not for us.
                with contextlib.suppress(ValueError):
                    self._take(json.loads(line))
        with self._changed:
            self._lost = True
            self._changed.notify_all()
        for child in list(self._children.values()):
            child.lost()

    def _take(self, message: Message) -> None:
        if "grew" in message:
            number, stream = message["grew"], message["stream"]
            self._children[number].grew(stream, self._exchange / f"{number}.{stream}")
        elif "exited" in message:
            self._children.pop(message["exited"]).exited(message["returncode"])
        else:
            with self._changed:
                if "ready" in message:
                    self._release = message["ready"]
                else:
                    self._replies[message["reply"]] = message
                self._changed.notify_all()


class GuestProcess(Running):
    """A program in the background of a guest."""

    number: int
    pid: int

    def __init__(self, channel: Channel, argv: tuple[str, ...], request: Message) -> None:
        super().__init__(argv)
        self._channel = channel
        self._taken = {"output": 0, "errors": 0}
        self.pid = channel.ask({"do": "spawn", "argv": argv, **request}, 30, self)["pid"]

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.poll() is None:
            self._channel.ask({"do": "signal", "child": self.number, "signal": int(number)}, 30)

    def send(self, text: str) -> None:
        self._channel.ask({"do": "send", "child": self.number, "text": text}, 30)

    def close_input(self) -> None:
        self._channel.ask({"do": "close_input", "child": self.number}, 30)

    def grew(self, stream: str, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self._taken[stream])
            data = file.read()
        self._taken[stream] += len(data)
        (self._output if stream == "output" else self._errors).feed(data)

    def exited(self, returncode: int) -> None:
        self._ended(returncode)

    def lost(self) -> None:
        """The guest is gone, and the program with it."""
        self._ended(-signal.SIGKILL)
