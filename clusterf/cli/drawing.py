"""What commands print: lines with styles on a terminal, and text that any terminal takes."""

from __future__ import annotations

import sys
from collections.abc import Iterable

Line = tuple[str, str]
"""Text and style; the styles are rich's."""


def draw(lines: Iterable[Line]) -> None:
    """Print lines: in their styles on a terminal, else as they are."""
    if not sys.stdout.isatty():
        write("".join(f"{text.rstrip()}\n" for text, _ in lines))
        return
    from rich.console import Console  # noqa: PLC0415 - imported only to draw
    from rich.text import Text  # noqa: PLC0415 - same

    console = Console(highlight=False)
    for text, style in lines:
        console.print(Text(encodable(text.rstrip()), style=style), soft_wrap=True)


def write(text: str | bytes) -> None:
    """Print text; bytes go out as they are."""
    if isinstance(text, bytes):
        sys.stdout.flush()
        sys.stdout.buffer.write(text)
    else:
        sys.stdout.write(encodable(text))


def warn(text: str) -> None:
    """Print text to standard error, where it is in no program's way."""
    sys.stderr.write(text)


def encodable(text: str) -> str:
    """A text in which what the terminal's encoding lacks is escaped, and ends no command."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
