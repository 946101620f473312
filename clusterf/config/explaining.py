"""Explain: the meaning of a code for the terminal, and all of them as docs/checks.md."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from clusterf.config.explanations import EXPLANATIONS, FRAME, Explanation
from clusterf.model.errors import ClusterfError
from clusterf.model.problem import Code, Tier
from clusterf.plugin.faults import did_you_mean

_WIDTH = 80

_TIERS = {
    Tier.SYNTAX: "Whether the files can be read, and are TOML.",
    Tier.SCHEMA: "Every key and every value by itself, in clusterf.toml and in the files it names.",
    Tier.TOPOLOGY: "Services that stand in files, taken through merge, the configured policies and"
    " resolve as when clusterf runs. What other sources will say is not known here: where that"
    " could undo a problem it is a note, or not told.",
    Tier.PLUGINS: "Plugins that are not there, or at fault.",
    Tier.ENVIRONMENT: "Every instance asks whether its world is there, and changes nothing in it."
    " Left out with `--offline`.",
}

_HEAD = f"""# What `clusterf check` finds

`clusterf check` reads clusterf.toml and the files it names, in four tiers, and tells all problems
at once, each with its place:

```
clusterf.toml:7:13: error[C104]: defaults.scheduler: unknown scheduler "wlcc"
    7 | scheduler = "wlcc"
      |             ^^^^^^ did you mean "wlc"?
```

that is file, line, column (in characters, from 1), severity, code, the key, what is wrong, and
under it the line and what to do. With an **error** of the first two tiers in clusterf.toml `run`
does not start and `reload` keeps what was; any other leaves out the one service or backend that it
is about. With a **warning** all works, but hardly as it was meant. A **note** tells an effect that
is easily overlooked; it is never a failure.

Codes are stable: they are never given another meaning. `clusterf check --explain C104`, or by its
name `--explain unknown-choice`, prints one of the sections below. `--format json` prints a list of
objects with `file`, `line`, `column`, `length`, `severity`, `path`, `message`, `hint`, `code`,
`name` and `tier`. `clusterf schema` gives the second tier to your editor, while you type.

| exit status | |
| --- | --- |
| 0 | no error; with `--strict` no warning either |
| 2 | the command line is wrong |
| 78 | errors, or warnings with `--strict` |

The examples below have exactly the problem that they stand under. They leave out what every
configuration has:

```toml
{chr(10).join(FRAME).rstrip()}
```
"""


class UnknownCode(ClusterfError):
    """There is no such code."""

    exit_code = 2


def find(word: str) -> Explanation:
    """The explanation of a code, C104, or of its name, unknown-choice.

    Raises:
        UnknownCode: there is none.
    """
    for one in EXPLANATIONS:
        if word.lower() in {one.code.lower(), one.code.words}:
            return one
    raise UnknownCode(
        f'there is no code "{word}"',
        hint=did_you_mean(word, [code.words for code in Code])
        or "such as C104; docs/checks.md has them all",
    )


def as_text(one: Explanation) -> str:
    """One explanation for the terminal."""
    parts = [
        f"{one.code} {one.code.words} ({one.code.tier})",
        _filled(one.what),
        _filled(one.why),
        *_example_as_text(one),
        _filled(one.remedy),
    ]
    return "\n\n".join(parts) + "\n"


def _filled(text: str) -> str:
    return textwrap.fill(text.replace("`", ""), _WIDTH, break_on_hyphens=False)


def _example_as_text(one: Explanation) -> Iterator[str]:
    if one.encoding != "utf-8":
        yield f"Saved in {one.encoding}:"
    yield textwrap.indent(one.example.rstrip(), "    ")
    for name, text in one.files.items():
        yield f"and {name}:"
        yield textwrap.indent(text.rstrip(), "    ")


def page(explanations: Iterable[Explanation] = EXPLANATIONS) -> str:
    """The whole of docs/checks.md."""
    parts = [_HEAD]
    tier = None
    for one in explanations:
        if one.code.tier is not tier:
            tier = one.code.tier
            parts.append(f"## {tier.capitalize()}\n\n{_TIERS[tier]}\n")
        parts.append(_section(one))
    return "\n".join(parts)


def _section(one: Explanation) -> str:
    saved = "" if one.encoding == "utf-8" else f" Saved in {one.encoding}:"
    blocks = [f"```toml\n{one.example.rstrip()}\n```"]
    for name, text in one.files.items():
        language = "python" if name.endswith(".py") else "toml"
        blocks.append(f"and `{name}`:\n\n```{language}\n{text.rstrip()}\n```")
    return (
        f"### {one.code} {one.code.words}\n\n{one.what} {one.why}{saved}\n\n"
        + "\n\n".join(blocks)
        + f"\n\n{one.remedy}\n"
    )
