"""What shells make of the scripts: tests/shells."""

from __future__ import annotations

import argparse

import pytest

from clusterf.cli.completing import script


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="clusterf")
    commands = made.add_subparsers()
    sail = commands.add_parser("sail", help="go to sea", description="Go to sea, by the wind.")
    sail.add_argument("--chart", metavar="FILE")
    sail.add_argument("--method", metavar="METHOD")
    sail.add_argument("to", metavar="SERVICE")
    return made


@pytest.mark.parametrize(
    ("shell", "parts"),
    [
        ("bash", ["_chart_COMPGEN=_shtab_compgen_files", "_clusterf_words SERVICE", "masq droute"]),
        ("zsh", ["FILE:_files", "_clusterf_words SERVICE", "(masq droute tunnel)", '"--chart=[']),
        ("fish", ["(_clusterf_files)", "(_clusterf_words SERVICE)", "masq droute tunnel"]),
    ],
)
def test_a_metavar_tells_what_an_argument_takes(shell: str, parts: list[str]) -> None:
    made = script(shell, parser())
    assert [part for part in parts if part not in made] == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_list_of_commands_has_the_words_of_their_list(shell: str) -> None:
    made = script(shell, parser())
    assert "go to sea" in made
    assert "by the wind" not in made


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_same_parser_gives_the_same_script(shell: str) -> None:
    assert script(shell, parser()) == script(shell, parser())
