"""The completion scripts: made by shtab from the parser, and what of ours goes into them.

What an argument takes is told by its metavar, for plugins too: a FILE, a SERVICE, a METHOD.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

import shtab

from clusterf.cli.words import KINDS
from clusterf.model.problem import Code
from clusterf.model.table import SCHEDULERS, SERVICE_FLAGS, Method, TunnelType

_CLOSED: Mapping[str, tuple[str, ...]] = {
    "CODE": (*Code, *(code.words for code in Code)),
    "SCHEDULER": tuple(SCHEDULERS),
    "FLAG": tuple(sorted(SERVICE_FLAGS.union(*SCHEDULERS.values()))),
    "METHOD": tuple(Method),
    "TUNNEL": tuple(TunnelType),
    "FAMILY": ("inet", "inet6"),
}
"""Metavars of which all words are known."""

_ASKING = {
    # Half of a word is none of the shell's business: clusterf completes words before it.
    "bash": """\
_clusterf_words() {
    compgen -W "$(clusterf completion words "$1" "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" \\
        -- "$2"
}
""",
    "zsh": """\
_clusterf_words() {
    local -a found
    found=(${(f)"$(clusterf completion words $1 "${(@Q)words[1,CURRENT-1]}" 2>/dev/null)"})
    compadd -a found
}
""",
    "fish": """\
function _clusterf_words
    clusterf completion words $argv (commandline -opc)[2..] 2>/dev/null
end

function _clusterf_files
    __fish_complete_path (string replace -r -- '^--[^=]*=' '' (commandline -ct))
end
""",
}

_WHOLE_WORDS = """
# Readline takes words apart at = and : as well, argparse does not.
_clusterf() {
    local -a whole=()
    local word glue=
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ ( -n $glue || $word =~ ^[=:]+$ ) && ${#whole[@]} -gt 1 ]]; then
            whole[-1]+=$word
        else
            whole+=("$word")
        fi
        [[ $word =~ ^[=:]+$ ]] && glue=yes || glue=
    done
    local last=${whole[-1]}
    local -a COMP_WORDS=()
    for word in "${whole[@]}"; do
        if [[ $word == --*=* ]]; then
            COMP_WORDS+=("${word%%=*}" "${word#*=}")
        else
            COMP_WORDS+=("$word")
        fi
    done
    local COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _shtab_clusterf
    # What stands before the last of these marks is there already.
    [[ $last == --*=* ]] && last=${last#*=}
    local there=${last%"${last##*[=:]}"}
    COMPREPLY=("${COMPREPLY[@]#"$there"}")
}

complete -o bashdefault -F _clusterf clusterf
"""


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """The script of a shell. The parser is good for nothing else afterwards."""
    for action in _arguments(parser):
        _prepare(action, shell)
    made = shtab.complete(parser, shell, preamble=_ASKING[shell])
    return made.rstrip() + "\n" + (_WHOLE_WORDS if shell == "bash" else "")


def _prepare(action: argparse.Action, shell: str) -> None:
    """Tell shtab what the argument takes."""
    metavar = str(action.metavar)
    if metavar in _CLOSED:
        action.choices = _CLOSED[metavar]
    elif metavar in KINDS:
        vars(action)["complete"] = {
            "bash": f"_clusterf_words_{metavar}",
            "zsh": f" _clusterf_words {metavar}",
            "fish": f"(_clusterf_words {metavar})",
            "preamble": {
                "bash": f'_clusterf_words_{metavar}() {{ _clusterf_words {metavar} "$1"; }}\n'
            },
        }
    elif metavar == "FILE":
        # Shtab's own for fish takes --config=... for the name of a file.
        vars(action)["complete"] = {**shtab.FILE, "fish": "(_clusterf_files)"}
    if shell == "zsh" and action.nargs != 0:
        # With = at the end an option takes its value in the same word as well.
        action.option_strings = [
            f"{one}=" if one.startswith("--") else one for one in action.option_strings
        ]


def _arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - as shtab does: nothing else tells them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - same
            for told in action._get_subactions():  # noqa: SLF001 - same
                # The words of a list: shtab would take the description, which says more.
                action.choices[told.dest].description = told.help
            for one in action.choices.values():
                yield from _arguments(one)
        else:
            yield action
