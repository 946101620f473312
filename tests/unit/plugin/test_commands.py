from __future__ import annotations

import argparse

import pytest

from clusterf.plugin import Command, Invocation


def add_nothing(_: argparse.ArgumentParser) -> None:
    pass


async def run(_: Invocation) -> int:
    return 0


def named(name: str) -> Command:
    return Command(name=name, summary="x", add_arguments=add_nothing, run=run)


@pytest.mark.parametrize("name", ["etcd", "x", "import-v2"])
def test_a_name_is_a_word_of_the_command_line(name: str) -> None:
    assert named(name).name == name


@pytest.mark.parametrize("name", ["", "-x", "--help", "2", "Etcd", "a b", "a/b", "a_b", "a\n"])
def test_what_could_not_be_typed_or_is_an_option_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a command"):
        named(name)
