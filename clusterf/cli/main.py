"""The command line: which commands there are, their options, and the way their errors end.

This file imports only what ``--help`` and ``--version`` need.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from clusterf import __version__

CONFIGURATION = "/etc/clusterf/clusterf.toml"

EX_SOFTWARE = 70
INTERRUPTED = 130
"""128 and the number of SIGINT, as of a shell."""

EXIT_CODES = {
    0: "done",
    1: "refused",
    2: "the command line is wrong; of plan: there are changes to make",
    65: "what is imported has errors",
    66: "what is imported cannot be read",
    69: "the daemon, or what a command needs, is not there",
    70: "a bug: what went wrong is told with its place",
    73: "the result cannot be written",
    75: "not all is done, or somebody else was faster: again is worth a try",
    77: "not permitted",
    78: "the configuration is at fault",
    INTERRUPTED: "interrupted",
}
"""What they mean for all commands; sysexits.h has those from 64 on."""

SHELLS = {
    "bash": "clusterf completion bash > /etc/bash_completion.d/clusterf",
    "zsh": 'clusterf completion zsh > "${fpath[1]}/_clusterf"',
    "fish": "clusterf completion fish > ~/.config/fish/completions/clusterf.fish",
}
"""Those that there are completion scripts for, and how to install each."""

E = TypeVar("E", bound=BaseException)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, one of `EXIT_CODES`."""
    try:
        arguments = _arguments(sys.argv[1:] if argv is None else argv)
        command = import_module(f"clusterf.cli.{arguments.module}")
        code = command.main(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has gone; nothing is wrong. Keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt, BaseExceptionGroup) as error:  # noqa: BLE001 - told below
        return _ended_by(error)
    return int(code)


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """Take the command line apart; plugins are loaded where the core does not know the command."""
    top, commands = parsers()
    if words and words[0] not in commands.choices and words[0] != "--version":
        from clusterf.cli import foreign  # noqa: PLC0415 - commands of the core must start fast

        foreign.add(commands, words)
    return top.parse_args(words)


def _ended_by(error: BaseException) -> int:
    """Tell what ended the command, and return the exit code for it."""
    import traceback  # noqa: PLC0415 - --version must start fast

    from clusterf.cli.logs import complaint  # noqa: PLC0415 - same
    from clusterf.model.errors import ClusterfError  # noqa: PLC0415 - same

    if _within(error, KeyboardInterrupt) is not None:
        return INTERRUPTED
    if (failure := _within(error, ClusterfError)) is not None:
        print(complaint(f"clusterf: {failure}"), file=sys.stderr)
        return failure.exit_code
    print(complaint("".join(traceback.format_exception(error)).rstrip()), file=sys.stderr)
    return EX_SOFTWARE


def _within(error: BaseException, kind: type[E]) -> E | None:
    """The exception of this kind, also inside the groups that nurseries make."""
    if isinstance(error, kind):
        return error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            if (found := _within(inner, kind)) is not None:
                return found
    return None


class _Help(argparse.HelpFormatter):
    """Leaves room for the longest command of a list, which argparse forgets to indent."""

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        for command in self._iter_indented_subactions(action):
            length = len(self._format_action_invocation(command)) + self._current_indent
            self._action_max_length = max(self._action_max_length, length)


class CommandParser(argparse.ArgumentParser):
    """The parser of a command: it knows the options that all commands have."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Without a value here: that of a parser within would hide what was given before it.
        self.add_argument(
            "-c",
            "--config",
            type=Path,
            default=argparse.SUPPRESS,
            metavar="FILE",
            help=f"the configuration; default: $CLUSTERF_CONFIG, or {CONFIGURATION}",
        )
        self.add_argument(
            "--bundled-only",
            action="store_true",
            default=argparse.SUPPRESS,
            help="load no drop-ins (to rescue a host)",
        )


def usual() -> dict[str, Any]:
    """What holds where the options of a `CommandParser` are not given."""
    config = Path(os.environ.get("CLUSTERF_CONFIG", CONFIGURATION))
    return {"config": config, "bundled_only": False}


def parser() -> argparse.ArgumentParser:
    """The command line of the core."""
    return parsers()[0]


def parsers() -> tuple[argparse.ArgumentParser, argparse._SubParsersAction[CommandParser]]:
    """The command line of the core, and its commands, to which those of plugins can be added."""
    top = argparse.ArgumentParser(
        prog="clusterf",
        formatter_class=_Help,
        description="Load balancing for clusters of Docker hosts with Linux IPVS.",
        epilog="clusterf COMMAND --help tells more of a command.",
    )
    top.add_argument("--version", action="version", version=f"clusterf {__version__}")
    top.set_defaults(**usual())
    commands = top.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=CommandParser
    )

    run = _command(
        commands,
        "run",
        "run in the foreground until SIGTERM",
        "SIGHUP has it read its configuration again.",
        status="0 ended as it was told to; 69 its world is not there; 75 something was left "
        "undone, with --once; 78 the configuration is at fault",
    )
    run.add_argument("--once", action="store_true", help="apply the configuration and end")

    check = _command(
        commands,
        "check",
        "report all problems of the configuration",
        status="0 no error; 78 errors, or warnings with --strict",
    )
    check.add_argument("--offline", action="store_true", help="do not look at sockets and kernel")
    check.add_argument("--strict", action="store_true", help="fail on warnings, too")
    check.add_argument(
        "--explain", metavar="CODE", help="tell what a code means, and check nothing"
    )
    _format(check)

    config = _command(commands, "config", "list the files of the configuration, or print all of it")
    config.add_argument(
        "--effective", action="store_true", help="print it with every default, as TOML"
    )
    _format(config)

    _command(commands, "schema", "print the JSON Schema of the configuration, for editors")

    doctor = _command(
        commands,
        "doctor",
        "tell whether this host has what clusterf needs",
        "Changes nothing, and needs no configuration.",
        status="0 it has; 69 errors, or warnings with --strict",
    )
    doctor.add_argument("--strict", action="store_true", help="fail on warnings, too")
    _format(doctor)

    plan = _command(
        commands,
        "plan",
        "print what would be done to the kernel, and why",
        "Changes nothing.",
        status="0 nothing to do; 2 changes; 75 nothing to do as far as known, but a source has not "
        "spoken",
    )
    _format(plan)

    status = _command(commands, "status", "print the table, with states and reasons")
    status.add_argument("service", nargs="?", metavar="SERVICE", help="only this service")
    _format(status)

    for name, summary in (
        ("drain", "give a service or one backend no new connections"),
        ("undrain", "take a drain back"),
    ):
        one = _command(commands, name, summary)
        one.add_argument("service", metavar="SERVICE", help="its name")
        one.add_argument(
            "backend",
            nargs="?",
            default="",
            metavar="BACKEND",
            help="its id, or a beginning of it; default: all of them",
        )
        _format(one)

    reload_ = _command(
        commands,
        "reload",
        "have the daemon read its configuration again",
        "A configuration at fault changes nothing, and is told.",
    )
    _format(reload_)

    plugins = _command(
        commands,
        "plugins",
        "list plugins, their options, and what failed",
        status="0 all are loaded; 1 there is none of that name; 78 one failed to load",
    )
    plugins.add_argument(
        "plugin", nargs="?", metavar="PLUGIN", help="show only this plugin, or this type"
    )
    _format(plugins)

    _completion(_command(commands, "completion", "print the completion script of a shell"))
    return top, commands


def _completion(completion: argparse.ArgumentParser) -> None:
    completion.formatter_class = argparse.RawDescriptionHelpFormatter
    completion.epilog = "to install it:\n" + "\n".join(
        f"  {shell:<5} {way}" for shell, way in SHELLS.items()
    )
    scripts = completion.add_subparsers(metavar="SHELL", dest="shell", required=True)
    for shell, way in SHELLS.items():
        scripts.add_parser(
            shell,
            help=f"that of {shell}",
            description=f"Print the completion script of {shell}, with the commands of the plugins "
            "that there are now, drop-ins too.",
            epilog=f"To install it: {way}",
        )
    # For the scripts; it has no help, which hides it.
    words = scripts.add_parser("words")
    words.add_argument("kind")
    words.add_argument("before", nargs=argparse.REMAINDER)


def _command(
    commands: argparse._SubParsersAction[CommandParser],
    name: str,
    summary: str,
    more: str = "",
    *,
    status: str = "",
) -> argparse.ArgumentParser:
    """A command; ``status`` says what its exit codes mean, of which main has all."""
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[:1].upper()}{summary[1:]}. {more}".rstrip(),
        epilog=f"Exit status: {status}." if status else None,
    )
    command.set_defaults(module=f"{name}_cmd")
    if name in {"status", "drain", "undrain", "reload"}:
        command.add_argument(
            "--socket", type=Path, metavar="FILE", help="of the daemon; default: as configured"
        )
    return command


def _format(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        dest="output_format",
        help="default: %(default)s",
    )
