"""What a run leaves: two tables on stdout, build/bench.json, build/bench.png."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from tests.bench import plot, verdicts
from tests.bench.rootfs import BUILD, PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.verdicts import Row

    Result = dict[str, Any]

JSON: Final = PROJECT / "build" / "bench.json"
PNG: Final = PROJECT / "build" / "bench.png"


def write(results: Sequence[Result], clock: str) -> list[Row]:
    """Write everything; `clock` names whose time it is, for the headings."""
    judged = verdicts.rows(results)
    _json(JSON, [row.json() for row in judged])
    _json(BUILD / "samples.json", {"clock": clock, "samples": list(results)})
    # A pipe has no width: a table is not to be folded because of that.
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(_loaders(results, clock))
    console.print(_costs(results))
    console.print(_targets(judged))
    _remarks(console, results)
    plot.draw(PNG, verdicts.times(results), judged, clock)
    return judged


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n")


def _loaders(results: Sequence[Result], clock: str) -> Table:
    table = Table(title=f"Loading a table, {clock}", title_justify="left")
    for heading in ("loader", "entries", "shape", "samples", "seconds", "us an entry", "spread"):
        table.add_column(heading, justify="left" if heading == "loader" else "right")
    taken = sorted(verdicts.times(results).items(), key=lambda item: item[0][1].entries)
    for (who, shape), seconds in taken:
        same = [
            result["ns"] / 1e9
            for result in results
            if result["step"] == "load"
            and (result["who"], result["shape"]) == (who, str(shape))
            and "ns" in result
        ]
        spread = (max(same) - min(same)) / seconds
        each = f"{seconds / shape.entries * 1e6:.2f}"
        cells = (who, f"{shape.entries:,}", str(shape), str(len(same)), f"{seconds:.4f}", each)
        table.add_row(*cells, f"{spread:.1%}")
    return table


def _costs(results: Sequence[Result]) -> Table | str:
    """The costs of plain Python, where they were asked for."""
    table = Table(title="Plain Python", title_justify="left")
    for heading in ("what", "seconds"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for result in results:
        if result["step"] in {"start", "parse"} and "ns" in result and not result.get("round"):
            what = f"parse {result['shape']} {result['who']}" if "shape" in result else ""
            what = what or f"start, import {result['who'] or 'nothing'}"
            table.add_row(what, f"{result['ns'] / 1e9:.3f}")
    return table if table.row_count else ""


def _targets(judged: Sequence[Row]) -> Table:
    table = Table(title="Targets", title_justify="left")
    table.add_column("what")
    for heading in ("ours", "theirs", "ratio", "target", "holds"):
        table.add_column(heading, justify="right")
    for row in judged:
        numbers = (_number(row.ours), _number(row.theirs), _number(row.ratio))
        holds = {True: "yes", False: "[bold red]NO", None: "-"}[row.holds]
        table.add_row(row.name, *numbers, row.target or "-", holds)
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _remarks(console: Console, results: Sequence[Result]) -> None:
    for result in results:
        if "error" in result:
            console.print(f"step {result['at']} ({result['step']}) failed:", markup=False)
            console.print(result["error"], markup=False)
