"""The real program under test: ``clusterf run`` as a process of its own, and what it says."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from clusterf.control.client import ask
from tests.lab.polling import eventually
from tests.lab.process import Completed, Running
from tests.lab.promises.stage import MANAGED, PATIENCE, Director

_DONE = re.compile(r"\bdone op='([^']*)' because=")
_FAILED = re.compile(r"\bfailed op='([^']*)' because=")
_START = 180.0
JSON = dict[str, Any]


def configuration(
    *,
    core: str = "",
    kernel: str = "",
    rest: str = "",
    look: str = "300ms",
    drain: str = "5m",
) -> str:
    """A clusterf.toml: services from ``services.d``, and the kernel of the director."""
    return f"""\
[clusterf]
managed = {MANAGED}
managed_fwmarks = [7, 8]
control = "control.sock"
state_dir = "state"
start_wait = "2s"
{core}

[sources.files]
type = "static"
path = "services.d"

[outputs.kernel]
type = "ipvs"
look = "{look}"
drain = "{drain}"
drain_poll = "200ms"
{kernel}

{rest}
"""


class Daemon:
    """Starts, stops, kills and asks clusterf on a director. ``folder`` has its files."""

    def __init__(self, director: Director, folder: Path) -> None:
        self.director = director
        self.folder = folder
        self.file = folder / "clusterf.toml"
        self.services = folder / "services.d"
        self.socket = folder / "control.sock"
        self.services.mkdir()
        self.running: Running | None = None
        self._read = 0

    # --- its files -----------------------------------------------------------------------------

    def configure(self, text: str | None = None, **services: str) -> None:
        """Write clusterf.toml (None: the usual one) and files of services by name."""
        self.file.write_text(configuration() if text is None else text, encoding="utf-8")
        for name, content in services.items():
            self.put(f"{name}.toml", content)

    def put(self, name: str, content: str) -> Path:
        """Exchange a file of services as editors do: whole, by renaming."""
        draft = self.services / f".{name}"
        draft.write_text(content, encoding="utf-8")
        return draft.rename(self.services / name)

    def restore(self, text: str | None = None, **services: str) -> None:
        """Bring it to where a test begins: with these files, running, and nothing left to do."""
        for path in self.services.iterdir():
            if path.stem not in services:
                path.unlink()
        self.configure(text, **services)
        if self.running is None or self._has_ended():
            self.start()
        else:
            self.reload()
            self.look_again()
            self.settle()
        self._hear_all()

    # --- its life ------------------------------------------------------------------------------

    def start(self, *, settled: bool = True) -> None:
        """Start until outputs run; with ``settled`` wait until the kernel is as wanted."""
        self.launch()
        self.ready(settled=settled)

    def launch(self) -> None:
        """Start, and go on at once: of several programs that start, each takes its time."""
        self._read = 0
        self.running = self.director.namespace.spawn(self.command("run"))

    def ready(self, *, settled: bool = True) -> None:
        """Wait until what was launched is as `start` leaves it."""
        assert self.running is not None
        try:
            self.running.wait_for(" started services=", _START)
            if settled:
                self.settle()
        except BaseException:
            self.end()
            raise

    def stop(self) -> int:
        """SIGTERM; returns its exit status."""
        assert self.running is not None
        self.running.kill(signal.SIGTERM)
        return self.running.wait(40)

    def kill(self) -> None:
        """SIGKILL: it cannot tidy up anything."""
        assert self.running is not None
        self.running.kill(signal.SIGKILL)
        self.running.wait(40)

    def hang_up(self) -> None:
        """SIGHUP: a reload."""
        assert self.running is not None
        self.running.kill(signal.SIGHUP)

    def reload(self) -> None:
        """As ``clusterf reload``, without the time that another program takes to start."""
        ask(self.socket, {"command": "reload"}, timeout=60)

    def end(self) -> None:
        """Whatever its state, it is gone afterwards."""
        if self.running is not None:
            self.running.stop()

    # --- what it says --------------------------------------------------------------------------

    @property
    def log(self) -> str:
        assert self.running is not None
        return self.running.errors()

    def operations(self) -> list[str]:
        """What it did to the kernel since the last call of this, in ipvsadm's words."""
        found = _DONE.findall(self.log)
        fresh, self._read = found[self._read :], len(found)
        return fresh

    def _hear_all(self) -> None:
        """Wait until its log has come as far as its status is, and pass over what it did."""
        done, _ = self.done()
        self.wait_for_log(
            lambda: len(_DONE.findall(self.log)) >= done, f"the {done} operations that it did"
        )
        self.operations()

    def wait_for_operations(self, wanted: list[str], *, in_order: bool = True) -> None:
        """Wait until it has done as many operations; they must be these, and no others follow."""
        done: list[str] = []

        def enough() -> bool:
            done.extend(self.operations())
            return len(done) >= len(wanted)

        try:
            self.wait_for_log(enough, f"operations {wanted}")
            self.look_again()
        except TimeoutError as error:
            raise AssertionError(f"{error}; it did {done}\n{self.log}") from None
        done.extend(self.operations())
        if in_order:
            assert done == wanted
        else:
            assert sorted(done) == sorted(wanted)

    def wait_for_log(self, said: Callable[[], object], what: str) -> None:
        """Wait until its log is as wanted; ``said`` is asked whenever there is more of it."""
        assert self.running is not None
        self.running.wait_until(said, f"did not log {what}", PATIENCE)

    def failures(self) -> list[str]:
        """Operations that failed, as logged: each new error once."""
        return _FAILED.findall(self.log)

    def status(self) -> JSON:
        return ask(self.socket, {"command": "status"}, timeout=60)

    def kernel(self) -> JSON:
        """What status says of the output."""
        picture = self.status()
        return next(one for one in picture["outputs"] if one["name"] == "outputs.kernel")

    def source(self, name: str = "sources.files") -> JSON:
        picture = self.status()
        return next(one for one in picture["sources"] if one["name"] == name)

    def service(self, name: str) -> JSON:
        picture = self.status()
        return next(one for one in picture["services"] if one["name"] == name)

    def done(self) -> tuple[int, int]:
        """How many operations were done, and how many failed, since its start."""
        kernel = self.kernel()
        return kernel["done"], kernel["failed"]

    def wait(
        self, condition: Callable[[JSON], object], what: str, within: float = PATIENCE
    ) -> JSON:
        """Wait until status is as wanted; returns it."""
        seen: JSON = {}

        def holds() -> object:
            seen.clear()
            seen.update(self.status())
            return condition(seen)

        try:
            eventually(holds, what, within=within)
        except TimeoutError as error:
            shown = json.dumps(seen, indent=1)
            raise AssertionError(f"{error}; status says\n{shown}\n{self.log}") from None
        return dict(seen)

    def settle(self, within: float = PATIENCE) -> JSON:
        """Wait until the kernel holds what is wanted, and nothing is left to do."""
        return self.wait(_settled, "settled", within)

    def look_again(self) -> None:
        """Wait until it has looked at the whole kernel after now, and more than once.

        The look's period is short in these tests; what it would repair, it repairs meanwhile.
        """
        looks = self._looks()
        eventually(lambda: self._looks() >= looks + 2, "it looks again", within=PATIENCE)

    def _looks(self) -> int:
        kernel = self.kernel()
        return int(kernel.get("looks", 0))

    def command(self, name: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "clusterf", name, "-c", str(self.file), *arguments]

    def cli(self, name: str, *arguments: str) -> Completed:
        """Run another command of clusterf on the director to its end."""
        return self.director.run(self.command(name, *arguments), check=False)

    def _has_ended(self) -> bool:
        return self.running is not None and self.running.poll() is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def _settled(picture: JSON) -> bool:
    entries = [entry for service in picture["services"] for entry in service["entries"]]
    states = {entry["state"] for entry in entries}
    states |= {one["state"] for entry in entries for one in entry["destinations"]}
    return (
        bool(picture["outputs"])
        and all(output["state"] == "running" for output in picture["outputs"])
        and not picture["hold"]
        and not picture["leaving"]
        and states <= {"serving", "quiesced", "empty"}
    )
