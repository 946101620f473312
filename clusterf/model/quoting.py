"""Values in messages: quoted as in TOML, and harmless wherever they are printed."""

from __future__ import annotations


def quoted(text: str, longest: int = 60) -> str:
    """A value in double quotes as TOML would write it; a long one is cut."""
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    escaped = (
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown
    )
    return '"' + "".join(escaped).replace('"', '\\"') + '"'
