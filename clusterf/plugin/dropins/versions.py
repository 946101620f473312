"""Versions: the plugin API that a drop-in was written for, read without running it."""

from __future__ import annotations

import ast

from clusterf.model.errors import PluginLoadError
from clusterf.plugin.api import API_VERSION

STATEMENT = "CLUSTERF_API"


def stated_api(content: bytes, name: str) -> str:
    """The version that a file states, if it is one that this program has.

    Raises:
        SyntaxError: it is not Python; with its place in the file ``name``.
        PluginLoadError: it states no version, or one that does not fit.
    """
    try:
        tree = ast.parse(content, name)
    except (SyntaxError, ValueError) as error:
        if isinstance(error, SyntaxError) and error.filename:
            raise
        # Of zero bytes the parser does not say where they are.
        line = content[: content.find(b"\0")].count(b"\n") + 1
        raise SyntaxError(str(error), (name, line, 1, None)) from error
    except (RecursionError, MemoryError) as error:
        raise SyntaxError("nested too deeply", (name, 1, 1, None)) from error
    wanted = _stated(tree)
    if wanted is None:
        raise PluginLoadError(
            "does not state its API version", hint=f'add {STATEMENT} = "{API_VERSION}"'
        )
    refuse_unfit(wanted)
    return wanted


def refuse_unfit(wanted: str) -> None:
    """Compare with ours: the same major version, and no later minor one.

    Raises:
        PluginLoadError: naming both.
    """
    ours, theirs = _numbers(API_VERSION), _numbers(wanted)
    if theirs is None or ours is None:
        raise PluginLoadError(
            f'{STATEMENT} = "{wanted}" is no version', hint=f'such as "{API_VERSION}"'
        )
    if theirs[0] == ours[0] and theirs <= ours:
        return
    newer = theirs > ours
    raise PluginLoadError(
        f"was written for plugin API {wanted}, this is {API_VERSION}",
        hint="update clusterf" if newer else "update the plugin; docs/plugins.md has the API",
    )


def _numbers(version: str) -> tuple[int, int] | None:
    parts = version.split(".")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return int(parts[0]), int(parts[1])


def _stated(tree: ast.Module) -> str | None:
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(name)], value=ast.Constant(str() as stated))
                | ast.AnnAssign(target=ast.Name(name), value=ast.Constant(str() as stated))
            ) if name == STATEMENT:
                return stated
    return None
