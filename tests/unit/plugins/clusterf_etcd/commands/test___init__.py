from __future__ import annotations

import argparse

import pytest

from clusterf_etcd.commands import COMMAND
from tests.unit.plugins.clusterf_etcd.commands.given import NOWHERE, given, run

STEPS = {"get": (), "put": ("web",), "rm": ("web",), "import-v2": ("--from", "http://127.0.0.1:1")}


def test_every_step_has_a_parser_and_something_to_run() -> None:
    parser = argparse.ArgumentParser()
    COMMAND.add_arguments(parser)
    [steps] = (one.choices for one in parser._actions if isinstance(one.choices, dict))
    assert list(steps) == list(STEPS)


@pytest.mark.parametrize("step", STEPS)
def test_what_is_given_is_what_runs(step: str) -> None:
    words = (step, *STEPS[step], *NOWHERE)
    assert callable(given(*words).arguments.step)


@pytest.mark.parametrize("words", [(), ("post",), ("get", "--nonsense"), ("import-v2",)])
def test_what_is_no_command_line_ends_with_2(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2
