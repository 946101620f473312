"""Who loads a table: ours and the others, each one process that starts with the table at hand."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from tests.bench import namespace, process, shapes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bench.shapes import Shape

SENDER_BATCH: Final = 512


@dataclass(frozen=True, slots=True)
class Loader:
    """One way to fill the kernel's table.

    `argv` is given the shape and the path of the compiled sender.c; a loader that `reads_rules`
    has the lines for `ipvsadm -R` on its standard input. `timed` says which time counts: "whole"
    is from exec to exit, which is what a user of `ipvsadm -R` waits for; "inside" is what the
    process itself measured, from the table in its memory to the last ACK, without the start of
    an interpreter.
    """

    name: str
    argv: Callable[[Shape, Path], list[str]]
    timed: Literal["whole", "inside"]
    reads_rules: bool = False


def python(module: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]


def sender_load(shape: Shape, sender: Path) -> list[str]:
    return [str(sender), "load", *map(str, (shape.services, shape.destinations, SENDER_BATCH))]


LOADERS: Final = {
    loader.name: loader
    for loader in (
        Loader("ours", lambda shape, _: python("ours", "load", shape), "inside"),
        Loader("ipvsadm", lambda _shape, _: ["ipvsadm", "-R"], "whole", reads_rules=True),
        Loader("c", sender_load, "inside"),
        Loader("pyroute2", lambda shape, _: python("theirs", shape), "inside"),
    )
}


def sample(loader: Loader, shape: Shape, sender: Path, scratch: Path) -> dict[str, Any]:
    """Load `shape` once in a fresh namespace.

    Returns:
        `ns`, the time that counts; `whole_ns`; and whatever else the loader told of itself.

    Raises:
        process.RunError: see there.
    """
    stdin = rules(shape, scratch) if loader.reads_rules else None
    argv = loader.argv(shape, sender)
    with namespace.fresh():
        done = process.finish(argv, stdin)
        process.holds(shape)
    if loader.timed == "whole":
        return {"ns": done.ns, "whole_ns": done.ns}
    told = json.loads(done.output)
    return {**told, "ns": sum(told["ns"]), "whole_ns": done.ns}


def rules(shape: Shape, scratch: Path) -> Path:
    """The file of rules for `shape`, written at its first use."""
    file = scratch / f"{shape}.rules"
    if not file.exists():
        with file.open("w") as out:
            out.writelines(shapes.ipvsadm_rules(shape))
    return file
