"""All examples of drop-ins in the real program, with a receiver of their posts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.lab.process import LocalProcess

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "plugins" / "examples"
FILES = sorted(EXAMPLES.glob("*.py"))
FROM_SOURCE = (sys.executable, "-m", "clusterf")

FLEET = """
from clusterf.model.address import Address
from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Ports
from clusterf.plugin import Settings, SourceType, hookimpl

CLUSTERF_API = "1.0"

class Fleet:
    def __init__(self, settings, context):
        self.place = Provenance(context.name)

    async def run(self, publish):
        publish.replace([
            Backend(service="web", id="a", ports=Ports(tcp=8080), provenance=self.place,
                    ipv4=Address.parse("198.51.100.1"), labels={"size": "large"}),
        ])

@hookimpl
def clusterf_register_sources():
    return [SourceType(name="fleet", settings=Settings, create=Fleet, summary="one container")]
"""

CONFIGURATION = """
[clusterf]
managed = ["192.0.2.0/24"]
plugin_dirs = ["plugins.d"]
control = "control.sock"
state_dir = "state"

[sources.containers]
type = "fleet"

[sources.files]
type = "static"
path = "services.toml"

[[policies]]
type = "label-weight"
label = "size"
weights = { large = 20 }

[outputs.log]
type = "webhook"
url = "http://127.0.0.1:PORT/"
at_start = true

[outputs.nginx]
type = "nginx-upstream"
path = "upstreams.conf"
"""

SERVICES = """
[services.web]
frontend = { ipv4 = "192.0.2.10", tcp = 80 }
backends = [{ id = "b", address = "198.51.100.2", tcp = 8080, weight = 3 }]
"""


class Posts(ThreadingHTTPServer):
    """What the program posts."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came = threading.Condition()
        self.lines: list[str] = []
        self.refused = 0
        self.answers = threading.Event()
        self.answers.set()
        self.weights: dict[str, int] = {}

    def take(self, post: Any) -> None:
        with self.came:
            for change in post["changes"]:
                self.lines.append(change["line"])
                for one in change["after"]["destinations"]:
                    self.weights[one["address"]] = one["weight"]
            self.came.notify_all()

    def wait(self, number: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.lines) >= number, 30), self.lines


class _Handler(BaseHTTPRequestHandler):
    server: Posts

    def do_POST(self) -> None:
        post = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.answers.wait(30)
        if self.server.refused:
            self.server.refused -= 1
            self.send_response(503)
        else:
            self.server.take(post)
            self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not into the output of the tests."""


def laid_out(folder: Path) -> Path:
    """A folder of a configuration with all examples in its plugins.d."""
    plugins = folder / "plugins.d"
    plugins.mkdir(mode=0o755)
    for file in FILES:
        shutil.copy(file, plugins)
        (plugins / file.name).chmod(0o644)
    return folder


@contextmanager
def listening() -> Iterator[Posts]:
    """Somebody who takes posts."""
    with Posts() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Program:
    """clusterf with all examples, and a source that has a labelled backend, in a folder."""

    def __init__(self, folder: Path, port: int, argv: Sequence[Path | str] = FROM_SOURCE) -> None:
        self.folder = folder
        self.argv = argv
        fleet = folder / "plugins.d" / "fleet.py"
        fleet.write_text(FLEET)
        fleet.chmod(0o644)
        (folder / "services.toml").write_text(SERVICES)
        (folder / "clusterf.toml").write_text(CONFIGURATION.replace("PORT", str(port)))

    def start(self) -> LocalProcess:
        environment = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins")))}
        argv = [*self.argv, "run", "-c", self.folder / "clusterf.toml"]
        return LocalProcess(argv, env=environment, cwd=self.folder)

    def weigh(self, weight: int) -> None:
        """Change the weight of the backend that the file names."""
        (self.folder / "services.toml").write_text(SERVICES.replace("= 3", f"= {weight}"))

    @property
    def upstreams(self) -> str:
        return (self.folder / "upstreams.conf").read_text()


def wait_for_upstreams(running: LocalProcess, times: int) -> None:
    running.wait_until(
        lambda: running.errors().count("differing in upstream web") == times,
        f"did not write the upstreams {times} times",
    )


def end(running: LocalProcess) -> None:
    running.kill(signal.SIGTERM)
    assert running.wait() == 0
    assert "Traceback" not in running.errors()


def act(program: Program, posts: Posts) -> None:
    """Run it, change a weight, and see what each of the three makes of both."""
    with program.start() as running:
        posts.wait(1)
        assert posts.lines == ["tcp 192.0.2.10:80 added"]
        assert posts.weights == {"198.51.100.1": 20, "198.51.100.2": 3}
        wait_for_upstreams(running, 1)
        assert "    server 198.51.100.1:8080 weight=10;\n" in program.upstreams, "as sources say"
        assert "    server 198.51.100.2:8080 weight=3;\n" in program.upstreams
        program.weigh(0)
        posts.wait(2)
        assert posts.lines[1] == "tcp 192.0.2.10:80 changed: 198.51.100.2:8080 weight 3 -> 0"
        wait_for_upstreams(running, 2)
        assert "    server 198.51.100.2:8080 down;\n" in program.upstreams
        assert "warning" not in running.errors().lower()
        end(running)
