"""The examples of drop-ins: their page is right, and the real program runs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterf.config.check import check_offline
from clusterf.plugin.loader import load_plugins
from clusterf.plugin.options import options_of
from clusterf.plugin.registry import ROLES, Registry
from tests.docs.examples import (
    EXAMPLES,
    FILES,
    Posts,
    Program,
    act,
    end,
    laid_out,
    listening,
    wait_for_upstreams,
)

PAGE = (EXAMPLES / "README.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return laid_out(tmp_path)


@pytest.fixture
def registry(folder: Path) -> Registry:
    return load_plugins([folder / "plugins.d"])


def test_there_are_three_and_each_has_its_section() -> None:
    assert len(FILES) == 3
    assert len(SECTIONS) == 3
    for file in FILES:
        assert file.stem.replace("_", "-") in SECTIONS


def test_they_load_and_state_their_version(registry: Registry) -> None:
    assert (registry.failures, registry.uncalled_hooks) == ([], [])
    own = [plugin for plugin in registry.plugins if plugin.origin != "bundled"]
    assert [plugin.name for plugin in own] == [file.stem for file in FILES]
    assert all(plugin.version for plugin in own)


@pytest.mark.parametrize("name", SECTIONS)
def test_the_page_names_every_option_with_its_default(name: str, registry: Registry) -> None:
    [kind] = [registry.of(role)[name] for role in ROLES if name in registry.of(role)]
    for option in options_of(kind.settings):
        [row] = re.findall(rf"^\| `{option.name}` \| (.*?) \|", SECTIONS[name], re.MULTILINE)
        if option.required:
            assert row == "mandatory"
        elif option.default:
            assert row == f"`{option.default}`"
        else:
            assert "`" not in row
        assert option.description


@pytest.mark.parametrize("name", SECTIONS)
def test_the_configuration_of_the_page_passes(name: str, folder: Path, registry: Registry) -> None:
    [toml] = re.findall(r"^```toml\n(.*?)^```", SECTIONS[name], re.MULTILINE | re.DOTALL)
    path = folder / "clusterf.toml"
    path.write_text(toml, "utf-8")
    _, problems = check_offline(path, registry)
    assert [str(problem) for problem in problems] == []


# --- the real program -----------------------------------------------------------------------------


@pytest.fixture
def posts() -> Iterator[Posts]:
    with listening() as server:
        yield server


def test_the_real_program_runs_them(folder: Path, posts: Posts) -> None:
    act(Program(folder, posts.server_port), posts)


def test_a_receiver_that_keeps_silent_holds_back_nobody(folder: Path, posts: Posts) -> None:
    program = Program(folder, posts.server_port)
    with program.start() as running:
        posts.wait(1)
        posts.answers.clear()
        for times, weight in enumerate((4, 5, 6), 2):
            program.weigh(weight)
            wait_for_upstreams(running, times)
            assert f"198.51.100.2:8080 weight={weight};" in program.upstreams
        assert len(posts.lines) == 1
        end(running)
        posts.answers.set()


def test_what_a_receiver_does_not_take_is_posted_again(folder: Path, posts: Posts) -> None:
    program = Program(folder, posts.server_port)
    with program.start() as running:
        posts.wait(1)
        posts.refused = 1
        program.weigh(7)
        running.wait_for(f"http://127.0.0.1:{posts.server_port}: answers 503")
        posts.wait(2)
        assert posts.lines[1] == "tcp 192.0.2.10:80 changed: 198.51.100.2:8080 weight 3 -> 7"
        end(running)
