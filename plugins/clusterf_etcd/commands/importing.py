"""What an import does with each key of a v2 tree: pure, from what there is on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from clusterf.model.provenance import Refusal
from clusterf.plugin import Line
from clusterf_etcd.commands.edits import Edit
from clusterf_etcd.commands.v2_tree import V2Key
from clusterf_etcd.commands.wording import printable, shown_value
from clusterf_etcd.reading import old_names, read
from clusterf_etcd.wire import KeyValue

_READER = "etcd"


class Fate(Enum):
    """What becomes of a key: the sign before it in the list, its style, and how it is counted."""

    COPIED = ("+", "green", "copied")
    EXCHANGED = ("~", "yellow", "exchanged")
    SAME = ("=", "", "there already")
    LEFT_OUT = (".", "", "left out")
    KEPT = ("!", "red", "kept")
    REFUSED = ("!", "red", "not copied")
    CHANGED = ("!", "red", "changed by somebody else in the meantime")

    @property
    def sign(self) -> str:
        """Stands before the key."""
        return self.value[0]

    @property
    def style(self) -> str:
        """One of rich's."""
        return self.value[1]

    @property
    def word(self) -> str:
        """What has become of it."""
        return self.value[2]

    @property
    def done(self) -> bool:
        """Whether nothing remains to be done about it."""
        return self not in {Fate.KEPT, Fate.REFUSED, Fate.CHANGED}


_TOLD = {Fate.LEFT_OUT, Fate.KEPT, Fate.REFUSED, Fate.CHANGED}
"""Of which the sign alone would not say enough."""


class Step(NamedTuple):
    """One key, what becomes of it, and why in words; ``path`` is without the prefix."""

    path: str
    fate: Fate
    edit: Edit
    why: str = ""


def plan(
    found: Iterable[V2Key],
    have: Mapping[str, KeyValue],
    prefix: str,
    *,
    overwrite: bool = False,
    everything: bool = False,
) -> list[Step]:
    """Decide for each key. ``have`` is what there is below ``prefix``, by its key.

    ``everything``: also keys with a time to live, which then stay for good.
    """
    return [
        _step(
            one,
            have.get(f"{prefix}/{one.path}"),
            prefix,
            overwrite=overwrite,
            everything=everything,
        )
        for one in found
    ]


def _step(
    one: V2Key, seen: KeyValue | None, prefix: str, *, overwrite: bool, everything: bool
) -> Step:
    key = f"{prefix}/{one.path}"
    edit = Edit(key, seen, one.value)
    item = read(key, one.value, prefix, _READER)
    if one.ttl is not None and not everything:
        why = f"it lives for {one.ttl} s more, its agent will publish it"
        return Step(one.path, Fate.LEFT_OUT, edit, why)
    if isinstance(item, Refusal):
        return Step(one.path, Fate.REFUSED, edit, item.detail)
    if seen is None:
        return Step(one.path, Fate.COPIED, edit, _remark(one))
    if seen.value == one.value or read(key, seen.value, prefix, _READER) == item:
        return Step(one.path, Fate.SAME, edit)
    if edit.leased:
        return Step(one.path, Fate.KEPT, edit, f"it goes with the lease of {edit.owner}")
    if not overwrite:
        return Step(one.path, Fate.KEPT, edit, "--overwrite exchanges it")
    return Step(one.path, Fate.EXCHANGED, edit, _remark(one))


def _remark(one: V2Key) -> str:
    """What there is to know of a key that is copied."""
    remarks = []
    if names := old_names(one.value):
        remarks.append(f"written as {' and '.join(names)}, which the original ignores since 0.5")
    if one.ttl is not None:
        remarks.append("here it stays for good")
    return "; ".join(remarks)


def describe(steps: Iterable[Step]) -> Iterator[Line]:
    """Each key on a line, with its value where that is of interest."""
    for path, fate, edit, why in steps:
        word = f" {fate.word}" if fate in _TOLD else ""
        yield f"  {fate.sign} {printable(path)}{word}{': ' if why else ''}{why}", fate.style
        if fate in {Fate.EXCHANGED, Fate.KEPT} and edit.seen is not None:
            yield f"      here {shown_value(edit.seen.value)}", ""
        if fate not in {Fate.SAME, Fate.LEFT_OUT}:
            yield f"      v2   {shown_value(edit.value or b'')}", ""


def count(steps: Iterable[Step]) -> str:
    """``2 copied, 1 left out``."""
    numbers = Counter(step.fate for step in steps)
    return ", ".join(f"{numbers[fate]} {fate.word}" for fate in Fate if numbers[fate]) or "no keys"
