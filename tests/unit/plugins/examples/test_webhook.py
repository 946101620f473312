from __future__ import annotations

import os
import socket
import ssl
from datetime import datetime
from pathlib import Path

import pytest
import trio

from clusterf.model.errors import OutputUnavailable
from clusterf.testing import (
    BadSettings,
    Director,
    InstanceContext,
    backend,
    service,
    settings_from,
)
from examples.webhook import Webhook, WebhookSettings
from tests.lab import certificates
from tests.unit.plugins.examples.receiver import Receiver, listening

WEB = service("web", "192.0.2.1", scheduler="rr")
ONE = backend("web", "a", "198.51.100.1", tcp=8080, weight=4)
TWO = backend("web", "b", "198.51.100.2", tcp=8080, weight=4)


def webhook(url: str, toml: str = "", folder: Path = Path("/")) -> Webhook:
    settings = settings_from(WebhookSettings, f'url = "{url}"\n{toml}')
    return Webhook(settings, InstanceContext("outputs.log", folder=folder))


class Scene:
    """A receiver, and a director whose table it is told of."""

    def __init__(self, receiver: Receiver, toml: str = "", folder: Path = Path("/")) -> None:
        self.receiver = receiver
        self.output = webhook(receiver.url, toml, folder)
        self.director = Director(self.output)
        self.director.publish.replace([WEB, ONE])


@pytest.fixture
def nobody() -> int:
    """A port at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def test_what_changes_is_posted() -> None:
    async with listening() as receiver:
        scene = Scene(receiver)
        assert await scene.director.follow() == ()
        assert receiver.posts == []
        scene.director.publish.put(ONE._replace(weight=0), TWO)
        [outcome] = await scene.director.follow()
        line = "tcp 192.0.2.1:80 changed: 198.51.100.1:8080 weight 4 -> 0, 198.51.100.2:8080 added"
        assert outcome.operation.describe() == line
        [post] = receiver.posts
        assert (post["host"], post["output"], post["text"]) == (
            os.uname().nodename,
            "outputs.log",
            line,
        )
        assert datetime.fromisoformat(post["time"]).tzinfo is not None
        before = {"address": "198.51.100.1", "port": 8080, "weight": 4, "method": "masq"}
        entry = {"scheduler": "rr", "flags": [], "persistence": None}
        assert post["changes"] == [
            {
                "change": "changed",
                "entry": "tcp 192.0.2.1:80",
                "line": line,
                "before": {**entry, "destinations": [before]},
                "after": {
                    **entry,
                    "destinations": [
                        {**before, "weight": 0},
                        {**before, "address": "198.51.100.2"},
                    ],
                },
            }
        ]
        assert await scene.director.follow() == ()
        await scene.output.close()


async def test_what_comes_and_goes_is_posted() -> None:
    async with listening() as receiver:
        scene = Scene(receiver)
        await scene.director.follow()
        scene.director.publish.put(service("api", "192.0.2.2", tcp=443))
        await scene.director.follow()
        scene.director.publish.drop(service("api").ref)
        await scene.director.follow()
        assert receiver.changes == ["tcp 192.0.2.2:443 added", "tcp 192.0.2.2:443 removed"]
        assert receiver.posts[0]["changes"][0]["before"] is None
        assert receiver.posts[1]["changes"][0]["after"] is None
        assert scene.output.report().detail == f"2 posts to http://127.0.0.1:{receiver.port}"
        await scene.output.close()


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (ONE._replace(upper_threshold=9), "198.51.100.1:8080 changed"),
        (WEB._replace(scheduler="lc"), "scheduler rr -> lc, or its settings"),
    ],
)
async def test_every_change_has_its_words(changed: object, line: str) -> None:
    async with listening() as receiver:
        scene = Scene(receiver)
        await scene.director.follow()
        scene.director.publish.put(changed)  # type: ignore[arg-type] # both are records
        await scene.director.follow()
        assert receiver.changes == [f"tcp 192.0.2.1:80 changed: {line}"]
        await scene.output.close()


async def test_at_the_start_the_whole_table_is_posted_if_that_is_asked_for() -> None:
    async with listening() as receiver:
        scene = Scene(receiver, "at_start = true\nbatch = 2")
        names = ("b", "c", "d", "e")
        services = [service(name, f"192.0.2.{at}") for at, name in enumerate(names, 10)]
        scene.director.publish.put(*services)
        await scene.director.follow()
        assert [len(post["changes"]) for post in receiver.posts] == [2, 2, 1]
        assert set(receiver.changes) == {
            "tcp 192.0.2.1:80 added",
            *(f"tcp 192.0.2.{at}:80 added" for at in range(10, 14)),
        }
        await scene.output.close()


async def test_what_comes_before_the_sources_have_spoken_is_no_change() -> None:
    async with listening() as receiver:
        output = webhook(receiver.url)
        director = Director(output)
        director.publish.put(WEB)
        await director.follow()
        director.publish.replace([WEB, ONE])
        await director.follow()
        director.publish.drop(ONE.ref)
        await director.follow()
        assert receiver.changes == ["tcp 192.0.2.1:80 changed: 198.51.100.1:8080 removed"]
        await output.close()


# --- a receiver that does not take it -------------------------------------------------------------


async def test_what_was_not_taken_is_told_when_somebody_takes_it(nobody: int) -> None:
    """As it is by then: the engine asks again for everything."""
    output = webhook(f"http://127.0.0.1:{nobody}/")
    director = Director(output)
    director.publish.replace([WEB, ONE])
    await director.follow()
    director.publish.put(ONE._replace(weight=5))
    with pytest.raises(OutputUnavailable, match="connection refused") as told:
        await director.follow()
    assert str(told.value).startswith(f"http://127.0.0.1:{nobody}: connection refused (hint: does")
    director.publish.put(ONE._replace(weight=6))
    async with listening(nobody) as receiver:
        await director.look()
        assert receiver.changes == [
            "tcp 192.0.2.1:80 changed: 198.51.100.1:8080 weight 4 -> 6",
        ]
        await output.close()


@pytest.mark.parametrize(
    ("status", "message"), [(404, "answers 404"), (302, "answers 302"), (503, "answers 503")]
)
async def test_an_answer_that_is_no_yes_is_told(status: int, message: str) -> None:
    async with listening() as receiver:
        scene = Scene(receiver)
        await scene.director.follow()
        receiver.status = status
        scene.director.publish.put(TWO)
        with pytest.raises(OutputUnavailable, match=message) as told:
            await scene.director.follow()
        assert ("token_file" in told.value.hint) == (status < 500)
        assert "secret" not in str(told.value)
        receiver.status = 200
        await scene.director.look()
        assert receiver.changes == ["tcp 192.0.2.1:80 changed: 198.51.100.2:8080 added"]
        await scene.output.close()


async def test_a_receiver_that_keeps_silent_is_not_waited_for() -> None:
    async with listening() as receiver:
        scene = Scene(receiver, 'timeout = "50ms"')
        await scene.director.follow()
        receiver.status = 0
        scene.director.publish.put(TWO)
        with pytest.raises(OutputUnavailable, match=r"no answer within 0\.05 s"):
            await scene.director.follow()
        await scene.output.close()


async def test_of_a_batch_that_failed_what_went_before_is_not_told_again() -> None:
    async with listening() as receiver:
        scene = Scene(receiver, "batch = 1")
        await scene.director.follow()
        scene.director.publish.put(TWO, service("api", "192.0.2.2"))

        class Once(list):  # type: ignore[type-arg] # of posts
            def append(self, post: object) -> None:
                super().append(post)
                receiver.status = 500

        receiver.posts = Once()
        with pytest.raises(OutputUnavailable):
            await scene.director.follow()
        receiver.posts, told = [], receiver.changes
        receiver.status = 200
        await scene.director.look()
        assert len(told) == len(receiver.changes) == 1
        assert {*told, *receiver.changes} == {
            "tcp 192.0.2.1:80 changed: 198.51.100.2:8080 added",
            "tcp 192.0.2.2:80 added",
        }
        await scene.output.close()


# --- who we are, and who they are -----------------------------------------------------------------


async def test_a_token_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    async with listening() as receiver:
        scene = Scene(receiver, 'token_file = "token"', tmp_path)
        (tmp_path / "token").write_text("first\n")
        await scene.director.follow()
        scene.director.publish.put(TWO)
        await scene.director.follow()
        (tmp_path / "token").write_text("second\n")
        scene.director.publish.drop(TWO.ref)
        await scene.director.follow()
        sent = [headers["authorization"] for headers in receiver.headers]
        assert sent == ["Bearer first", "Bearer second"]
        assert receiver.headers[0]["content-type"] == "application/json"
        await scene.output.close()


@pytest.mark.parametrize("toml", ['token_file = "nowhere"', 'ca = "nowhere"'])
async def test_a_file_that_is_not_there_is_told(tmp_path: Path, toml: str) -> None:
    async with listening() as receiver:
        scene = Scene(receiver, toml, tmp_path)
        await scene.director.follow()
        scene.director.publish.put(TWO)
        with pytest.raises(OutputUnavailable, match="No such file") as told:
            await scene.director.follow()
        assert told.value.hint == "see token_file and ca"
        await scene.output.close()


async def test_a_receiver_is_believed_if_its_authority_is(tmp_path: Path) -> None:
    made = await trio.to_thread.run_sync(certificates.make, tmp_path, "127.0.0.1")
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured.load_cert_chain(*made.server)
    async with listening(secured=secured) as receiver:
        for toml in ("", f'ca = "{made.ca}"'):
            output = webhook(receiver.url.replace("http:", "https:"), toml)
            director = Director(output)
            director.publish.replace([WEB, ONE])
            await director.follow()
            director.publish.put(TWO)
            if toml:
                await director.follow()
            else:
                with pytest.raises(OutputUnavailable, match="certificate verify failed"):
                    await director.follow()
            await output.close()
        assert len(receiver.posts) == 1


# --- the probe ------------------------------------------------------------------------------------


async def test_the_probe_connects_and_posts_nothing(nobody: int) -> None:
    async with listening() as receiver:
        assert list(await webhook(receiver.url).probe()) == []
        assert receiver.posts == []
    [finding] = await webhook(f"http://127.0.0.1:{nobody}/").probe()
    assert finding.message == f"http://127.0.0.1:{nobody}: connection refused"
    assert finding.severity == "warning"


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["", "log.example.org", "ftp://log.example.org", "http://", "http://x:0", "http://x:y"]
)
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(BadSettings, match="is not the address of a receiver"):
        settings_from(WebhookSettings, f'url = "{url}"')


def test_a_password_in_the_address_is_not_shown() -> None:
    assert webhook("http://me:hush@log.example.org:8/x").report().detail == (
        "0 posts to http://log.example.org:8"
    )
