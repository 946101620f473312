"""Markdown as the lines of a man page. Read by markdown-it-py, which rich brings along.

The heading of the first level is the document's and left out; those of the second are sections of
the page, the others subsections. A table is a list of its first column with the rest below, as no
table of several columns fits into 80 of a terminal.
``<!-- name -->`` in a line of its own stands for lines that are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NoReturn

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from manual import roff

Lines = Iterable[str]

_LONGEST_TAG = 60
"""A tag is one line; where one is longer, they are sentences."""


def lines(markdown: str, made: Mapping[str, Lines] | None = None) -> Iterator[str]:
    """The body of a page.

    Raises:
        KeyError: ``made`` lacks what the text names.
        NotImplementedError: the text has something that no page of ours had before.
    """
    tree = SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(markdown))
    for node in tree.children:
        if node.type == "html_block":
            yield from (made or {})[node.content.strip().removeprefix("<!--")[:-3].strip()]
        else:
            yield from _block(node)


# --- blocks --------------------------------------------------------------------------------------


def _block(node: SyntaxTreeNode) -> Iterator[str]:
    yield from _BLOCKS.get(node.type, _unknown)(node)


def _heading(node: SyntaxTreeNode) -> Iterator[str]:
    match node.tag:
        case "h1":
            return
        case "h2":
            yield from roff.heading(_text(node, str.upper))
        case _:
            yield from roff.subheading(_text(node))


def _paragraph(node: SyntaxTreeNode) -> Iterator[str]:
    return roff.paragraph(_text(node))


def _fence(node: SyntaxTreeNode) -> Iterator[str]:
    _, _, name = node.info.partition(" ")
    if name:
        yield from roff.paragraph(f"{roff.italic(name)}:")
    yield from roff.example(node.content.rstrip("\n").split("\n"))


def _bullets(node: SyntaxTreeNode) -> Iterator[str]:
    for one in node.children:
        yield from roff.item("\\(bu", map(_only_text, one.children))


def _numbers(node: SyntaxTreeNode) -> Iterator[str]:
    for number, one in enumerate(node.children, 1):
        yield from roff.item(f"{number}.", map(_only_text, one.children))


def _table(node: SyntaxTreeNode) -> Iterator[str]:
    head, body = node.children
    [names] = head.children
    titles = [_text(cell) for cell in names.children[1:]]
    rows = [[_text(cell) for cell in row.children] for row in body.children]
    sentences = any(len(tag) > _LONGEST_TAG for tag, *_ in rows)
    for tag, *cells in rows:
        told = [
            f"{roff.italic(title)}: {cell}" if title and len(titles) > 1 else cell
            for title, cell in zip(titles, cells, strict=True)
            if cell
        ]
        if sentences:
            yield from roff.item("\\(bu", [": ".join([tag, *told])])
        else:
            yield from roff.tagged(tag, told)


def _only_text(node: SyntaxTreeNode) -> str:
    if node.type != "paragraph":
        _unknown(node)
    return _text(node)


def _unknown(node: SyntaxTreeNode) -> NoReturn:
    raise NotImplementedError(f"{node.type} at line {node.map}")


_BLOCKS: Mapping[str, Callable[[SyntaxTreeNode], Iterator[str]]] = {
    "heading": _heading,
    "paragraph": _paragraph,
    "fence": _fence,
    "bullet_list": _bullets,
    "ordered_list": _numbers,
    "table": _table,
}


# --- text ----------------------------------------------------------------------------------------


def _text(node: SyntaxTreeNode, written: Callable[[str], str] = str) -> str:
    """What is within, marked; ``written`` changes all but code."""
    return "".join(_words(child, written) for child in node.children)


def _words(node: SyntaxTreeNode, written: Callable[[str], str]) -> str:
    match node.type:
        case "inline":
            return _text(node, written)
        case "text":
            return roff.plain(written(node.content))
        case "softbreak":
            return "\n"
        case "code_inline" | "strong":
            return roff.bold(_plain(node))
        case "em":
            return roff.italic(_plain(node))
        case "link":
            # What is elsewhere in the project is named by its words; what is in the world is told.
            target = str(node.attrs["href"])
            where = f" ({roff.literal(target)})" if target.startswith("http") else ""
            return _text(node) + where
    raise NotImplementedError(f"{node.type} in a text")


def _plain(node: SyntaxTreeNode) -> str:
    return node.content or "".join(map(_plain, node.children))
