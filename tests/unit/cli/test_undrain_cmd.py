from __future__ import annotations

import json

import pytest

from tests.unit.control.scene import KERNEL, WEB, Scene

Shown = pytest.CaptureFixture[str]


async def test_a_drain_is_taken_back(scene: Scene, capsys: Shown) -> None:
    async with scene.running():
        await scene.ask(command="drain", service="web", backend="web-2")
        await scene.until(lambda: scene.weights() == [4, 0])
        assert await scene.run("undrain", "web", "web-2") == 0
        await scene.until(lambda: scene.weights() == [4, 4])
        assert capsys.readouterr().out == "service web backend web-2 takes connections again\n"
        assert (await scene.ask(command="status"))["drained"] == []


async def test_a_drain_of_a_whole_service(scene: Scene, capsys: Shown) -> None:
    async with scene.running():
        await scene.ask(command="drain", service="web")
        assert await scene.run("undrain", "web", "--format", "json") == 0
        await scene.until(lambda: scene.weights() == [4, 4])
    assert json.loads(capsys.readouterr().out) == {"done": "service web takes connections again"}


async def test_a_backend_that_is_gone_is_taken_back_by_its_beginning(scene: Scene) -> None:
    async with scene.running():
        await scene.ask(command="drain", service="web", backend="web-2")
        scene.write(*(part.replace('"web-2"', '"web-7"') for part in (WEB, KERNEL)))
        await scene.ask(command="reload")
        assert await scene.run("undrain", "web", "web-") == 0
        assert (await scene.ask(command="status"))["drained"] == []


@pytest.mark.parametrize("words", [["web"], ["wbe"], ["web", "web-2"]])
async def test_what_is_not_drained_is_refused_with_1(
    scene: Scene, capsys: Shown, words: list[str]
) -> None:
    async with scene.running():
        await scene.ask(command="drain", service="web", backend="web-1")
        assert await scene.run("undrain", *words) == 1
        assert len((await scene.ask(command="status"))["drained"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.endswith(" is not drained by an operator\n")
