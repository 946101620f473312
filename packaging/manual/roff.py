"""Man pages as man(7) has them: lines of text with a macro or a word of font here and there.

Text goes in as *marked* text, in which `bold`, `italic` and `plain` have escaped what roff would
take for its own; the functions that make lines take nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_WIDTH = 79
_WHOLE = re.compile(r"clusterf|[/_=.]\w|\\-", re.IGNORECASE)
"""In a word that is not divided at the end of a line: a name, a path, an option."""

_LITERAL = str.maketrans(
    {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
)


def plain(text: str) -> str:
    """Text as it is."""
    return text.replace("\\", "\\e")


def literal(text: str) -> str:
    """The same of what people type or copy: a dash is a dash and no hyphen, a quote no accent."""
    return text.translate(_LITERAL)


def ticked(text: str) -> str:
    """Text with `words in ticks`, which are bold."""
    return "".join(
        bold(part) if number % 2 else plain(part) for number, part in enumerate(text.split("`"))
    )


def bold(text: str) -> str:
    """What is typed as it stands."""
    return f"\\fB{literal(text)}\\fP"


def italic(text: str) -> str:
    """What stands for something else."""
    return f"\\fI{literal(text)}\\fP"


def title(name: str, section: int, *, date: str, version: str) -> str:
    """The first lines of a page."""
    return f'.TH {name.upper()} {section} "{date}" "clusterf {version}" "clusterf"\n.ad l'


def heading(text: str) -> Iterator[str]:
    """``.SH``."""
    yield f".SH {_argument(text)}"


def subheading(text: str) -> Iterator[str]:
    """``.SS``."""
    yield f".SS {_argument(text)}"


def paragraph(marked: str) -> Iterator[str]:
    """A paragraph of its own."""
    yield ".PP"
    yield from text(marked)


def tagged(tag: str, paragraphs: Iterable[str]) -> Iterator[str]:
    """A term, and what is said of it below."""
    yield ".TP"
    yield _line(tag)
    for number, one in enumerate(paragraphs):
        if number:
            yield ".IP"
        yield from text(one)


def item(lead: str, paragraphs: Iterable[str]) -> Iterator[str]:
    """One of a list; ``lead`` is a bullet or a number."""
    for number, one in enumerate(paragraphs):
        yield f".IP {lead} 3" if not number else '.IP "" 3'
        yield from text(one)


def example(lines: Iterable[str]) -> Iterator[str]:
    """Lines as they are."""
    yield ".PP"
    yield ".RS 2"
    yield ".EX"
    yield from (_line(literal(line)) for line in lines)
    yield ".EE"
    yield ".RE"


def text(marked: str) -> Iterator[str]:
    """A filled text, in lines as long as people read them in the source."""
    line = ""
    for one in re.split(r"[ \n]+", marked.strip()):
        word = f"\\%{one}" if _WHOLE.search(one) else one
        if line and len(line) + 1 + len(word) > _WIDTH:
            yield _line(line)
            line = word
        else:
            line = f"{line} {word}".lstrip()
    if line:
        yield _line(line)


def whole(lines: Iterable[str]) -> str:
    """A page; a paragraph that a heading has begun is not begun again."""
    kept: list[str] = []
    for line in lines:
        if line != ".PP" or not kept[-1].startswith((".SH", ".SS")):
            kept.append(line)
    return "\n".join(kept) + "\n"


def _line(marked: str) -> str:
    """A line that is none of the macros'."""
    return f"\\&{marked}" if marked[:1] in {".", "'"} else marked


def _argument(marked: str) -> str:
    return '"' + marked.replace('"', "\\(dq") + '"'
