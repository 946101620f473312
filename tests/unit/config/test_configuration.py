from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest

from clusterf.config.configuration import Configuration, Core, Instance
from clusterf.config.settings import CoreTable
from clusterf.model.address import Network
from clusterf.plugin import OutputType, Settings


class Word(Settings):
    word: str = ""


def never(*_: object) -> Any:
    raise AssertionError("a configuration makes no instance")


KIND = OutputType(name="model", settings=Word, create=never, summary="")


def instance(word: str = "", **facts: Any) -> Instance[Any]:
    return Instance(name="outputs.kernel", type=KIND, settings=Word(word=word), **facts)


def test_paths_are_relative_to_the_folder_of_the_file() -> None:
    assert Configuration(path=Path("/etc/clusterf/clusterf.toml")).folder == Path("/etc/clusterf")
    assert Configuration(path=Path("clusterf.toml")).folder == Path()


def test_equal_instances_need_no_restart() -> None:
    assert instance("a") == instance("a")


@pytest.mark.parametrize(
    "other",
    [
        instance("b"),
        instance("a", look=7.0),
        instance("a", startup_error="fail"),
        replace(instance("a"), name="outputs.other"),
        replace(instance("a"), type=replace(KIND, summary="another plugin")),
    ],
)
def test_whatever_differs_makes_another_instance(other: Instance[Any]) -> None:
    assert instance("a") != other


def test_what_a_file_need_not_say_is_said_in_one_place() -> None:
    """The defaults of ``[clusterf]`` are those of `Core`."""
    managed = (Network.parse("192.0.2.0/24"),)
    assert CoreTable(managed=managed).value() == Core(managed=managed)


def test_nothing_of_it_can_be_changed() -> None:
    configuration = Configuration(path=Path("a.toml"))
    with pytest.raises(FrozenInstanceError):
        configuration.core = Core()  # type: ignore[misc]
