"""The parts of clusterf(8) that the parser tells: every command with its arguments and options."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

from clusterf.cli.main import EXIT_CODES, CommandParser
from manual import roff

Actions = list[argparse.Action]


def parts(parser: argparse.ArgumentParser) -> Mapping[str, list[str]]:
    """By the names that the page has for them."""
    return {
        "options": list(_common()),
        "commands": list(_Commands().below(parser)),
        "exit codes": [
            line
            for code, meaning in EXIT_CODES.items()
            for line in roff.tagged(roff.bold(str(code)), [roff.plain(meaning)])
        ],
    }


def _common() -> Iterator[str]:
    for action in CommandParser(prog="clusterf")._actions:
        yield from _argument(action)


class _Commands:
    """The commands one after the other; what several have in common is told of the first."""

    def __init__(self) -> None:
        self._common = _strings(CommandParser(prog="clusterf")._actions)
        self._told: dict[tuple[str, ...], str] = {}

    def below(self, parser: argparse.ArgumentParser) -> Iterator[str]:
        """All commands of this one."""
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for known in action._get_subactions():
                    yield from self._command(action.choices[known.dest])

    def _command(self, parser: argparse.ArgumentParser) -> Iterator[str]:
        yield from roff.subheading(_synopsis(parser))
        yield from roff.paragraph(_prose(parser.description))
        for group in parser._action_groups:
            yield from self._group(group, parser.prog)
        yield from _epilog(parser)
        yield from self.below(parser)

    def _group(self, group: argparse._ArgumentGroup, prog: str) -> Iterator[str]:
        actions = [
            one
            for one in _shown(group._group_actions)
            if not set(one.option_strings) & self._common
        ]
        if not actions:
            return
        own = group.title not in {"positional arguments", "options"}
        first = self._told.setdefault(tuple(map(str, actions)), prog) if own else prog
        if first != prog:
            options = ", ".join(roff.bold(one.option_strings[-1]) for one in actions)
            yield from roff.paragraph(f"{options}: as of {roff.bold(first)}.")
            return
        if own:
            told = f"{group.title}: {group.description or ''}".rstrip()
            yield from roff.paragraph(_prose(_capital(told)))
        for action in actions:
            yield from _argument(action)


def _synopsis(parser: argparse.ArgumentParser) -> str:
    """The command, its arguments, and a word for its options."""
    formatter = parser._get_formatter()
    return " ".join(
        [
            roff.literal(parser.prog),
            f"[{roff.italic('OPTION')}...]",
            *(
                roff.italic(
                    str(action.metavar)
                    if isinstance(action, argparse._SubParsersAction)
                    else formatter._format_args(action, str(action.metavar))
                )
                for action in parser._get_positional_actions()
            ),
        ]
    )


def _argument(action: argparse.Action) -> Iterator[str]:
    takes = ""
    if action.nargs != 0:
        takes = roff.italic(
            action.metavar if isinstance(action.metavar, str) else "|".join(action.choices or ())
        )
    names = [f"{roff.bold(one)} {takes}".rstrip() for one in action.option_strings]
    formatter = argparse.HelpFormatter(prog="clusterf")
    told = formatter._expand_help(action) if action.help else ""
    yield from roff.tagged(", ".join(names) or takes, [_prose(told)])


def _epilog(parser: argparse.ArgumentParser) -> Iterator[str]:
    lines = (parser.epilog or "").splitlines()
    if len(lines) > 1:
        yield from roff.paragraph(_prose(_capital(lines[0])))
        yield from roff.example(line.strip() for line in lines[1:])
    elif lines:
        yield from roff.paragraph(_prose(lines[0]))


def _prose(text: str | None) -> str:
    """Text of the parser, which is not Markdown; the dashes of options stay dashes."""
    words = (text or "").split()
    return " ".join(
        roff.literal(word) if word.startswith(("-", "/", "~")) else roff.plain(word)
        for word in words
    )


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _shown(actions: Actions) -> Actions:
    return [
        one
        for one in actions
        if one.help != argparse.SUPPRESS
        and not isinstance(one, (argparse._HelpAction, argparse._SubParsersAction))
    ]


def _strings(actions: Actions) -> set[str]:
    return {name for one in actions for name in one.option_strings}
