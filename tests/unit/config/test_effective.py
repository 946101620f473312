from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from clusterf.config.configuration import Configuration
from clusterf.config.effective import effective
from clusterf.config.load import load_configuration
from clusterf.config.writing import write_toml
from clusterf.plugin import OutputType, Secret, Settings
from clusterf.plugin.loader import Registry, load_plugins

ROOT = Path(__file__).parents[3]

HEAD = '[clusterf]\nmanaged = ["192.0.2.0/24"]\n[services.web]\n'
RICH = """
[clusterf]
managed = ["192.0.2.0/24", "2001:db8::/64"]
managed_fwmarks = [7]
plugin_dirs = ["more"]
start_wait = 0.25
[defaults]
scheduler = "mh"
flags = ["mh-port", "ops"]
persistence = { timeout = "1h", netmask = "255.255.255.0", netmask6 = 64 }
method = "tunnel"
tunnel = { type = "gue", port = 6080, flags = "csum" }
[sources."odd name"]
type = "docker"
enabled = false
host_ipv4 = "198.51.100.1"
routes = { gateway4 = "198.51.100.1", method = "droute" }
[sources.cluster]
type = "etcd"
endpoints = ["https://etcd.example:2379"]
user = "clusterf"
password_file = "secrets/password"
tls = { ca = "/etc/ca.pem" }
[sources.more]
type = "static"
[sources.more.services.api]
backends = ["198.51.100.1:80", { address = "2001:db8::1", port = 81, weight = 3 }]
[[policies]]
type = "local"
sources = ["odd*"]
[[policies]]
type = "routes"
[[policies.routes]]
name = "default"
method = ""
prefix = "2001:db8::/32"
[outputs.kernel]
type = "ipvs"
drain = "90s"
drain_poll = "1m1s"
[outputs.cluster]
type = "etcd"
sources = ["more"]
[outputs.vips]
type = "addresses"
tunnels = ["ipip", { type = "gue", port = 6080 }]
mss = 1400
[services.web]
frontends = [{ ipv4 = "192.0.2.1", tcp = 80 }, { fwmark = 7, family = "inet6" }]
[routes.rack]
prefix = "198.51.100.0/24"
method = "droute"
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins()


def loaded(path: Path, text: str, registry: Registry) -> Configuration:
    path.write_text(text)
    configuration, problems = load_configuration(path, registry)
    assert configuration is not None, problems
    return configuration


def whole(text: str, registry: Registry) -> str:
    return write_toml(effective(tomllib.loads(text), registry))


@pytest.mark.parametrize("text", [RICH, (ROOT / "clusterf.toml").read_text()])
def test_it_reads_back_to_the_same_configuration(
    text: str, registry: Registry, tmp_path: Path
) -> None:
    written = whole(text, registry)
    path = tmp_path / "clusterf.toml"
    assert loaded(path, written, registry) == loaded(path, text, registry)
    assert whole(written, registry) == written


def test_defaults_and_what_is_not_enabled_are_there(registry: Registry) -> None:
    values = tomllib.loads(whole(RICH, registry))
    assert values["sources"]["odd name"]["enabled"] is False
    assert values["outputs"]["kernel"]["batch"] == 512
    assert values["outputs"]["kernel"]["drain"] == "90s"
    assert values["outputs"]["cluster"]["startup_error"] == "retry"
    assert values["clusterf"]["start_wait"] == "250ms"
    assert values["defaults"]["flags"] == ["mh-port", "ops"]


def test_sections_that_are_not_there_stay_away(registry: Registry) -> None:
    assert list(effective(tomllib.loads(HEAD), registry)) == ["clusterf", "defaults", "services"]


class WithSecret(Settings):
    token: Secret
    other: Secret | None = None


def test_secrets_are_hidden(tmp_path: Path) -> None:
    registry = Registry()
    registry.outputs["hook"] = OutputType(
        name="hook",
        settings=WithSecret,
        create=lambda *_: None,  # type: ignore[arg-type,return-value]
        summary="",
    )
    text = '[clusterf]\nmanaged = []\n[outputs.hook]\ntype = "hook"\ntoken = "hunter2"\n'
    written = whole(text, registry)
    assert "hunter2" not in written
    assert 'token = "**********"' in written
    path = tmp_path / "clusterf.toml"
    path.write_text(text + "[sources.a]\n")
    _, problems = load_configuration(path, registry)
    assert "hunter2" not in repr(problems)
