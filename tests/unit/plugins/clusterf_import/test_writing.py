from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from clusterf.model.address import Address
from clusterf.model.service import Frontend, Ports, StickyClients
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf_import import writing
from clusterf_import.services import Imported, ImportedBackend, ImportedService
from tests.imported import read_back


def backend(last: int = 11, **settings: Any) -> ImportedBackend:
    given: dict[str, Any] = {
        "address": Address.parse(f"198.51.100.{last}"),
        "port": 80,
        "weight": 1,
        "method": Method.MASQ,
    }
    return ImportedBackend(**given | settings)


def service(*backends: ImportedBackend, **settings: Any) -> ImportedService:
    given: dict[str, Any] = {
        "name": "web",
        "title": "what it was",
        "frontends": (Frontend(ipv4=Address.parse("192.0.2.10"), ports=Ports(tcp=80)),),
        "scheduler": "rr",
        "backends": backends or (backend(),),
    }
    return ImportedService(**given | settings)


def text(*services: ImportedService, remarks: tuple[str, ...] = ()) -> str:
    return writing.text_of(Imported(list(services), list(remarks)), "keepalived", "k.conf")


def test_it_is_read_as_it_was_meant() -> None:
    gue = Tunnel(TunnelType.GUE, 6080, "csum")
    one = service(
        backend(),
        backend(12, weight=0, upper_threshold=9, lower_threshold=8),
        backend(13, method=Method.TUNNEL, tunnel=gue),
        backend(14, method=Method.DROUTE, port=0),
        flags=frozenset({"ops"}),
        persistence=StickyClients(3601, prefix4=24, prefix6=64),
    )
    assert read_back(text(one)) == [one]


def test_what_most_backends_have_is_said_once() -> None:
    found = tomllib.loads(text(service(backend(weight=5), backend(12, weight=5), backend(13))))
    web = found["services"]["web"]
    assert web["weight"] == 5
    assert web["backends"] == [
        "198.51.100.11:80",
        "198.51.100.12:80",
        {"address": "198.51.100.13", "port": 80, "weight": 1},
    ]


def test_a_service_without_backends_is_one_too() -> None:
    one = service()
    empty = replace(one, backends=())
    assert read_back(text(empty)) == [empty]


def test_just_the_vips_are_managed_in_as_few_prefixes_as_they_fill() -> None:
    vips = [f"192.0.2.{last}" for last in (8, 9, 10, 11, 40)]
    frontends = [Frontend(ipv4=Address.parse(vip), ports=Ports(tcp=80)) for vip in vips]
    frontends += [Frontend(ipv6=Address.parse("2001:db8::1"), ports=Ports(tcp=80))]
    frontends += [Frontend(fwmark=9), Frontend(fwmark=7)]
    found = tomllib.loads(text(service(frontends=tuple(frontends))))
    assert found["clusterf"] == {
        "managed": ["192.0.2.8/30", "192.0.2.40", "2001:db8::1"],
        "managed_fwmarks": [7, 9],
    }


@pytest.mark.parametrize(
    ("sticky", "written"),
    [
        (StickyClients(50), "50s"),
        (StickyClients(300), "5m"),
        (StickyClients(7200), "2h"),
        (StickyClients(172800), "2d"),
        (StickyClients(90, 24), {"timeout": "90s", "netmask": 24}),
        (StickyClients(90, 32, 64), {"timeout": "90s", "netmask6": 64}),
    ],
)
def test_persistence_is_written_for_people(sticky: StickyClients, written: object) -> None:
    found = tomllib.loads(text(service(persistence=sticky)))
    assert found["services"]["web"]["persistence"] == written


def test_comments_cannot_end_and_cannot_drive_a_terminal() -> None:
    nasty = 'a\nb\x1b[2J\x85\u2028 "c" = 1'
    one = service(backend(origin=nasty, remarks=(nasty,)), title=nasty, remarks=(nasty,))
    found = writing.text_of(Imported([one], [nasty]), "keepalived", nasty)
    assert read_back(found) == [one]
    assert not set(found) & set("\x1b\x85\u2028")


def test_long_remarks_are_wrapped_within_the_comment() -> None:
    found = text(service(backend(remarks=("word " * 60,))))
    assert max(map(len, found.splitlines())) <= 100


def test_a_text_that_says_something_else_is_not_given_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "document", lambda _: {"services": {}})
    with pytest.raises(AssertionError, match="reads otherwise"):
        text(service())
