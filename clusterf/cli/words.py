"""Words for a shell that completes a command line, as far as only something that runs knows them.

Asked for at each press of the key, so nothing is imported that the answer does not need.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence

from clusterf.cli.main import parsers
from clusterf.cli.order import socket_of
from clusterf.control.client import ask

PATIENCE = 1.0
"""Seconds that a daemon has to answer."""


def words(kind: str, before: Sequence[str]) -> Iterable[str]:
    """What can stand behind the words ``before`` of the command line, which may be half of one.

    Raises:
        ClusterfError: nobody is there to tell.
    """
    find = _KINDS.get(kind)
    given = _given(before)
    return find(given) if find is not None and given is not None else ()


def _given(before: Sequence[str]) -> argparse.Namespace | None:
    """Options and arguments as far as they are there; None if that makes no sense."""
    top, commands = parsers()
    if not before or before[0] not in commands.choices:
        return None
    command = commands.choices[before[0]]
    command.exit_on_error = False
    for action in command._get_positional_actions():  # noqa: SLF001 - nothing else tells them
        action.nargs = "?"
    given = argparse.Namespace(command=before[0], config=top.get_default("config"))
    try:
        return command.parse_known_args(before[1:], given)[0]
    except argparse.ArgumentError:
        return None


def _services(given: argparse.Namespace) -> Iterable[str]:
    return _names(given, {})


def _backends(given: argparse.Namespace) -> Iterable[str]:
    return _names(given, {"service": given.service}) if given.service else ()


def _names(given: argparse.Namespace, which: Mapping[str, str]) -> Iterable[str]:
    request = {"command": "names", "drained": given.command == "undrain", **which}
    names: list[str] = ask(socket_of(given), request, timeout=PATIENCE)["names"]
    return names


def _plugins(given: argparse.Namespace) -> Iterable[str]:
    from clusterf.cli.loading import registry_for  # noqa: PLC0415 - it loads what plugins need
    from clusterf.cli.plugins_cmd import names  # noqa: PLC0415 - same

    bundled_only = getattr(given, "bundled_only", False)
    return sorted(names(registry_for(given.config, bundled_only=bundled_only)))


_KINDS: Mapping[str, Callable[[argparse.Namespace], Iterable[str]]] = {
    "SERVICE": _services,
    "BACKEND": _backends,
    "PLUGIN": _plugins,
}
KINDS = tuple(_KINDS)
"""Kinds of words, by the metavar of the arguments that take them."""
