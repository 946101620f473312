from __future__ import annotations

import json

import pytest

from tests.unit.control.scene import API, AWAY, KERNEL, WEB, Scene

Shown = pytest.CaptureFixture[str]


async def test_the_new_configuration_is_in_force(scene: Scene, capsys: Shown) -> None:
    async with scene.running():
        scene.write(WEB, API, KERNEL)
        assert await scene.run("reload") == 0
        await scene.until(lambda: len(scene.kernel.services) == 2)
    assert capsys.readouterr().out == f"{scene.file} is in force\n"


async def test_a_configuration_at_fault_is_printed_and_changes_nothing(
    scene: Scene, capsys: Shown
) -> None:
    async with scene.running():
        writes = list(scene.kernel.writes)
        scene.write(WEB, KERNEL, "look = -1\n")
        assert await scene.run("reload") == 78
        shown = capsys.readouterr()
        assert shown.out == ""
        assert f"{scene.file}:" in shown.err
        assert "error[C106]: outputs.kernel.look: " in shown.err
        assert "1 error, 0 warnings (hint: everything is as it was)\n" in shown.err
        assert scene.kernel.writes == writes


async def test_an_instance_that_cannot_be_made(scene: Scene, capsys: Shown) -> None:
    async with scene.running():
        scene.write(WEB, AWAY.replace("away", "impossible"), KERNEL)
        assert await scene.run("reload", "--format", "json") == 69
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "clusterf: sources.hosts cannot be made\n")


async def test_as_json(scene: Scene, capsys: Shown) -> None:
    async with scene.running():
        assert await scene.run("reload", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == {"done": f"{scene.file} is in force"}


async def test_the_file_may_be_beyond_reading_when_the_socket_is_named(
    scene: Scene, capsys: Shown
) -> None:
    async with scene.running():
        scene.file.write_text("[clusterf")
        assert await scene.run("reload", "--socket", str(scene.socket)) == 78
        assert "error[C003]: " in capsys.readouterr().err
