"""The examples of drop-ins: their page is right, and the real program runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from clusterf.config.check import check_offline
from clusterf.plugin.loader import load_plugins
from clusterf.plugin.options import options_of
from clusterf.plugin.registry import ROLES, Registry
from tests.lab.process import LocalProcess

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "plugins" / "examples"
PAGE = (EXAMPLES / "README.md").read_text("utf-8")
FILES = sorted(EXAMPLES.glob("*.py"))
SECTIONS = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a configuration with all examples in its plugins.d."""
    plugins = tmp_path / "plugins.d"
    plugins.mkdir(mode=0o755)
    for file in FILES:
        shutil.copy(file, plugins)
        (plugins / file.name).chmod(0o644)
    return tmp_path


@pytest.fixture
def registry(folder: Path) -> Registry:
    return load_plugins([folder / "plugins.d"])


def test_there_are_three_and_each_has_its_section() -> None:
    assert len(FILES) == 3
    assert len(SECTIONS) == 3
    for file in FILES:
        assert file.stem.replace("_", "-") in SECTIONS


def test_they_load_and_state_their_version(registry: Registry) -> None:
    assert (registry.failures, registry.uncalled_hooks) == ([], [])
    own = [plugin for plugin in registry.plugins if plugin.origin != "bundled"]
    assert [plugin.name for plugin in own] == [file.stem for file in FILES]
    assert all(plugin.version for plugin in own)


@pytest.mark.parametrize("name", SECTIONS)
def test_the_page_names_every_option_with_its_default(name: str, registry: Registry) -> None:
    [kind] = [registry.of(role)[name] for role in ROLES if name in registry.of(role)]
    for option in options_of(kind.settings):
        [row] = re.findall(rf"^\| `{option.name}` \| (.*?) \|", SECTIONS[name], re.MULTILINE)
        if option.required:
            assert row == "mandatory"
        elif option.default:
            assert row == f"`{option.default}`"
        else:
            assert "`" not in row
        assert option.description


@pytest.mark.parametrize("name", SECTIONS)
def test_the_configuration_of_the_page_passes(name: str, folder: Path, registry: Registry) -> None:
    [toml] = re.findall(r"^```toml\n(.*?)^```", SECTIONS[name], re.MULTILINE | re.DOTALL)
    path = folder / "clusterf.toml"
    path.write_text(toml, "utf-8")
    _, problems = check_offline(path, registry)
    assert [str(problem) for problem in problems] == []


# --- the real program -----------------------------------------------------------------------------

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


@pytest.fixture
def posts() -> Iterator[Posts]:
    with Posts() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Program:
    """clusterf with all examples, and a source that has a labelled backend, in a folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        fleet = folder / "plugins.d" / "fleet.py"
        fleet.write_text(FLEET)
        fleet.chmod(0o644)
        (folder / "services.toml").write_text(SERVICES)
        (folder / "clusterf.toml").write_text(CONFIGURATION.replace("PORT", str(port)))

    def start(self) -> LocalProcess:
        environment = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins")))}
        argv = [sys.executable, "-m", "clusterf", "run", "-c", self.folder / "clusterf.toml"]
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


def test_the_real_program_runs_them(folder: Path, posts: Posts) -> None:
    program = Program(folder, posts.server_port)
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


def test_a_receiver_that_keeps_silent_holds_back_nobody(folder: Path, posts: Posts) -> None:
    program = Program(folder, posts.server_port)
    with program.start() as running:
        posts.wait(1)
        posts.answers.clear()
        for times, weight in enumerate((4, 5, 6), 2):
            program.weigh(weight)
            wait_for_upstreams(running, times)
            assert f"198.51.100.2:8080 weight={weight};" in program.upstreams
        assert len(posts.lines) == 1
        end(running)
        posts.answers.set()


def test_what_a_receiver_does_not_take_is_posted_again(folder: Path, posts: Posts) -> None:
    program = Program(folder, posts.server_port)
    with program.start() as running:
        posts.wait(1)
        posts.refused = 1
        program.weigh(7)
        running.wait_for(f"http://127.0.0.1:{posts.server_port}: answers 503")
        posts.wait(2)
        assert posts.lines[1] == "tcp 192.0.2.10:80 changed: 198.51.100.2:8080 weight 3 -> 7"
        end(running)
