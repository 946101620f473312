from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import clusterf_docker
from clusterf.model.address import Address
from clusterf.model.table import Method
from clusterf.plugin import Fault, faults_of
from clusterf_docker.settings import DockerSettings, RoutesTable

SAMPLE = Path(clusterf_docker.__file__).with_name("sample.toml")


@pytest.mark.parametrize(
    "host", ["unix:///run/docker.sock", "tcp://192.0.2.1:2375", "tcp://[2001:db8::1]:2376/"]
)
def test_hosts(host: str) -> None:
    assert DockerSettings(host=host).host == host.rstrip("/")


@pytest.mark.parametrize(
    "host",
    [
        *("", "docker", "/run/docker.sock", "unix://run/docker.sock", "unix://", "tcp://192.0.2.1"),
        *("tcp://:2375", "tcp://a:b", "tcp://a:0", "tcp://a:99999", "ssh://a:22", "http://a:80"),
        *("tcp://a:1/x", "tcp://user@a:1", "tcp://[::1:2375", "npipe:////./pipe/docker"),
    ],
)
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(ValidationError, match="is not unix:///PATH or tcp://HOST:PORT"):
        DockerSettings(host=host)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"tls": {"ca": "ca.pem"}}, "needs a host of the form tcp://"),
        ({"host": "tcp://a:1", "tls": {"cert": "c.pem"}}, "cert and key belong together"),
        ({"host_ipv4": "2001:db8::1"}, "is not an IPv4 address"),
        ({"host_ipv6": "192.0.2.1"}, "is not an IPv6 address"),
        ({"host_ipv4": "0.0.0.0"}, "unspecified"),
        ({"addressing": "publish"}, "addressing"),
        ({"timeout": 0}, "timeout"),
        ({"services": "web"}, "services"),
        ({"hosts": "x"}, "hosts"),
    ],
)
def test_what_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        DockerSettings.model_validate(values)


def faults(routes: dict[str, Any]) -> list[Fault]:
    data = {"routes": routes}
    with pytest.raises(ValidationError) as caught:
        DockerSettings.model_validate(data)
    return faults_of(caught.value, DockerSettings, data)


def test_routes_are_published_only_when_asked_for() -> None:
    assert DockerSettings().routes is None
    routes = DockerSettings.model_validate({"routes": {"gateway4": "192.0.2.11"}}).routes
    assert routes == RoutesTable(gateway4=Address.parse("192.0.2.11"))
    assert (routes.method, routes.networks, routes.gateway6) == (Method.DROUTE, None, None)


@pytest.mark.parametrize(
    ("change", "at", "words"),
    [
        ({"gateway4": "2001:db8::1"}, ("gateway4",), "is not an IPv4 address"),
        ({"gateway6": "192.0.2.11"}, ("gateway6",), "is not an IPv6 address"),
        ({"gateway4": "0.0.0.0"}, ("gateway4",), "no address of a host"),
        ({"gateway6": "ff02::1"}, ("gateway6",), "no address of a host"),
        ({"method": "dr"}, ("method",), "unknown forwarding method"),
        ({"tunnel": "gre"}, ("tunnel",), 'for method = "tunnel" only'),
        ({"method": "tunnel", "tunnel": "gue"}, ("tunnel",), "GUE needs a UDP port"),
        ({"networks": [""]}, ("networks", 0), "at least 1 characters"),
        ({"network": ["a"]}, ("network",), "unknown key"),
    ],
)
def test_what_is_wrong_with_routes_is_told_at_its_place(
    change: dict[str, Any], at: tuple[str | int, ...], words: str
) -> None:
    [fault] = faults({"gateway4": "192.0.2.11", **change})
    assert fault.at == ("routes", *at)
    assert words in f"{fault.message} {fault.hint}"


def test_routes_without_any_gateway_are_a_fault() -> None:
    [fault] = faults({"networks": ["bridge"]})
    assert (fault.at, fault.missing) == (("routes",), "gateway4")


def test_the_sample_is_a_complete_minimal_fragment() -> None:
    table = tomllib.loads(SAMPLE.read_text(encoding="utf-8"))["sources"]["local-docker"]
    assert table.pop("type") == "docker"
    assert DockerSettings.model_validate(table) == DockerSettings()


def test_the_sample_names_every_option() -> None:
    text = SAMPLE.read_text(encoding="utf-8").replace("\n# ", "\n")
    table = tomllib.loads(text)["sources"]["local-docker"]
    assert table.keys() - {"type"} == DockerSettings.model_fields.keys()
    # Options whose default depends on something else, or is none, show an example.
    examples = {"services", "network", "tls", "host_ipv4", "host_ipv6", "routes", "type"}
    plain = {key: value for key, value in table.items() if key not in examples}
    assert DockerSettings.model_validate(plain) == DockerSettings()
    assert RoutesTable.model_validate(table["routes"])


def test_the_sample_and_the_readme_name_every_option_of_routes() -> None:
    about = SAMPLE.read_text(encoding="utf-8").split("## Publish a route", 1)[1]
    readme = SAMPLE.with_name("README.md").read_text(encoding="utf-8")
    [row] = [line for line in readme.splitlines() if line.startswith("| `routes`")]
    for name in RoutesTable.model_fields:
        assert name in about, name
        assert name in row, name


def test_the_readme_names_every_option() -> None:
    text = SAMPLE.with_name("README.md").read_text(encoding="utf-8")
    assert not [name for name in DockerSettings.model_fields if f"`{name}`" not in text]
