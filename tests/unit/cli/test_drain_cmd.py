from __future__ import annotations

import json

import pytest

from tests.unit.control.scene import Scene

Shown = pytest.CaptureFixture[str]


async def test_a_backend_gets_no_new_connections(scene: Scene, capsys: Shown) -> None:
    async with scene.running():
        assert await scene.run("drain", "web", "web-1") == 0
        await scene.until(lambda: scene.weights() == [0, 4])
    assert capsys.readouterr().out == "service web backend web-1 gets no new connections\n"


async def test_a_whole_service(scene: Scene, capsys: Shown) -> None:
    async with scene.running():
        assert await scene.run("drain", "web", "--format", "json") == 0
        await scene.until(lambda: scene.weights() == [0, 0])
    assert json.loads(capsys.readouterr().out) == {"done": "service web gets no new connections"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["wbe"], "clusterf: no service wbe (hint: clusterf status lists them)\n"),
        (["web", "web-3"], "service web has no backend web-3, or several that begin so"),
        (["web", "web"], "(hint: its backends: web-1, web-2)\n"),
    ],
)
async def test_what_is_not_there_is_refused_with_1(
    scene: Scene, capsys: Shown, words: list[str], told: str
) -> None:
    async with scene.running():
        assert await scene.run("drain", *words) == 1
        assert (await scene.ask(command="status"))["drained"] == []
        assert scene.weights() == [4, 4]
    shown = capsys.readouterr()
    assert shown.out == ""
    assert told in shown.err
