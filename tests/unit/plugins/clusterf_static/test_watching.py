"""Events of the surroundings; what follows from them is in test_source."""

from __future__ import annotations

from pathlib import Path

import trio

from clusterf.testing import InstanceContext
from clusterf_static.watching import Watch


async def test_a_busy_parent_wakes_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.touch()
    watch = Watch(path, InstanceContext("sources.x", folder=tmp_path))
    assert watch.aim([])
    assert not watch.aim([])
    (tmp_path / "other").touch()
    assert await watch.wait(0.3) is None
    path.write_text("x")
    with trio.fail_after(5):
        assert await watch.wait(5) == {"a.toml"}
    watch.close()


async def test_a_directory_that_is_exchanged_is_something_new(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.mkdir()
    watch = Watch(path, InstanceContext("sources.x", folder=tmp_path))
    assert watch.aim([])
    path.rename(tmp_path / "e")
    path.mkdir()
    assert watch.aim([])
    watch.close()


async def test_a_wait_ends_when_cancelled(tmp_path: Path) -> None:
    watch = Watch(tmp_path, InstanceContext("sources.x", folder=tmp_path))
    watch.aim([])
    with trio.fail_after(5), trio.move_on_after(0.05) as scope:
        await watch.wait(3600)
    assert scope.cancelled_caught
    watch.close()
