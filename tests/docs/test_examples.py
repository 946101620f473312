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
        self.server.take(json.loads(self.rfile.read(int(self.headers["content-length"]))))
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


def test_the_real_program_runs_them(folder: Path, posts: Posts) -> None:
    fleet = folder / "plugins.d" / "fleet.py"
    fleet.write_text(FLEET)
    fleet.chmod(0o644)
    (folder / "services.toml").write_text(SERVICES)
    path = folder / "clusterf.toml"
    path.write_text(CONFIGURATION.replace("PORT", str(posts.server_port)))
    environment = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins")))}
    argv = [sys.executable, "-m", "clusterf", "run", "-c", path]
    with LocalProcess(argv, env=environment, cwd=folder) as program:
        posts.wait(1)
        assert posts.lines == ["tcp 192.0.2.10:80 added"]
        assert posts.weights == {"198.51.100.1": 20, "198.51.100.2": 3}
        program.wait_for("differing in upstream web")
        written = (folder / "upstreams.conf").read_text()
        assert "    server 198.51.100.1:8080 weight=10;\n" in written, "nginx: before the policies"
        assert "    server 198.51.100.2:8080 weight=3;\n" in written

        (folder / "services.toml").write_text(SERVICES.replace("weight = 3", "weight = 0"))
        posts.wait(2)
        assert posts.lines[1] == "tcp 192.0.2.10:80 changed: 198.51.100.2:8080 weight 3 -> 0"
        program.wait_until(
            lambda: program.errors().count("differing in upstream web") == 2, "wrote it once only"
        )
        assert "    server 198.51.100.2:8080 down;\n" in (folder / "upstreams.conf").read_text()

        program.kill(signal.SIGTERM)
        assert program.wait() == 0
        assert "Traceback" not in program.errors()
        assert "WARNING" not in program.errors().upper()
