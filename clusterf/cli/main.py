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

E = TypeVar("E", bound=BaseException)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done; 1 refused; 2 usage (and: changes to make, of ``plan``); 69 unavailable; 70 a bug;
    75 not all done; 77 not permitted; 78 configuration at fault; 130 interrupted.
    """
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
    top, commands = _parser()
    if words and words[0] not in commands.choices and words[0] != "--version":
        from clusterf.cli import foreign  # noqa: PLC0415 - commands of the core must start fast

        foreign.add(commands, words)
    return top.parse_args(words)


def _ended_by(error: BaseException) -> int:
    """Tell what ended the command, and return the exit code for it."""
    import traceback  # noqa: PLC0415 - --version must start fast

    from clusterf.model.errors import ClusterfError  # noqa: PLC0415 - same

    if _within(error, KeyboardInterrupt) is not None:
        return INTERRUPTED
    if (failure := _within(error, ClusterfError)) is not None:
        print(f"clusterf: {failure}", file=sys.stderr)
        return failure.exit_code
    traceback.print_exception(error)
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


class CommandParser(argparse.ArgumentParser):
    """The parser of a command: it knows the options that all commands have."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        usually = str(usual()["config"]).replace("%", "%%")
        # Without a value here: that of a parser within would hide what was given before it.
        self.add_argument(
            "-c",
            "--config",
            type=Path,
            default=argparse.SUPPRESS,
            metavar="FILE",
            help=f"default: {usually}, or $CLUSTERF_CONFIG",
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
    return _parser()[0]


def _parser() -> tuple[argparse.ArgumentParser, argparse._SubParsersAction[CommandParser]]:
    top = argparse.ArgumentParser(
        prog="clusterf",
        description="Load balancing for clusters of Docker hosts with Linux IPVS.",
    )
    top.add_argument("--version", action="version", version=f"clusterf {__version__}")
    top.set_defaults(**usual())
    commands = top.add_subparsers(metavar="COMMAND", required=True, parser_class=CommandParser)

    run = _command(commands, "run", "run in the foreground until SIGTERM")
    run.add_argument("--once", action="store_true", help="apply the configuration and end")

    check = _command(commands, "check", "report all problems of the configuration")
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

    doctor = _command(commands, "doctor", "tell whether this host has what clusterf needs")
    doctor.add_argument("--strict", action="store_true", help="fail on warnings, too")
    _format(doctor)

    plan = _command(commands, "plan", "print what would be done to the kernel, and why")
    _format(plan)

    status = _command(commands, "status", "print the table, with states and reasons")
    status.add_argument("service", nargs="?", help="only this service")
    _format(status)

    for name, summary in (
        ("drain", "give a service or one backend no new connections"),
        ("undrain", "take a drain back"),
    ):
        one = _command(commands, name, summary)
        one.add_argument("service")
        one.add_argument("backend", nargs="?", default="", help="its id, or a beginning of it")
        _format(one)

    reload_ = _command(commands, "reload", "have the daemon read its configuration again")
    _format(reload_)

    plugins = _command(commands, "plugins", "list plugins, their options, and what failed")
    plugins.add_argument("plugin", nargs="?", help="show only this plugin, or this type")
    _format(plugins)
    return top, commands


def _command(
    commands: argparse._SubParsersAction[CommandParser], name: str, summary: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
    command.set_defaults(module=f"{name}_cmd")
    if name in {"status", "drain", "undrain", "reload"}:
        command.add_argument("--socket", type=Path, help="default: control in [clusterf]")
    return command


def _format(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        dest="output_format",
        help="default: %(default)s",
    )
