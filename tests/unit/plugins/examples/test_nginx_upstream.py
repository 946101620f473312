from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.model.errors import OutputUnavailable
from clusterf.testing import (
    BadSettings,
    Director,
    InstanceContext,
    backend,
    service,
    settings_from,
)
from examples.nginx_upstream import NginxSettings, NginxUpstream, usable

HEAD = (
    "# Written by clusterf: what is changed here is lost."
    " nginx is to be reloaded after each change.\n"
)
WEB = service("web", "192.0.2.1")
ONE = backend("web", "a", "198.51.100.1", tcp=8080, weight=4)
TWO = backend("web", "b", "2001:db8::2")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upstreams.conf"


def text(path: Path) -> str:
    return path.read_text("utf-8")


def write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def inode(path: Path) -> int:
    """Another one when the file was replaced."""
    return path.stat().st_ino


def inside(folder: Path) -> dict[str, int]:
    """Names and modes of what is in a folder."""
    return {one.name: one.stat().st_mode & 0o777 for one in folder.iterdir()}


def output(path: Path, toml: str = "") -> NginxUpstream:
    settings = settings_from(NginxSettings, f'path = "{path.name}"\n{toml}')
    return NginxUpstream(settings, InstanceContext("outputs.nginx", folder=path.parent))


def director(path: Path, toml: str = "") -> Director:
    return Director(output(path, toml), publishes=True)


async def test_services_become_upstreams(path: Path) -> None:
    one = director(path)
    one.publish.replace([WEB, ONE, TWO, service("api", "192.0.2.2")])
    [outcome] = await one.follow()
    assert text(path) == (
        f"{HEAD}\n"
        "upstream api {\n"
        "    server 127.0.0.1:9 down;\n"
        "}\n\n"
        "upstream web {\n"
        "    server 198.51.100.1:8080 weight=4;\n"
        "    server [2001:db8::2]:80 weight=10;\n"
        "}\n"
    )
    assert outcome.operation.describe() == (
        f"write {path} for nginx to reload, differing in upstream api, web"
    )
    assert inside(path.parent) == {path.name: 0o644}


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"weight": 0}, "198.51.100.1:8080 down"),
        ({"weight": 4, "quiesced": "unhealthy"}, "198.51.100.1:8080 down"),
        ({"weight": None}, "198.51.100.1:8080 weight=10"),
    ],
)
async def test_what_shall_get_no_connections_is_down(
    path: Path, facts: dict[str, object], line: str
) -> None:
    one = director(path)
    one.publish.replace([WEB, ONE._replace(**facts)])  # type: ignore[arg-type] # of any field
    await one.follow()
    assert f"    server {line};\n" in text(path)


async def test_the_service_may_name_the_weight(path: Path) -> None:
    one = director(path, "weight = 3")
    one.publish.replace([service("web", "192.0.2.1", weight=7), TWO, service("api")])
    one.publish.put(backend("api", "c", "198.51.100.3"))
    await one.follow()
    assert "[2001:db8::2]:80 weight=7;" in text(path)
    assert "198.51.100.3:80 weight=3;" in text(path)


async def test_backends_without_tcp_are_not_for_nginx(path: Path) -> None:
    one = director(path)
    one.publish.replace([WEB, backend("web", "a", "198.51.100.1", udp=53)])
    await one.follow()
    assert "198.51.100.1" not in text(path)


async def test_a_change_writes_and_what_is_equal_does_not(path: Path) -> None:
    one = director(path)
    one.publish.replace([WEB, ONE])
    await one.follow()
    first = inode(path)
    one.publish.put(ONE._replace(labels={"other": "label"}))
    assert await one.follow() == ()
    assert await one.look() == ()
    assert inode(path) == first
    one.publish.drop(ONE.ref)
    [outcome] = await one.follow()
    assert outcome.operation.describe().endswith("differing in upstream web")
    assert inode(path) != first
    assert "127.0.0.1:9 down" in text(path)


async def test_a_restart_writes_nothing(path: Path) -> None:
    for _ in range(2):
        one = director(path)
        one.publish.replace([WEB, ONE])
        outcomes = await one.follow()
    assert outcomes == ()


async def test_what_somebody_changes_is_mended(path: Path) -> None:
    one = director(path)
    one.publish.replace([WEB, ONE])
    await one.follow()
    before = text(path)
    write(path, before.replace("weight=4", "weight=5") + "upstream x {\n}\n\n")
    [outcome] = await one.look()
    assert outcome.operation.describe().endswith("differing in upstream web, x")
    assert text(path) == before


async def test_a_service_that_is_gone_goes(path: Path) -> None:
    one = director(path)
    one.publish.replace([WEB, ONE])
    await one.follow()
    one.publish.replace([])
    await one.follow()
    assert text(path) == HEAD


async def test_unknown_is_not_empty(path: Path) -> None:
    before = f"{HEAD}\nupstream web {{\n    server 198.51.100.1:8080 weight=4;\n}}\n"
    write(path, before)
    nginx = output(path)
    one = Director(nginx, publishes=True)
    one.publish.put(service("api", "192.0.2.2"))
    assert await one.follow() == ()
    assert text(path) == before
    assert nginx.report().detail == (f"{path} stays as it is until sources.under-test has spoken")
    one.publish.replace([WEB, ONE])
    assert await one.follow() == ()
    assert nginx.report().detail == f"1 upstream in {path}"


async def test_names_that_nginx_would_read_as_its_own_words_are_refused(path: Path) -> None:
    nginx = output(path)
    one = Director(nginx, publishes=True)
    one.publish.replace([WEB, ONE, service("x { } include /etc/passwd;", "192.0.2.2")])
    await one.follow()
    assert "passwd" not in text(path)
    assert nginx.report().problems == ['service "x { } include /etc/passwd;" cannot be an upstream']


@pytest.mark.parametrize("name", ["web", "web-1", "a.b_c", "1"])
def test_plain_names_are_usable(name: str) -> None:
    assert usable(name)


@pytest.mark.parametrize("name", ["", "a b", "a;", "a{", "a\n", "#a", "$a", "-a", '"a"', "\u00e4"])
def test_other_names_are_not(name: str) -> None:
    assert not usable(name)


@pytest.mark.parametrize("toml", ['services = ["a*"]', 'sources = ["other"]'])
async def test_it_may_be_about_some_only(path: Path, toml: str) -> None:
    one = director(path, toml)
    one.publish.replace([WEB, ONE])
    await one.follow()
    assert "upstream web" not in text(path)


async def test_a_file_of_somebody_else_is_not_touched(path: Path) -> None:
    write(path, "upstream mine {}\n")
    one = director(path)
    one.publish.replace([WEB, ONE])
    with pytest.raises(OutputUnavailable, match="was not written by clusterf"):
        await one.follow()
    assert text(path) == "upstream mine {}\n"


async def test_what_cannot_be_read_or_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    one = director(tmp_path / "folder")
    one.publish.replace([WEB])
    with pytest.raises(OutputUnavailable, match="folder: is a directory"):
        await one.follow()
    nowhere = tmp_path / "no" / "where.conf"
    one = Director(
        NginxUpstream(
            settings_from(NginxSettings, f'path = "{nowhere}"'),
            InstanceContext("outputs.nginx", folder=tmp_path),
        ),
        publishes=True,
    )
    one.publish.replace([WEB])
    with pytest.raises(OutputUnavailable, match=r"where\.conf: no such file or directory"):
        await one.follow()
    assert list(inside(tmp_path)) == ["folder"]


def test_the_path_is_mandatory() -> None:
    with pytest.raises(BadSettings, match='missing key "path"'):
        settings_from(NginxSettings, "")
