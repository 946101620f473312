"""A package: a command that reports on the process, with a module of its own beside it."""

from clusterf.plugin import Command, hookimpl

from .report import add_arguments, run

CLUSTERF_API = "1.0"


@hookimpl
def clusterf_register_commands() -> list[Command]:
    """One command."""
    summary = "what this executable can import and what its children see, for the self-test"
    return [Command(name="trial", summary=summary, add_arguments=add_arguments, run=run)]
