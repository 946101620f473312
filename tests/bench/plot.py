"""The picture: how long loading takes, and how far from their targets the ratios are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from tests.bench.shapes import Shape
    from tests.bench.verdicts import Row

mpl.use("agg")

# Ten destinations a service, so that the lines compare like with like.
_DESTINATIONS: Final = 10
_NAMES: Final = {
    "pyroute2": ("pyroute2's IPVS calls", "#b07aa1"),
    "ipvsadm": ("ipvsadm -R", "#f28e2b"),
    "ours": ("clusterf", "#1f6fb4"),
    "c": ("bare C sender", "#7f7f7f"),
}


def draw(
    path: Path, times: Mapping[tuple[str, Shape], float], rows: Sequence[Row], clock: str
) -> None:
    """Write a PNG; `times` are seconds."""
    judged = [row for row in rows if row.target and row.ratio]
    figure = Figure(figsize=(14, 5.4) if judged else (7.5, 5.4), layout="constrained")
    axes = figure.subplots(1, 2 if judged else 1, squeeze=False)[0]
    _loads(axes[0], times, clock)
    if judged:
        _margins(axes[1], judged)
    figure.savefig(path, dpi=120)


def _loads(axes: Axes, times: Mapping[tuple[str, Shape], float], clock: str) -> None:
    for who, (name, colour) in _NAMES.items():
        points = sorted(
            (shape.entries, seconds)
            for (loader, shape), seconds in times.items()
            if loader == who and shape.destinations == _DESTINATIONS
        )
        if not points:
            continue
        entries, seconds = zip(*points, strict=True)
        axes.plot(entries, seconds, "o-", color=colour, linewidth=2)
        axes.annotate(
            f"{name}\n{seconds[-1] / entries[-1] * 1e6:,.1f} us an entry",
            (entries[-1], seconds[-1]),
            textcoords="offset points",
            xytext=(9, 2),
            va="bottom" if len(points) == 1 else "center",
            fontsize=9,
            color=colour,
        )
    sizes = sorted({shape.entries for _, shape in times if shape.destinations == _DESTINATIONS})
    axes.set(xscale="log", yscale="log", xlabel="virtual services + destinations")
    axes.set_ylabel(f"seconds ({clock})")
    if sizes:
        axes.set_xlim(sizes[0] * 0.7, sizes[-1] * 9)  # room for the names
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set_title("Loading a whole table", loc="left")
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _margins(axes: Axes, rows: Sequence[Row]) -> None:
    """Bars of how many times better than its target a ratio is; 1 is just met."""
    margins = []
    for row in rows:
        assert row.target is not None
        assert row.ratio is not None
        relation, bound = row.target.split()
        margins.append(row.ratio / float(bound) if relation == ">=" else float(bound) / row.ratio)
    colours = ["#59a14f" if row.holds else "#e15759" for row in rows]
    places = range(len(rows))
    # A bar from 1: to the right is better than asked for, to the left is worse.
    axes.barh(places, [margin - 1 for margin in margins], left=1, color=colours, height=0.6)
    for place, row, margin in zip(places, rows, margins, strict=True):
        axes.annotate(
            f"{row.ratio:.3g} (target {row.target})",
            (max(margin, 1), place),
            textcoords="offset points",
            xytext=(5, 0),
            va="center",
            fontsize=8,
        )
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(min([0.5, *margins]) / 1.3, max([2.0, *margins]) * 6)
    axes.tick_params(axis="y", length=0)
    axes.set_yticks(places, [row.name.replace(", seconds", "") for row in rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("times better than the target")
    axes.set_title("Targets", loc="left")
    axes.grid(visible=True, axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
