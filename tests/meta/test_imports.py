"""Commands import what they need and no more: each starts as fast as it can."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARIES = (
    "asyncio",
    "docker",
    "httpx2",
    "multiprocessing",
    "pluggy",
    "pydantic",
    "pyroute2",
    "requests",
    "rich",
    "toml",
    "tomli",
    "trio",
    "watchfiles",
)
LOADED = """
import contextlib, io, sys
from clusterf.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(sys.argv[2:])
print(*(name for name in sys.argv[1].split(",") if name in sys.modules))
"""
OF_PLUGINS = ["pluggy", "pydantic"]
OF_A_CONFIGURATION = [*OF_PLUGINS, "tomli"]


def imported(*words: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, ",".join(LIBRARIES), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.split()


@pytest.mark.parametrize(
    ("words", "libraries"),
    [
        (["--version"], []),
        (["check", "--help"], []),
        (["check", "--offline", "-c", "clusterf.toml"], OF_A_CONFIGURATION),
        (["check", "--explain", "C101"], OF_PLUGINS),
        (["schema", "-c", "clusterf.toml"], OF_A_CONFIGURATION),
        (["schema", "-c", "none"], OF_PLUGINS),
        (["config", "-c", "clusterf.toml"], OF_A_CONFIGURATION),
        (["config", "--effective", "-c", "clusterf.toml"], [*OF_PLUGINS, "toml", "tomli"]),
        (["plugins", "-c", "none"], OF_PLUGINS),
    ],
)
def test_libraries(words: list[str], libraries: list[str]) -> None:
    assert imported(*words) == libraries
