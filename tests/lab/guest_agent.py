"""Runs inside a guest and does what the host's end of the console asks.

It imports the standard library only: it is started with ``-I -S``, before anything of the project.

The console is a doorbell: lines, and never long ones, for a terminal is a poor pipe for bulk.
Host to guest: ``<n>``, and the request lies in ``<n>.json`` of the exchange directory; or an empty
line, which is a nudge: see Channel in channel.py.
Guest to host, one JSON object a line:

* ``{"ready": <kernel release>}`` once;
* ``{"reply": n, ...}`` for every request;
* ``{"grew": n, "stream": "output" | "errors"}``: the file ``<n>.<stream>`` of a spawned program has
  more in it;
* ``{"exited": n, "returncode": r}`` at the end of a spawned program.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path
from typing import Any

Message = dict[str, Any]


class Agent:
    """Serves one console until the host hangs up or asks for the end."""

    def __init__(self, exchange: Path) -> None:
        self._exchange = exchange
        self._speaking = threading.Lock()
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def say(self, message: Message) -> None:
        line = json.dumps(message).encode() + b"\n"
        with self._speaking:
            while line:
                line = line[os.write(1, line) :]

    def serve(self) -> None:
        self.say({"ready": os.uname().release})
        with open(0, "rb", buffering=0, closefd=False) as console:
            for line in console:
                if not line.strip():
                    continue
                number = int(line)
                request = json.loads((self._exchange / f"{number}.json").read_bytes())
                if request["do"] == "power off":
                    return
                threading.Thread(target=self._handle, args=(number, request), daemon=True).start()

    def _handle(self, number: int, request: Message) -> None:
        try:
            reply = getattr(self, "do_" + request.pop("do"))(number, **request)
        except Exception as error:  # noqa: BLE001 # the host raises it where it was asked for
            reply = {"error": f"{type(error).__name__}: {error}"}
        self.say({"reply": number, **reply})

    def do_ping(self, _number: int) -> Message:
        return {}

    def do_exec(
        self,
        number: int,
        argv: list[str],
        env: dict[str, str],
        cwd: str | None,
        text: str,
        timeout: float,
    ) -> Message:
        """Run to the end; what was printed goes to ``<n>.output`` and ``<n>.errors``."""
        child = subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        late = False
        try:
            output, errors = child.communicate(text.encode(), timeout)
        except subprocess.TimeoutExpired:
            late = True
            os.killpg(child.pid, signal.SIGKILL)
            output, errors = child.communicate()
        (self._exchange / f"{number}.output").write_bytes(output)
        (self._exchange / f"{number}.errors").write_bytes(errors)
        return {"returncode": child.returncode, "late": late}

    def do_spawn(
        self, number: int, argv: list[str], env: dict[str, str], cwd: str | None
    ) -> Message:
        child = subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._children[number] = child
        pumps = [
            threading.Thread(target=self._pump, args=(number, stream, pipe), daemon=True)
            for stream, pipe in (("output", child.stdout), ("errors", child.stderr))
        ]
        for pump in pumps:
            pump.start()
        threading.Thread(target=self._reap, args=(number, child, pumps), daemon=True).start()
        return {"pid": child.pid}

    def do_signal(self, _number: int, child: int, signal: int) -> Message:
        # The whole session, as a terminal would; a shell's children are meant too.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._children[child].pid, signal)
        return {}

    def do_send(self, _number: int, child: int, text: str) -> Message:
        pipe = self._children[child].stdin
        assert pipe is not None
        pipe.write(text.encode())
        pipe.flush()
        return {}

    def do_close_input(self, _number: int, child: int) -> Message:
        pipe = self._children[child].stdin
        assert pipe is not None
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
        return {}

    def _pump(self, number: int, stream: str, pipe: Any) -> None:
        path = self._exchange / f"{number}.{stream}"
        while data := os.read(pipe.fileno(), 65536):
            # Closing is what makes hostfs hand the pages over, and it is cheaper than fsync:
            # the host's disk need not hear of it.
            with path.open("ab") as file:
                file.write(data)
            self.say({"grew": number, "stream": stream})
        pipe.close()

    def _reap(
        self, number: int, child: subprocess.Popen[bytes], pumps: list[threading.Thread]
    ) -> None:
        returncode = child.wait()
        # A grandchild may hold the pipes open for ever.
        deadline = time.monotonic() + 1
        for pump in pumps:
            pump.join(max(0, deadline - time.monotonic()))
        self.say({"exited": number, "returncode": returncode})


def main() -> None:
    tty.setraw(0)
    Agent(Path(sys.argv[1])).serve()


if __name__ == "__main__":
    main()
