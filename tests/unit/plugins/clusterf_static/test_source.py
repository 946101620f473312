"""The source against real files, with real events: every way in which a file can change."""

from __future__ import annotations

import logging
import os
import resource
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio

from clusterf.plugin import Context, SourceUnavailable
from clusterf.testing import InstanceContext, RecordingPublisher
from clusterf_static.settings import StaticSettings
from clusterf_static.source import StaticSource


def service(name: str, *hosts: int, more: str = "") -> str:
    backends = ", ".join(f'"198.51.100.{host}:80"' for host in hosts)
    return (
        f"[services.{name}]\n{more}"
        f'frontend = {{ ipv4 = "192.0.2.1", tcp = 80 }}\nbackends = [{backends}]\n'
    )


def replace_file(path: Path, text: str) -> None:
    """As editors and deployment tools do it: a new file, renamed over the old one."""
    other = path.with_name(f".{path.name}.new")
    other.write_text(text)
    other.rename(path)


class Running:
    """A source at work, and what it publishes."""

    def __init__(self, path: Path, look: float = 60.0) -> None:
        # Looks are rare, so what a test sees in time was told by an event.
        settings = StaticSettings.model_validate({"path": str(path), "look": look})
        self.context = InstanceContext("sources.files", folder=path.parent)
        self.source = StaticSource(settings, self.context)
        self.publish = RecordingPublisher()

    async def until(self, condition: Callable[[], object]) -> None:
        await self.publish.until(condition)

    async def has(self, name: str, *hosts: int) -> None:
        wanted = {f"198.51.100.{host}:80" for host in hosts}
        await self.until(lambda: set(self.publish.backends(name)) == wanted)


@asynccontextmanager
async def running(path: Path, look: float = 60.0) -> AsyncIterator[Running]:
    one = Running(path, look)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.source.run, one.publish)
        yield one
        nursery.cancel_scope.cancel()


async def test_services_of_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1, 2))
    async with running(path) as one:
        await one.has("web", 1, 2)
        assert one.publish.synced
        assert one.publish.degradation is None


async def test_services_in_place_are_final() -> None:
    settings = StaticSettings.model_validate(
        {"services": {"web": {"backends": ["198.51.100.1:80"]}}, "routes": {}}
    )
    publish = RecordingPublisher()
    context = InstanceContext("services", folder=Path())
    await StaticSource(settings, context).run(publish)
    assert publish.synced
    assert list(publish.backends("web")) == ["198.51.100.1:80"]


async def test_change_in_place(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1))
    async with running(path) as one:
        await one.has("web", 1)
        path.write_text(service("web", 1, 2))
        await one.has("web", 1, 2)


async def test_change_by_renaming(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1))
    async with running(path) as one:
        await one.has("web", 1)
        for host in (2, 3, 4):
            replace_file(path, service("web", host))
            await one.has("web", host)


async def test_change_of_same_size_and_time_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1))
    status = path.stat()
    async with running(path) as one:
        await one.has("web", 1)
        path.write_text(service("web", 2))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        await one.has("web", 2)


async def test_only_what_differs_is_published(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1) + service("mail", 7, 8))
    async with running(path) as one:
        await one.has("mail", 7, 8)
        one.publish.marked()
        one.publish.said.clear()
        path.write_text(service("web", 1) + service("mail", 7, 9))
        await one.has("mail", 7, 9)
        assert one.publish.marked() == ["mail"]
        said = sorted((what, str(ref)) for what, refs in one.publish.said for ref in refs)
        assert said == [
            ("drop", "BackendRef(service='mail', id='198.51.100.8:80')"),
            ("put", "BackendRef(service='mail', id='198.51.100.9:80')"),
        ]


async def test_bad_file_keeps_its_last_good_content(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1))
    async with running(path) as one:
        await one.has("web", 1)
        path.write_text(service("web", 2) + "oops\n")
        await one.until(lambda: one.publish.degradation)
        assert f"{path}:4:5: error[C003]: " in str(one.publish.degradation)
        await one.has("web", 1)
        path.write_text(service("web", 3))
        await one.has("web", 3)
        await one.until(lambda: one.publish.degradation is None)


async def test_file_that_was_never_good_is_unknown_and_not_empty(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("oops")
    (tmp_path / "b.toml").write_text(service("web", 1))
    async with running(tmp_path) as one:
        await one.has("web", 1)
        await one.until(lambda: one.publish.degradation)
        assert not one.publish.synced
        (tmp_path / "a.toml").write_text(service("mail", 2))
        await one.has("mail", 2)
        await one.until(lambda: one.publish.synced)


async def test_bad_backend_is_refused_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1, 999, 3))
    async with running(path) as one:
        await one.has("web", 1, 3)
        refusal = one.publish.refusals["a.toml services.web.backends[1]"]
        assert str(refusal.provenance) == "sources.files a.toml:3:32"
        path.write_text(service("web", 1, 2, 3))
        await one.has("web", 1, 2, 3)
        await one.until(lambda: not one.publish.refusals)


async def test_service_that_turned_bad_keeps_what_was_good(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1) + service("mail", 5))
    async with running(path) as one:
        await one.has("mail", 5)
        bad = service("web", 2, more='scheduler = "wlcc"\n')
        path.write_text(bad + service("mail", 6))
        await one.has("mail", 6)
        await one.has("web", 1)
        assert list(one.publish.refusals) == ["a.toml services.web.scheduler"]
        path.write_text(service("mail", 6))
        await one.has("web")
        assert one.publish.services() == {"mail"}


async def test_deleted_file_takes_its_content_with_it(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(service("web", 1))
    (tmp_path / "b.toml").write_text(service("mail", 2))
    async with running(tmp_path) as one:
        await one.has("mail", 2)
        (tmp_path / "a.toml").unlink()
        await one.until(lambda: one.publish.services() == {"mail"})
        (tmp_path / "a.toml").write_text(service("web", 3))
        await one.has("web", 3)


async def test_earlier_file_keeps_a_service_of_two(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(service("web", 2))
    async with running(tmp_path) as one:
        await one.has("web", 2)
        (tmp_path / "a.toml").write_text(service("web", 1))
        await one.has("web", 1)
        await one.until(lambda: list(one.publish.refusals) == ["b.toml services.web"])
        (tmp_path / "a.toml").unlink()
        await one.has("web", 2)
        await one.until(lambda: not one.publish.refusals)


async def test_hidden_and_other_files_are_not_read(tmp_path: Path) -> None:
    for name in (".a.toml", "a.toml~", "a.toml.swp", "4913"):
        (tmp_path / name).write_text(service(f"x{len(name)}", 1))
    (tmp_path / "z.toml").write_text(service("web", 1))
    async with running(tmp_path) as one:
        await one.has("web", 1)
        assert one.publish.services() == {"web"}


async def test_links_swapped_as_kubernetes_does(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    for version in (1, 2, 3):
        (volume / f"..{version}").mkdir(parents=True)
        (volume / f"..{version}" / "a.toml").write_text(service("web", version))
    (volume / "..data").symlink_to("..1")
    (volume / "a.toml").symlink_to("..data/a.toml")
    for path in (volume, volume / "a.toml"):
        async with running(path) as one:
            await one.has("web", 1)
            for version in (2, 3, 1):
                (volume / "..tmp").symlink_to(f"..{version}")
                (volume / "..tmp").rename(volume / "..data")
                await one.has("web", version)


async def test_directory_behind_a_link_is_exchanged(tmp_path: Path) -> None:
    for version in (1, 2):
        (tmp_path / f"release-{version}").mkdir()
        (tmp_path / f"release-{version}" / "a.toml").write_text(service("web", version))
    (tmp_path / "current").symlink_to("release-1")
    async with running(tmp_path / "current") as one:
        await one.has("web", 1)
        (tmp_path / "next").symlink_to("release-2")
        (tmp_path / "next").rename(tmp_path / "current")
        await one.has("web", 2)
        # The new directory is watched from now on.
        (tmp_path / "release-2" / "a.toml").write_text(service("web", 3))
        await one.has("web", 3)


async def test_directory_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "services.d"
    folder.mkdir()
    (folder / "a.toml").write_text(service("web", 1))
    async with running(folder) as one:
        await one.has("web", 1)
        other = tmp_path / "other"
        other.mkdir()
        (other / "a.toml").write_text(service("web", 2))
        folder.rename(tmp_path / "old")
        other.rename(folder)
        await one.has("web", 2)
        replace_file(folder / "a.toml", service("web", 3))
        await one.has("web", 3)


async def test_file_in_the_directory_becomes_a_directory(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1))
    async with running(tmp_path) as one:
        await one.has("web", 1)
        path.unlink()
        path.mkdir()
        await one.until(lambda: one.publish.degradation)
        assert one.publish.degradation == f"{path}: error[C001]: cannot be read: is a directory"
        await one.has("web", 1)
        path.rmdir()
        await one.until(lambda: one.publish.services() == set())
        assert one.publish.degradation is None


async def test_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.toml")
    (tmp_path / "b.toml").write_text(service("web", 1))
    async with running(tmp_path) as one:
        await one.has("web", 1)
        await one.until(lambda: "not a regular file" in str(one.publish.degradation))


async def test_missing_path_is_unavailable(tmp_path: Path) -> None:
    one = Running(tmp_path / "none")
    with pytest.raises(SourceUnavailable, match="no such file"):
        await one.source.run(one.publish)
    assert one.publish.said == []


@pytest.mark.parametrize("again", ["file", "directory"])
async def test_path_that_goes_removes_nothing(tmp_path: Path, again: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1))
    one = Running(path)

    async def fails() -> None:
        with pytest.raises(SourceUnavailable):
            await one.source.run(one.publish)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fails)
        await one.has("web", 1)
        path.unlink()
        if again == "directory":
            path.mkdir()
    await one.has("web", 1)
    if again == "directory":
        path.rmdir()
    path.write_text(service("web", 2))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.source.run, one.publish)
        await one.has("web", 2)
        nursery.cancel_scope.cancel()


@contextmanager
def no_more_descriptors(context: Context) -> Iterator[list[str]]:
    """The kernel grants no descriptor until the watch has failed; yields what that logged."""
    seen: list[str] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    class Restore(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            seen.append(record.getMessage())

    handler = Restore()
    context.log.addHandler(handler)
    # What is open stays open, and a single file is looked at without opening anything.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield seen
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        context.log.removeHandler(handler)


async def test_without_events_the_look_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1))
    one = Running(path, look=1)
    async with trio.open_nursery() as nursery:
        with no_more_descriptors(one.context) as seen:
            nursery.start_soon(one.source.run, one.publish)
            await one.has("web", 1)
        assert seen[0].startswith("watch failed, looking on a timer only reason=")
        assert "Too many open files" in seen[0]
        path.write_text(service("web", 2))
        await one.has("web", 2)
        nursery.cancel_scope.cancel()


async def test_quiet_files_are_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(service("web", 1))
    async with running(tmp_path) as one:
        await one.has("web", 1)
        said = len(one.publish.said)
        (tmp_path / "unrelated").write_text("x")
        (tmp_path / "b.toml").write_text(service("mail", 2))
        await one.has("mail", 2)
        assert len(one.publish.said) == said + 1
