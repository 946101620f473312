from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from clusterf.testing import InstanceContext
from clusterf_etcd.auth import Token
from clusterf_etcd.failure import AuthenticationOff, EtcdRefused, EtcdUnavailable, Unauthenticated
from clusterf_etcd.settings import ConnectionSettings

REFUSED = Unauthenticated("invalid auth token")


class Door:
    """Gives one token after the other to who knows the password."""

    def __init__(self, password: str = "s3cret") -> None:  # noqa: S107 - a test's
        self.password = password
        self.given = 0
        self.off = False

    async def login(self, message: dict[str, Any]) -> str:
        await trio.lowlevel.checkpoint()
        if self.off:
            raise AuthenticationOff("authentication is not enabled")
        if message != {"name": "director", "password": self.password}:
            raise EtcdRefused(f"authentication failed for {message}")
        self.given += 1
        return f"token-{self.given}"


def token(path: Path | None, text: str | bytes | None = None) -> Token:
    facts: dict[str, Any] = {}
    if path is not None:
        facts = {"user": "director", "password_file": path.name}
        if text is not None:
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
    folder = path.parent if path is not None else Path("/")
    settings = ConnectionSettings.model_validate(facts)
    return Token(settings, InstanceContext("sources.under-test", folder=folder))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "password"


async def test_without_a_user_there_is_none() -> None:
    door, nobody = Door(), token(None)
    await nobody.fetch("a", door.login)
    assert nobody.headers == {}
    assert door.given == 0
    with pytest.raises(Unauthenticated) as caught:
        nobody.refused("", REFUSED)
    assert caught.value is REFUSED


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
async def test_it_is_fetched_once_and_sent_as_it_is(path: Path, end: str) -> None:
    door, director = Door(), token(path, f"s3cret{end}")
    for _ in range(3):
        await director.fetch("a", door.login)
    assert director.headers == {"authorization": "token-1"}
    assert door.given == 1


async def test_a_password_may_be_of_any_characters(path: Path) -> None:
    for password in (" a b ", "é\u2028x", "a\nb", "\n"):
        door, director = Door(password), token(path, f"{password}\n")
        await director.fetch("a", door.login)
        assert door.given == 1


async def test_one_that_was_refused_is_exchanged_once(path: Path) -> None:
    door, director = Door(), token(path, "s3cret")
    await director.fetch("a", door.login)
    director.refused("token-1", REFUSED)
    await director.fetch("a", door.login)
    assert director.value == "token-2"
    # Others were under way with the old one: that is no reason for a third.
    director.refused("token-1", REFUSED)
    await director.fetch("a", door.login)
    assert director.value == "token-2"


async def test_all_wait_for_one_log_in(path: Path) -> None:
    door, director = Door(), token(path, "s3cret")
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(director.fetch, "a", door.login)
    assert door.given == 1


async def test_a_log_in_that_fails_is_tried_again_with_the_file_as_it_is_then(path: Path) -> None:
    door, director = Door(), token(path, "wrong")

    async def away(_: dict[str, Any]) -> str:
        raise EtcdUnavailable("away")

    with pytest.raises(EtcdUnavailable):
        await director.fetch("a", away)
    with pytest.raises(EtcdRefused):
        await director.fetch("a", door.login)
    assert director.headers == {}
    token(path, "s3cret")
    await director.fetch("a", door.login)
    assert director.value == "token-1"


async def test_all_who_wait_for_an_endpoint_that_hangs_wait_for_it_once(path: Path) -> None:
    tried: list[str] = []
    failed: list[EtcdUnavailable] = []
    director = token(path, "s3cret")

    async def fetch(endpoint: str) -> None:
        async def hang(_: dict[str, Any]) -> str:
            tried.append(endpoint)
            # Until all the others wait for this one.
            await wait_all_tasks_blocked()
            raise EtcdUnavailable("no answer", perhaps_done=True)

        try:
            await director.fetch(endpoint, hang)
        except EtcdUnavailable as error:
            failed.append(error)

    async with trio.open_nursery() as nursery:
        for endpoint in "aaaab":
            nursery.start_soon(fetch, endpoint)
    assert len(failed) == 5
    assert not any(error.perhaps_done for error in failed)
    # Those who come in between may have to wait for another one; never for the same one again.
    assert sorted(set(tried)) == ["a", "b"]
    assert tried.count("a") <= 2
    # Whoever comes later tries.
    await director.fetch("a", Door().login)
    assert director.value == "token-1"


async def test_where_nobody_is_asked_there_is_none(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    door, director = Door(), token(path, "s3cret")
    door.off = True
    with caplog.at_level(logging.WARNING):
        await director.fetch("a", door.login)
        await director.fetch("a", door.login)
    assert director.headers == {}
    assert caplog.messages == ["authentication off user=director"]
    # Then everybody is asked.
    door.off = False
    director.refused("", REFUSED)
    await director.fetch("a", door.login)
    assert director.value == "token-1"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no such file"),
        ("", "no password in it"),
        ("\n", "no password in it"),
        ("x" * 5000, "too large"),
        (b"s3cr\xffet", "not UTF-8"),
    ],
    ids=lambda one: str(one)[:20],
)
async def test_a_file_that_has_no_password(
    path: Path, content: str | bytes | None, says: str
) -> None:
    director = token(path, content)
    with pytest.raises(EtcdRefused, match=f"password_file {path}: {says}") as caught:
        await director.fetch("a", Door().login)
    assert "s3cr" not in str(caught.value)
    assert "0xff" not in repr(caught.value.__cause__)
