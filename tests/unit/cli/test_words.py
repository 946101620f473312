from __future__ import annotations

import pytest
import trio

from clusterf.cli.words import words
from clusterf.model.errors import ClusterfError
from tests.unit.control.scene import API, KERNEL, WEB, Scene


async def asked(kind: str, *before: str) -> list[str]:
    return await trio.to_thread.run_sync(lambda: list(words(kind, before)))


async def test_names_of_services(scene: Scene) -> None:
    scene.write(WEB, API, KERNEL)
    at = ("-c", str(scene.file))
    async with scene.running():
        assert await asked("SERVICE", "drain", *at) == ["api", "web"]
        assert await asked("SERVICE", "status", "--socket", str(scene.socket)) == [
            "api",
            "web",
        ]


async def test_backends_of_the_service_that_is_named(scene: Scene) -> None:
    scene.write(WEB, API, KERNEL)
    at = ("-c", str(scene.file))
    async with scene.running():
        assert await asked("BACKEND", "drain", *at, "web") == ["web-1", "web-2"]
        assert await asked("BACKEND", "drain", "web", "--format", "json", *at) == [
            "web-1",
            "web-2",
        ]
        assert await asked("BACKEND", "drain", *at) == []
        assert await asked("BACKEND", "drain", *at, "none") == []


async def test_only_what_is_drained_can_be_undrained(scene: Scene) -> None:
    scene.write(WEB, API, KERNEL)
    at = ("-c", str(scene.file))
    async with scene.running():
        assert await asked("SERVICE", "undrain", *at) == []
        await scene.ask(command="drain", service="web", backend="web-1")
        await scene.ask(command="drain", service="api")
        assert await asked("SERVICE", "undrain", *at) == ["api", "web"]
        assert await asked("BACKEND", "undrain", *at, "web") == ["web-1"]
        assert await asked("BACKEND", "undrain", *at, "api") == []


def test_nobody_is_there(scene: Scene) -> None:
    with pytest.raises(ClusterfError):
        list(words("SERVICE", ["drain", "-c", str(scene.file)]))


def test_plugins_by_name_and_by_what_they_bring(scene: Scene) -> None:
    found = list(words("PLUGIN", ["plugins", "-c", str(scene.file)]))
    assert found == sorted(found)
    assert {"clusterf_docker", "docker", "told", "import"} <= set(found)
    bundled = list(words("PLUGIN", ["plugins", "-c", str(scene.file), "--bundled-only"]))
    assert "told" not in bundled


@pytest.mark.parametrize(
    "before",
    [[], ["nonsense"], ["drain", "-c"], ["drain", "--format", "xml"], ["--version"]],
)
def test_half_a_command_line_is_no_fault(before: list[str]) -> None:
    assert list(words("SERVICE", before)) == []


def test_another_kind_of_words() -> None:
    assert list(words("WEATHER", ["drain"])) == []
